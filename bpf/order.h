/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The order of changes by calls, where the lock does not tell it.
 */
#ifndef MMTRACE_ORDER_H
#define MMTRACE_ORDER_H

/*
 * Whether a call that has just begun will give memory back if it succeeds, by its
 * arguments. What is laid over other mappings in one step is not meant.
 */
static __always_inline bool gives_back(struct call *c, __u64 *args, __u64 brk)
{
	switch (c->kind) {
	case KIND_MUNMAP:
	case KIND_SHMDT:
	case KIND_IO_DESTROY:
		return true;
	case KIND_SHMAT:
		return c->compat && c->nr == 117 && (args[0] & 0xffff) == IPC_SHMDT;
	case KIND_BRK:
		return args[0] && args[0] < brk;
	case KIND_MREMAP:
		return args[1] && !(args[3] & MREMAP_DONTUNMAP) && ((args[3] & MREMAP_MAYMOVE) || args[2] < args[1]);
	}
	return false;
}

/* Notes a call that has begun, and numbers it if it gives memory back. */
static __always_inline void note_call(struct call *c, void *regs, __u32 tid, struct mm_struct *mm, struct space *space)
{
	__u64 args[6];
	arguments(args, regs, c->compat);
	struct inflight n = {
		.mm = (__u64)mm,
		.brk = mm->brk,
		.began = bpf_ktime_get_ns(),
		.kind = c->kind,
		.space = space->id,
	};
	bool gives = gives_back(c, args, n.brk);
	if (gives) /* no more than it will be, until it is: see inflight_linux.go */
		n.seq = *(volatile __u64 *)&space->seq + 1;
	struct inflight *f = find_inflight(tid);
	if (f) {
		n.tid = f->tid;
		*f = n;
	} else if (!add_inflight(tid, &n)) {
		count(COUNT_INFLIGHT_FULL);
		return;
	}
	if (gives && (f = find_inflight(tid)))
		f->seq = __sync_fetch_and_add(&space->seq, 1) + 1;
}

/*
 * The begin of a call. What gives memory back gets its number here: whoever is
 * given that memory returns later. What maps gets its number when it returns:
 * whoever gives it back begins later.
 */
static __always_inline int entered(void *regs)
{
	struct call c;
	struct task_struct *task = bpf_get_current_task_btf();
	if (!call_of(&c, call_number(regs), task) || !changes_map(c.kind))
		return 0;
	struct mm_struct *mm = task->mm;
	struct space *space = find_space((__u64)mm, task->tgid);
	if (!space || space->held)
		return 0;
	__u64 begin = start_timer();
	note_call(&c, regs, task->pid, mm, space);
	stop_timer(begin);
	return 0;
}

SEC("tp_btf/sys_enter")
int call_entered(__u64 *ctx)
{
	return entered((void *)ctx[0]);
}

SEC("raw_tp/sys_enter")
int call_entered_raw(__u64 *ctx)
{
	return entered((void *)bpf_task_pt_regs(bpf_get_current_task_btf()));
}

/*
 * A call that moves mappings has two places in the order: this record is of the
 * one at its begin, where they left their old place if ret says that they did.
 */
static __always_inline void lifted(struct record *r, struct space *space, long nr)
{
	struct record *l = reserve(space, KIND_OTHER);
	if (!l)
		return;
	l->marks = MARK_LIFT;
	l->seq = r->seq;
	l->args[0] = nr;
	if (r->ret != r->args[0]) {
		l->args[1] = r->args[0];
		l->args[2] = r->args[1];
	}
	submit(l);
}

/* Numbers a call that returns, if it changes the map by what it maps. */
static __always_inline void number(struct record *r, struct space *space, long nr)
{
	switch (r->kind) {
	case KIND_BRK:
		if (r->seq || r->ret == r->brk)
			return;
		break;
	case KIND_MREMAP:
		if (!r->seq)
			break;
		if (FAILED(r->ret) || (r->ret == r->args[0] && r->args[2] <= r->args[1]))
			return;
		lifted(r, space, nr);
		break;
	case KIND_MUNMAP:
	case KIND_SHMDT:
	case KIND_IO_DESTROY:
	case KIND_MPROTECT:
	case KIND_MADVISE:
	case KIND_NAME_VMA:
	case KIND_SHMGET:
	case KIND_OPEN:
	case KIND_DUP:
	case KIND_OTHER:
		return;
	}
	r->seq = __sync_fetch_and_add(&space->seq, 1) + 1;
}

#endif
