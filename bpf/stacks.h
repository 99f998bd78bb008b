/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The call stack of a record: what is sent of it, and when.
 */
#ifndef MMTRACE_STACKS_H
#define MMTRACE_STACKS_H

/* For a walk that user space has to finish. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_copy);
} copies SEC(".maps");

/*
 * Sends a copy of the stack, so that user space can finish the walk in scratch.
 * Such a stack gets a name of its own: what is above is not in its hash.
 */
__noinline int send_copy(__u32 zero)
{
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	struct stack_copy *c = bpf_map_lookup_elem(&copies, &zero);
	if (!w || !c)
		return 0;
	w->record.stack = mix(w->record.stack, bpf_ktime_get_ns());
	c->kind = KIND_STACK_COPY;
	c->stack = w->record.stack;
	c->pc = w->pc;
	c->sp = w->sp;
	c->fp = w->fp;
	c->lr = w->lr;
	c->call = w->call;
	c->fresh = w->fresh;
	c->blind = w->blind;
	__u32 n = copy_stack(c->data, snapshot_base(w->sp));
	if (n > sizeof(c->data))
		n = sizeof(c->data);
	c->length = n;
	if (bpf_ringbuf_output(&events, c, sizeof(*c) - sizeof(c->data) + n, wakeup())) {
		count(COUNT_STACKS_LOST);
		return 0;
	}
	count(COUNT_COPIES);
	w->record.flags |= STACK_COPIED;
	return 1;
}

/* Sends the stack unless user space has it; returns its hash, 0 if there is none. */
static __always_inline __u64 stack_of(void *regs, struct space *space)
{
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w)
		return 0;
	struct stack_record *s = &w->record;
	prepare_walk(w, regs, space);
	__u64 kept = replay(0);
	if (kept && was_seen(kept) && !check_replays)
		return kept;
	__u64 h = walk(w, space);
	bool partial = unfinished(w, space);
	if (kept) {
		count(COUNT_REPLAYS);
		if (kept != h)
			count(COUNT_REPLAYS_WRONG);
	}
	if (!partial)
		note_walk(0);
	if (!partial && was_seen(h))
		return h;
	if (partial) {
		send_copy(0);
		h = s->stack;
	}
	__u32 n = s->count;
	if (n > MAX_FRAMES)
		n = MAX_FRAMES;
	if (bpf_ringbuf_output(&events, s, sizeof(*s) - sizeof(s->frames) + n * sizeof(s->frames[0]), wakeup())) {
		count(COUNT_STACKS_LOST);
		return h;
	}
	count(COUNT_STACKS);
	if (!partial)
		note_seen(h);
	return h;
}

#endif
