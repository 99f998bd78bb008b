/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Birth, execution and death of processes and of address spaces.
 */
#ifndef MMTRACE_LIFE_H
#define MMTRACE_LIFE_H

static __always_inline void add_process(__u32 tgid, __u32 space, __u32 flags)
{
	struct process p = { .space = space, .flags = flags };
	if (bpf_map_update_elem(&processes, &tgid, &p, BPF_ANY))
		count(COUNT_PROCESSES_FULL);
}

/* The process's ID in the namespace of user space; 0 if it has none there. */
static __always_inline __u32 visible_pid(struct task_struct *leader)
{
	if (!pid_namespace_inode)
		return leader->tgid;
	struct pid *pid = leader->thread_pid;
	for (int i = 0; i < 33; i++) {
		if (i > (int)BPF_CORE_READ(pid, level))
			break;
		struct upid u;
		if (bpf_core_read(&u, bpf_core_type_size(struct upid),
				  (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				  i * bpf_core_type_size(struct upid)))
			break;
		if (BPF_CORE_READ(u.ns, ns.inum) == pid_namespace_inode)
			return u.nr;
	}
	return 0;
}

SEC("tp_btf/sched_process_fork")
int forked(__u64 *ctx)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	__u64 parent_mm = (__u64)parent->mm, mm = (__u64)child->mm;
	__u32 parent_tgid = parent->tgid, tgid = child->tgid, tid = parent->pid;

	if (tgid == parent_tgid || !mm)
		return 0;
	struct space *old = look_up_space(parent_mm);
	struct process *p = bpf_map_lookup_elem(&processes, &parent_tgid);
	if (!old || !p || !(p->flags & PROCESS_FOLLOW))
		return 0;
	struct space *space = old;
	if (mm != parent_mm) {
		space = add_space(mm, old);
		if (!space)
			return 0;
	}
	add_process(tgid, space->id, PROCESS_FOLLOW);
	struct record *r = reserve(space, KIND_FORK);
	if (!r)
		return 0;
	struct inflight *f = find_inflight(tid);
	if (f) {
		r->after = f->copied;
		drop_inflight(tid, f);
	}
	if (order_calls)
		r->after = old->seq;
	r->parent = old->id;
	r->tgid = visible_pid(child);
	r->tid = child->tgid;
	r->ret = visible_pid(parent->group_leader);
	bpf_get_current_comm(r->args, 16);
	submit(r);
	return 0;
}

/*
 * Tells the code that the kernel itself has mapped: of the program, and of the
 * dynamic linker, in which it begins.
 */
static __always_inline void record_program(struct task_struct *task, struct space *space)
{
	void *regs = (void *)bpf_task_pt_regs(task);
	__u64 begin = ON_X86 ? ((struct pt_regs___x86 *)regs)->ip : ((struct pt_regs___arm64 *)regs)->pc;

	record_code(begin, space);
	record_code(task->mm->start_code, space);
}

SEC("tp_btf/sched_process_exec")
int executed(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	__u32 tgid = task->tgid;
	struct process *p = bpf_map_lookup_elem(&processes, &tgid);
	if (!p)
		return 0;
	struct space *space = add_space((__u64)task->mm, 0);
	if (!space)
		return 0;
	__u32 before = p->space;
	p->space = space->id;
	if (p->flags & PROCESS_STOP) {
		p->flags &= ~PROCESS_STOP;
		bpf_send_signal(SIGSTOP);
	}
	struct record *r = reserve(space, KIND_EXEC);
	if (!r)
		return 0;
	r->parent = before;
	r->tgid = visible_pid(task->group_leader);
	r->tid = tgid;
	bpf_get_current_comm(r->args, 16);
	submit(r);
	record_program(task, space);
	return 0;
}

SEC("tp_btf/exit_mmap")
int space_ended(__u64 *ctx)
{
	struct mm_struct *mm = (void *)ctx[0];
	struct space *space = look_up_space((__u64)mm);
	if (!space)
		return 0;
	struct record *r = reserve(space, KIND_END);
	if (r) {
		r->after = space->seq;
		r->total_vm = mm->total_vm;
		submit(r);
	}
	remove_space(space);
	return 0;
}

/* A thread that ends inside a call takes the call's return with it. */
static __always_inline void died_in_call(struct inflight *f)
{
	struct space *space = look_up_space(f->mm);
	struct record *r = reserve(space, KIND_OTHER);
	if (!r)
		return;
	r->marks = MARK_DIED;
	r->space = f->space;
	r->seq = f->seq;
	r->total_vm = f->total_vm;
	r->brk = f->brk;
	submit(r);
}

SEC("tp_btf/sched_process_exit")
int exited(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	__u32 tid = task->pid, tgid = task->tgid;
	struct inflight *f = find_inflight(tid);
	if (f) {
		if (f->seq)
			died_in_call(f);
		drop_inflight(tid, f);
	}
	struct process *p = bpf_map_lookup_elem(&processes, &tgid);
	if (!p || task->signal->live.counter > 0)
		return 0;
	struct record *r = reserve(0, KIND_EXIT);
	if (r) {
		r->space = p->space;
		r->tgid = visible_pid(task->group_leader);
		r->tid = tgid;
		r->ret = task->signal->group_exit_code ? : task->exit_code;
		submit(r);
	}
	bpf_map_delete_elem(&processes, &tgid);
	return 0;
}

#endif
