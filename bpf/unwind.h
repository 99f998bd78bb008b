/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The user stack at the return of a system call, walked by tables that user
 * space makes of .eh_frame, and by frame pointers where there is no table. The
 * form of the tables and the model of the walk: internal/unwind.
 *
 * One step of the walk is a global function, which the verifier checks once and
 * apart from the loop around it, and so is the loop. That loads on every kernel
 * since 5.10; an inlined step, bpf_loop and iterators do not.
 */
#ifndef MMTRACE_UNWIND_H
#define MMTRACE_UNWIND_H

#include "tables.h"
#include "window.h"
#include "find.h"
#include "frame.h"

/*
 * Adds the current frame of the walk in scratch and goes on to its caller's.
 * Returns enum stop. zero is 0; a parameter that is not used would be one that
 * the compiler does not pass.
 */
__noinline int walk_step(__u32 zero)
{
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w)
		return STOP_FAULT;
	if (w->pc < LOWEST_CODE)
		return STOP_ZERO;
	__u64 pc = w->pc - w->call;
	enum stop stop = find_code(w, pc);
	if (stop)
		return stop;
	__u32 n = w->count;
	if (n >= MAX_FRAMES)
		return STOP_MAX;
	w->record.frames[n] = w->pc;
	w->hash = mix(w->hash, w->pc);
	w->count = n + 1;
	if (w->module == NO_MODULE)
		return guess(w);
	int index = recall_rule(w, pc - w->bias);
	if (index < 0)
		return STOP_GAP;
	struct rule *r = bpf_map_lookup_elem(&infos, &index);
	if (!r)
		return STOP_GAP;
	switch (r->kind) {
	case RULE_GAP:
		return guess(w);
	case RULE_REG:
	case RULE_PLT:
	case RULE_DEREF:
		return leave(w, r, pc);
	case RULE_SIGNAL:
		return interrupted(w);
	case RULE_ROOT:
		return STOP_ROOT;
	case RULE_FRAME_POINTER:
		return chained(w);
	case RULE_SWITCH:
		return switched(w);
	}
	return STOP_UNSUPPORTED;
}

/* Takes all steps of the walk in scratch. Returns enum stop. */
__noinline int walk_all(__u32 zero)
{
	for (int i = 0; i < MAX_FRAMES + 1; i++) {
		int stop = walk_step(zero);
		if (stop)
			return stop;
	}
	return STOP_MAX;
}

/* Begins a walk at the registers of a system call. */
static __always_inline void begin_walk(struct walk *w, void *regs, __u32 space)
{
	if (ON_X86) {
		struct pt_regs___x86 *r = regs;
		w->pc = r->ip;
		w->sp = r->sp;
		w->fp = r->bp;
		w->lr = 0;
	} else {
		struct pt_regs___arm64 *r = regs;
		w->pc = r->pc;
		w->sp = r->sp;
		w->fp = r->regs[29];
		w->lr = r->regs[30];
	}
	w->at_sp[0] = w->pc;
	w->at_sp[1] = w->sp;
	w->at_sp[2] = w->fp;
	w->at_sp[3] = w->lr;
	w->call = w->fresh = 1;
	w->blind = 0;
	w->space = space;
	w->count = w->guessed = 0;
	w->window_len = 0;
	w->windows = w->words = w->fp_used = 0;
	w->fp_from = FP_INITIAL;
}

/* Keeps the mappings of the walk before if they are from the same list. */
static __always_inline void keep_code(struct walk *w, void *ranges)
{
	__u32 zero = 0, version = 0;
	struct code_head *head = ranges ? bpf_map_lookup_elem(ranges, &zero) : 0;

	if (head)
		version = head->version;
	if (version && version == w->version)
		return;
	w->version = version;
	w->start = w->end = w->before_start = w->before_end = 0;
}

/* Makes scratch ready for a walk of the current task. */
static __always_inline void prepare_walk(struct walk *w, void *regs, struct space *space)
{
	__u32 from = space->id;
	void *ranges = bpf_map_lookup_elem(&code, &from);
	if (!ranges) {
		from = space->code;
		ranges = bpf_map_lookup_elem(&code, &from);
	}
	begin_walk(w, regs, from);
	keep_code(w, ranges);
	w->hash_from = mix(((__u64)space->id << 32) | space->generation, 1);
}

/*
 * Fills the record in w, which is scratch and prepared, with the stack of the
 * current task and returns its hash, which covers the space and its generation
 * of code: never 0. Where it stopped is in scratch until the next walk.
 */
static __always_inline __u64 walk(struct walk *w, struct space *space)
{
	struct stack_record *s = &w->record;

	w->hash = w->hash_from;
	int stop = walk_all(0);
	if (!w->count) { /* an address at least */
		s->frames[0] = w->pc;
		w->hash = mix(w->hash, w->pc);
		w->count = 1;
	}
	w->stop = stop;
	s->kind = KIND_STACK;
	s->flags = (__u32)stop << STACK_STOP_SHIFT | w->guessed << STACK_GUESSED_SHIFT;
	if (stop == STOP_MAX)
		s->flags |= STACK_TRUNCATED;
	s->space = space->id;
	s->count = w->count;
	__u64 h = mix(mix(w->hash, w->count), s->flags);
	s->stack = h ? h : 1;
	return s->stack;
}

/*
 * Whether user space may find more, given a copy of the stack: code was mapped
 * that the ranges here do not take in yet.
 */
static __always_inline bool unfinished(struct walk *w, struct space *space)
{
	__u32 zero = 0, code_id = w->space;

	if (w->stop == STOP_NO_SPACE)
		return true;
	if (w->stop != STOP_NO_MAP)
		return false;
	void *ranges = bpf_map_lookup_elem(&code, &code_id);
	if (!ranges)
		return true;
	struct code_head *head = bpf_map_lookup_elem(ranges, &zero);
	return !head || head->changes != space->code_changes;
}

/*
 * Where to begin to copy the stack of a frame: as far below its sp as it keeps
 * anything. Go has the frame pointer's record there on arm64. It is in sp's
 * page, for the one below may not be there.
 */
static __always_inline __u64 snapshot_base(__u64 sp)
{
	return (sp & 4095) >= SNAPSHOT_BELOW ? sp - SNAPSHOT_BELOW : sp;
}

/*
 * Copies SNAPSHOT_BYTES of the stack, and the rest of a page, from base on to
 * the buffer at out, which holds a page more. Returns how many there are: fewer
 * if the stack ends. It copies page by page: one read across the end would fail
 * whole.
 */
static __always_inline __u32 copy_stack(__u8 *out, __u64 base)
{
	__u32 n = 0;

	for (int i = 0; i < SNAPSHOT_BYTES / 4096 + 1; i++) {
		__u32 k = 4096 - (base & 4095);
		/* Linux 5.15 does not see that k is no more than that. */
		asm volatile("" : "+r"(k));
		if (n >= SNAPSHOT_BYTES || k > 4096)
			break;
		if (bpf_probe_read_user(out + n, k, (void *)base))
			break;
		n += k;
		base += k;
	}
	return n;
}

#endif
