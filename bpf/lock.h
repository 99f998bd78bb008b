/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The order of changes by the lock: programs at its acquisition.
 */
#ifndef MMTRACE_LOCK_H
#define MMTRACE_LOCK_H

/* Hands over a number that no call's return will carry. */
static __always_inline void other(struct space *space, __u64 seq, struct mm_struct *mm, long nr, __u32 marks)
{
	struct record *r = reserve(space, KIND_OTHER);
	if (!r)
		return;
	r->seq = seq;
	r->total_vm = mm->total_vm;
	r->brk = mm->brk;
	r->args[0] = nr;
	r->marks = marks;
	submit(r);
}

static __always_inline bool changes_map(__u32 kind)
{
	return kind != KIND_MPROTECT && kind != KIND_MADVISE && kind != KIND_NAME_VMA && kind != KIND_SHMGET &&
	       !makes_descriptor(kind);
}

/* Gives a change its number, under the lock, and notes the call that makes it. */
static __always_inline void number_by_lock(struct task_struct *task, struct mm_struct *mm, struct space *space)
{
	__u64 seq = ++space->seq; /* the lock makes it ours */
	struct call c;
	void *regs = (void *)bpf_task_pt_regs(task);
	long nr = call_number(regs);
	__u32 tid = task->pid;
	struct inflight *f = find_inflight(tid);
	bool ours = call_of(&c, nr, task) && !makes_descriptor(c.kind);
	if (ours && f && f->seq) {
		count(COUNT_SECOND);
		other(space, seq, mm, nr, changes_map(f->kind) ? MARK_SECOND : 0);
		return;
	}
	bool copies = !ours && is_clone(nr, c.compat);
	if (!ours && !copies) {
		other(space, seq, mm, nr, 0);
		return;
	}
	struct inflight n = {
		.mm = (__u64)mm,
		.seq = ours ? seq : 0,
		.total_vm = mm->total_vm,
		.brk = mm->brk,
		.copied = copies ? seq : 0,
		.kind = c.kind,
		.space = space->id,
	};
	if (f) {
		n.tid = f->tid;
		*f = n;
	} else if (!add_inflight(tid, &n)) {
		count(COUNT_INFLIGHT_FULL);
		other(space, seq, mm, nr, MARK_STALE);
		return;
	}
	if (copies)
		other(space, seq, mm, nr, 0);
}

static __always_inline int acquired(__u64 mm_address, bool write, bool success)
{
	if (!write || !success)
		return 0;
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = task->mm;
	if ((__u64)mm != mm_address)
		return 0;
	struct space *space = find_space(mm_address, task->tgid);
	if (!space || space->held)
		return 0;
	__u64 begin = start_timer();
	number_by_lock(task, mm, space);
	stop_timer(begin);
	return 0;
}

/* Linux 6.13 and later: (mm, write, success). */
SEC("tp_btf/mmap_lock_acquire_returned")
int lock_acquired(__u64 *ctx)
{
	return acquired(ctx[0], ctx[1], ctx[2]);
}

/* Before that there is the name of a cgroup: (mm, memcg_path, write, success). */
SEC("raw_tp/mmap_lock_acquire_returned")
int lock_acquired_memcg(__u64 *ctx)
{
	return acquired(ctx[0], ctx[2] & 1, ctx[3] & 1);
}

SEC("raw_tp/mmap_lock_acquire_returned")
int lock_acquired_raw(__u64 *ctx)
{
	return acquired(ctx[0], ctx[1] & 1, ctx[2] & 1);
}

#endif
