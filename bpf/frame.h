/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From a frame to its caller.
 */
#ifndef MMTRACE_FRAME_H
#define MMTRACE_FRAME_H

/* Makes the caller the current frame. */
static __always_inline enum stop enter(struct walk *w, __u64 pc, __u64 sp, __u64 fp)
{
	w->pc = pc & code_mask;
	w->sp = sp;
	w->fp = fp;
	w->call = 1;
	w->fresh = w->blind = 0;
	return STOP_NONE;
}

/*
 * Goes by the frame pointer. On arm64 it leads to a record somewhere in the
 * frame, on x86-64 to the end of the frame.
 */
static __always_inline enum stop follow(struct walk *w)
{
	__u64 fp, pc;

	use_fp(w);
	if (!w->fp)
		return STOP_FP_END;
	if (w->fp & 7)
		return STOP_GAP;
	if (!read_fp(w, w->fp, &fp) || !read_word(w, w->fp + 8, &pc))
		return STOP_FAULT;
	enter(w, pc, w->fp + 16, fp);
	w->blind = !ON_X86;
	return STOP_NONE;
}

/* Whether the instruction before addr is a call. */
static __always_inline bool behind_call(__u64 addr)
{
	__u8 code[8];

	if (addr < LOWEST_CODE || bpf_probe_read_user(code, sizeof(code), (void *)(addr - sizeof(code))))
		return false;
	if (code[3] == 0xe8) /* call rel32 */
		return true;
	if (code[6] == 0xff && (code[7] & 0x38) == 0x10) /* call reg, call [reg] */
		return true;
	if (code[5] == 0xff && (code[6] & 0x38) == 0x10) /* call [reg+disp8] */
		return true;
	return code[2] == 0xff && (code[3] & 0x38) == 0x10; /* call [reg+disp32], call [rip+disp32] */
}

/*
 * Goes to the caller of a leaf that makes a system call and of whose frame
 * nothing is known. Wrappers keep none: what lies at sp, if it follows a call, is
 * the way back.
 */
static __always_inline bool leave_leaf(struct walk *w)
{
	__u64 pc;

	if (!w->fresh || !w->call)
		return false;
	if (!ON_X86) {
		if (w->lr < LOWEST_CODE)
			return false;
		enter(w, w->lr, w->sp, w->fp);
		return true;
	}
	if (!read_word(w, w->sp, &pc) || !behind_call(pc))
		return false;
	w->words = NO_REPLAY; /* code was read, too */
	enter(w, pc, w->sp + 8, w->fp);
	return true;
}

/* Goes by a frame pointer of which nobody said that it is one. */
static __always_inline enum stop guess(struct walk *w)
{
	if (leave_leaf(w)) {
		w->guessed++;
		return STOP_NONE;
	}
	use_fp(w);
	if (w->fp && (w->fp < w->sp || w->fp - w->sp > MAX_FRAME_BYTES))
		return STOP_GAP;
	enum stop stop = follow(w);
	if (!stop)
		w->guessed++;
	return stop;
}

/* Go makes system calls in assembly without a frame; all else keeps one. */
static __always_inline enum stop chained(struct walk *w)
{
	__u64 pc;

	if (!w->fresh || !w->call)
		return follow(w);
	if (!ON_X86)
		return enter(w, w->lr, w->sp, w->fp);
	if (!read_word(w, w->sp, &pc))
		return STOP_FAULT;
	return enter(w, pc, w->sp + 8, w->fp);
}

/*
 * Goes to what a signal interrupted. The kernel left its registers on the
 * stack: struct rt_sigframe, up to uc_mcontext.
 */
static __always_inline enum stop interrupted(struct walk *w)
{
	__u64 at = w->sp + (ON_X86 ? 40 : 312), pc, sp, fp, lr = 0;
	bool ok;

	if (w->blind)
		return guess(w);
	if (ON_X86)
		ok = read_word(w, at + 10 * 8, &fp) && read_word(w, at + 15 * 8, &sp) &&
		     read_word(w, at + 16 * 8, &pc);
	else
		ok = read_word(w, at + 29 * 8, &fp) && read_word(w, at + 30 * 8, &lr) &&
		     read_word(w, at + 31 * 8, &sp) && read_word(w, at + 32 * 8, &pc);
	if (!ok)
		return STOP_FAULT;
	w->fp_from = FP_NOTED;
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->lr = lr;
	w->call = 0;
	w->fresh = 1;
	w->blind = 0;
	return STOP_NONE;
}

/* Goes to the caller by a rule that says where the frame ends. */
static __always_inline enum stop leave(struct walk *w, struct rule *r, __u64 pc)
{
	__u64 cfa = r->base ? w->fp : w->sp, fp = w->fp, back = w->lr;
	__s64 ra = r->off2;

	if (w->blind && !r->base)
		return guess(w);
	if (r->base || r->fp == FP_AT_FP)
		use_fp(w);
	if (r->kind == RULE_REG) {
		cfa += (__s64)r->off;
	} else if (r->kind == RULE_PLT) {
		cfa = w->sp + 8 + ((pc & 15) >= (__u64)r->off ? 8 : 0);
	} else {
		if (!read_word(w, cfa + (__s64)r->off, &cfa))
			return STOP_FAULT;
		cfa += ra;
		ra = -8;
	}
	if (r->fp == FP_LOST) {
		fp = 0;
		w->fp_from = FP_NOTED;
	} else if (r->fp && !read_fp(w, (r->fp == FP_AT_CFA ? cfa : fp) + (__s64)r->fp_off, &fp)) {
		return STOP_FAULT;
	}
	if (r->link) {
		if (!w->fresh)
			return STOP_UNSUPPORTED;
	} else if (!read_word(w, cfa + ra, &back)) {
		return STOP_FAULT;
	}
	return enter(w, back, cfa, fp);
}

/*
 * Goes from the stack of Go's scheduler to that of the goroutine: to the frame
 * record right below its stack pointer. On the stack are the goroutine, the upper
 * end of whose stack is its second word, and the distance from there.
 */
static __always_inline enum stop switched(struct walk *w)
{
	__u64 g, depth, end;

	if (w->blind)
		return guess(w);
	if (!read_word(w, w->sp, &g) || !read_word(w, w->sp + 8, &depth) || !read_word(w, g + 8, &end))
		return STOP_FAULT;
	w->fp = end - depth - 8;
	w->fp_from = FP_NOTED; /* by the words that it was made of */
	return follow(w);
}

#endif
