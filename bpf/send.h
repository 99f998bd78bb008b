/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * How records reach the ring buffer.
 */
#ifndef MMTRACE_SEND_H
#define MMTRACE_SEND_H

/* A zeroed record, or NULL with the loss counted. */
static __always_inline struct record *reserve(struct space *space, __u32 kind)
{
	struct record *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		count(COUNT_LOST);
		if (space)
			__sync_fetch_and_add(&space->lost, 1);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	__u64 id = bpf_get_current_pid_tgid();
	r->kind = kind;
	r->tgid = id >> 32;
	r->tid = (__u32)id;
	r->time = bpf_ktime_get_ns();
	if (space) {
		r->space = space->id;
		r->lost = space->lost;
	}
	return r;
}

static __always_inline void submit(struct record *r)
{
	count(COUNT_EVENTS);
	bpf_ringbuf_submit(r, wakeup());
}

#endif
