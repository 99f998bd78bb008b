/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Stacks that are not walked, to save the target time.
 */
#ifndef MMTRACE_HOT_H
#define MMTRACE_HOT_H

/*
 * With THRIFT_HOT a stack is not walked if what is cheap to see of it was the same
 * HOT_SEEN times in a row with the same stack: where the call is, where the stack
 * ends and where its function returns to. The frame pointer is left out, in which
 * compilers keep whatever changes. That is a guess, since callers further up can
 * differ in spite of it. Every HOT_CHECK-th is walked all the same; a place that comes out otherwise once
 * is never guessed again.
 */
#define HOT_SEEN 64
#define HOT_CHECK 16

struct hot {
	__u64 stack; /* hash of the newest walk */
	__u32 same; /* walks in a row with it */
	__u32 uses;
	__u32 mixed; /* 1: a guess was wrong */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct hot);
} hots SEC(".maps");

static __always_inline __u64 place_of(void *regs, struct space *space, __u32 kind)
{
	__u64 h = mix(((__u64)space->id << 32) | space->generation, kind), above = 0;

	if (ON_X86) {
		struct pt_regs___x86 *r = regs;
		bpf_probe_read_user(&above, sizeof(above), (void *)r->sp);
		return mix(mix(mix(h, r->ip), r->sp), above);
	}
	struct pt_regs___arm64 *r = regs;
	return mix(mix(mix(h, r->pc), r->sp), r->regs[30]);
}

/* Counts a walk at a place where the stack was known, or almost. */
static __always_inline void learn_place(struct hot *h, __u64 stack)
{
	bool sure = h->same >= HOT_SEEN && !h->mixed;

	if (sure)
		count(COUNT_CHECKED);
	if (h->stack == stack) {
		h->same++;
		return;
	}
	if (sure) {
		count(COUNT_DIFFERED);
		h->mixed = 1;
	}
	h->stack = stack;
	h->same = 1;
}

/* stack_of, or what it would most likely return, for the call of r. */
static __always_inline __u64 stack_for(struct record *r, void *regs, struct space *space)
{
	if (!timed || saving < THRIFT_HOT)
		return stack_of(regs, space);
	__u64 place = place_of(regs, space, r->kind);
	struct hot *h = bpf_map_lookup_elem(&hots, &place);
	bool guess = h && h->same >= HOT_SEEN && !h->mixed && ++h->uses % HOT_CHECK;
	if (guess) {
		count(COUNT_ASSUMED);
		r->marks |= MARK_ASSUMED;
		return h->stack;
	}
	__u64 stack = stack_of(regs, space);
	if (h) {
		learn_place(h, stack);
		return stack;
	}
	struct hot fresh = { .stack = stack, .same = 1 };
	bpf_map_update_elem(&hots, &place, &fresh, BPF_ANY);
	return stack;
}

#endif
