/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The user stack at the return of a system call: a walk along frame pointers,
 * with the leaf's caller repaired. libc's wrappers keep no frame of their own,
 * so the chain lacks their caller; its address still lies at the stack pointer
 * (arm64: in the link register).
 */
#ifndef MMTRACE_STACK_H
#define MMTRACE_STACK_H

#define MAX_FRAME_BYTES (8 << 20) /* no honest frame is larger */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_record);
} scratch SEC(".maps");

/* Stacks that user space has got, by hash. Eviction means sending one again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u8);
} seen SEC(".maps");

struct registers {
	__u64 pc, sp, fp, lr;
};

static __always_inline void registers(struct registers *out, void *regs)
{
	if (ON_X86) {
		struct pt_regs___x86 *r = regs;
		out->pc = r->ip;
		out->sp = r->sp;
		out->fp = r->bp;
		out->lr = 0;
		return;
	}
	struct pt_regs___arm64 *r = regs;
	out->pc = r->pc;
	out->sp = r->sp;
	out->fp = r->regs[29];
	out->lr = r->regs[30];
}

/*
 * Whether the instruction before addr is a call. It keeps words that merely
 * lie at the stack pointer from passing for a caller.
 */
static __always_inline bool behind_call(__u64 addr)
{
	__u8 code[8];

	if (addr < 4096)
		return false;
	if (!ON_X86) {
		__u32 insn;
		if (bpf_probe_read_user(&insn, sizeof(insn), (void *)(addr - 4)))
			return false;
		/* bl; blr and its authenticated forms */
		return (insn >> 26) == 0x25 || (insn & 0xfffffc1f) == 0xd63f0000 ||
		       (insn & 0xfefff800) == 0xd63f0800;
	}
	if (bpf_probe_read_user(code, sizeof(code), (void *)(addr - sizeof(code))))
		return false;
	if (code[3] == 0xe8) /* call rel32 */
		return true;
	if (code[6] == 0xff && (code[7] & 0x38) == 0x10) /* call reg, call [reg] */
		return true;
	if (code[5] == 0xff && (code[6] & 0x38) == 0x10) /* call [reg+disp8] */
		return true;
	if (code[4] == 0xff && (code[5] & 0x38) == 0x10) /* call [reg+sib+disp8] */
		return true;
	if (code[2] == 0xff && (code[3] & 0x38) == 0x10) /* call [reg+disp32], call [rip+disp32] */
		return true;
	return code[1] == 0xff && (code[2] & 0x38) == 0x10; /* call [reg+sib+disp32] */
}

static __always_inline __u64 mix(__u64 h, __u64 v)
{
	h ^= v;
	h *= 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

/*
 * walk fills s with the stack of the current task and returns its hash, which
 * covers the space and its generation of code: never 0.
 */
static __always_inline __u64 walk(struct stack_record *s, void *regs, struct space *space)
{
	struct registers r;
	__u64 frame[2], candidate = 0, h;
	__u32 n = 1;

	registers(&r, regs);
	s->kind = KIND_STACK;
	s->flags = 0;
	s->space = space->id;
	s->frames[0] = r.pc;
	h = mix(mix(((__u64)space->id << 32) | space->generation, 1), r.pc);
	if (!ON_X86)
		candidate = r.lr;
	else if (bpf_probe_read_user(&candidate, sizeof(candidate), (void *)r.sp))
		candidate = 0;
	if (behind_call(candidate)) {
		s->frames[1] = candidate;
		s->flags |= STACK_CANDIDATE;
		h = mix(h, candidate);
		n = 2;
	}
	__u64 fp = r.fp, low = r.sp;
	for (int i = 0; i < MAX_FRAMES; i++) {
		if ((fp & 7) || fp < low || fp - low > MAX_FRAME_BYTES)
			break;
		if (bpf_probe_read_user(frame, sizeof(frame), (void *)fp))
			break;
		if (frame[1] < 4096)
			break;
		if (n >= MAX_FRAMES) {
			s->flags |= STACK_TRUNCATED;
			break;
		}
		s->frames[n & 127 ? n : 0] = frame[1];
		h = mix(h, frame[1]);
		n++;
		low = fp + 16;
		fp = frame[0];
	}
	s->count = n;
	h = mix(h, n);
	s->stack = h ? h : 1;
	return s->stack;
}

#endif
