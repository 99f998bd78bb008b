// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The kernel side of mmtrace. It records; user space thinks.
 *
 * Every change of an address space happens under its mmap_lock, held for
 * writing. A program at the lock's acquisition numbers the changes of each
 * traced space and reads what the kernel counts at that moment; a program at
 * the end of system calls adds arguments, result and call stack. Numbers are
 * handed out inside the lock, so their order is the order of the changes.
 *
 * Where that program cannot be had or costs the target too much, calls are
 * numbered by themselves (order_calls): one that gives memory back by a program
 * at its begin, one that maps when it returns.
 *
 * All programs hang on raw tracepoints (typed ones where the kernel's types
 * fit): these lose nothing on preemptible kernels, where fentry and classic
 * tracepoints do.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "syscalls.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define FIND_TRIES 64
#define HUGETLBFS_MAGIC 0x958458f6
#define MAP_ANONYMOUS 0x20
#define MAP_HUGETLB 0x40000
#define PROT_EXEC 4
#define SIGSTOP 19
#define MREMAP_MAYMOVE 1
#define MREMAP_DONTUNMAP 4
#define FAILED(ret) ((ret) < 0 && (ret) >= -4095)

/* Inode number of the pid namespace in which user space reads /proc; 0: the initial one. */
const volatile __u32 pid_namespace_inode = 0;
/* Bytes in the ring at which the reader is woken; it looks by itself now and then. */
const volatile __u32 wake_bytes = 1 << 20;
/* Changes are numbered when calls begin and return, not under the lock. */
const volatile bool order_calls = false;
/* The time that the programs take is measured. */
const volatile bool timed = false;
/* What is left out, enum thrift; user space raises it. */
__u32 saving = THRIFT_NONE;
/* For tests: walk also where a walk of before tells the stack, and compare. */
const volatile bool check_replays = false;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 20);
} events SEC(".maps");

/* Traced processes by thread-group ID in the initial namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct process);
} processes SEC(".maps");

/* Targets on their way in: user space marks a task by pidfd, the iterator finds it. */
struct target {
	__u32 cookie;
	__u32 flags; /* enum process_flag */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct target);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 which)
{
	__u64 *v = bpf_map_lookup_elem(&counters, &which);
	if (v)
		(*v)++;
}

static __always_inline __u64 start_timer(void) { return timed ? bpf_ktime_get_ns() : 0; }

static __always_inline void stop_timer(__u64 begin)
{
	__u32 which = COUNT_SPENT;

	if (!timed)
		return;
	__u64 *v = bpf_map_lookup_elem(&counters, &which);
	if (v)
		*v += bpf_ktime_get_ns() - begin;
}

static __always_inline __u64 wakeup(void)
{
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= wake_bytes ?
		BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

enum bpf_func_id___here {
	BPF_FUNC_find_vma___here,
};

/* From Linux 5.17 on. A function that is checked by itself has to ask: before that the call is an error. */
#define CAN_FIND_VMA bpf_core_enum_value_exists(enum bpf_func_id___here, BPF_FUNC_find_vma___here)

#include "lookup.h"
#include "unwind.h"
#include "replay.h"
#include "code.h"

/* Keeps types in the object's BTF, from which the Go side has them. */
struct {
	struct record record;
	struct stack_record stack;
	struct stack_copy copy;
	struct code_record code;
	struct rule rule;
	struct found found;
	struct inflight inflight;
	enum counter counter;
	enum process_flag flag;
	enum thrift thrift;
} kept __attribute__((unused));

#include "send.h"
#include "stacks.h"
#include "descriptors.h"
#include "advice.h"
#include "hot.h"
#include "lock.h"
#include "describe.h"
#include "unstacked.h"
#include "order.h"

/* ---- the return of a call ---- */

/* Records a call of a traced space that returns. */
static __always_inline void record_call(struct call *c, void *regs, long ret, __u32 tid, __u64 mm, struct space *space)
{
	struct inflight *f = find_inflight(tid);
	__u64 seq = 0, total_vm = 0, brk = 0;
	bool noted = f && f->kind == c->kind && f->mm == mm;
	if (noted) {
		seq = f->seq;
		total_vm = f->total_vm;
		brk = f->brk;
	}
	if (f)
		drop_inflight(tid, f);
	bool numbered = seq;
	struct record *r = reserve(space, c->kind);
	if (!r) {
		if (order_calls && !numbered && changes_map(c->kind)) /* the gap in the numbers tells */
			__sync_fetch_and_add(&space->seq, 1);
		return;
	}
	r->ret = ret;
	r->seq = seq;
	r->after = space->seq;
	r->total_vm = total_vm;
	r->brk = brk;
	arguments(r->args, regs, c->compat);
	bool wanted = true;
	if (c->compat) {
		r->marks |= MARK_COMPAT;
		wanted = normalize_compat(r, c->nr);
	}
	if (makes_descriptor(c->kind))
		describe_file(r, c->nr);
	if (c->kind == KIND_MADVISE && c->nr == NR_PROCESS_MADVISE)
		wanted = tell_ranges(r);
	if (!numbered && (!wanted || beside_the_point(r))) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return;
	}
	if (order_calls && noted)
		number(r, space, c->nr);
	if (needs_description(r))
		describe(r);
	if (r->kind == KIND_MMAP && !FAILED(ret) && !(r->args[3] & MAP_ANONYMOUS)) {
		r->marks |= MARK_FILE;
		if (r->args[2] & PROT_EXEC) {
			__sync_fetch_and_add(&space->generation, 1);
			record_code(ret, space);
		}
	}
	if ((r->kind == KIND_MMAP || r->kind == KIND_MPROTECT) && !FAILED(ret) && (r->args[2] & PROT_EXEC))
		__sync_fetch_and_add(&space->code_changes, 1);
	if (wants_stack(r, space)) {
		r->stack = stack_for(r, regs, space);
		if (!r->stack)
			r->marks |= MARK_NO_STACK;
	}
	submit(r);
}

static __always_inline int returned(void *regs, long ret)
{
	struct call c;
	struct task_struct *task = bpf_get_current_task_btf();
	if (!call_of(&c, call_number(regs), task) || makes_none(&c, regs, ret))
		return 0;
	__u64 mm = (__u64)task->mm;
	struct space *space = find_space(mm, task->tgid);
	if (!space || space->held)
		return 0;
	__u64 begin = start_timer();
	record_call(&c, regs, ret, task->pid, mm, space);
	stop_timer(begin);
	return 0;
}

SEC("tp_btf/sys_exit")
int call_returned(__u64 *ctx)
{
	return returned((void *)ctx[0], ctx[1]);
}

SEC("raw_tp/sys_exit")
int call_returned_raw(__u64 *ctx)
{
	return returned((void *)bpf_task_pt_regs(bpf_get_current_task_btf()), ctx[1]);
}

#include "life.h"

/* ---- attaching ---- */

/*
 * Runs over all tasks once, for user space that has marked its targets by
 * pidfd: so pid namespaces do not matter. Writes one struct found a target.
 */
SEC("iter/task")
int find_targets(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	if (!task)
		return 0;
	struct target *t = bpf_task_storage_get(&targets, task->group_leader, 0, 0);
	if (!t)
		return 0;
	__u64 mm = (__u64)task->mm;
	if (!mm)
		return 0;
	struct found out = { .cookie = t->cookie, .tgid = task->tgid };
	if (bpf_map_lookup_elem(&processes, &out.tgid))
		return 0;
	struct space *space = look_up_space(mm);
	if (!space) {
		space = add_space(mm, 0);
		if (!space)
			return 0;
		out.created = 1;
		space->held = t->flags & PROCESS_STOP ? 1 : 0;
	}
	out.space = space->id;
	add_process(out.tgid, space->id, t->flags);
	bpf_seq_write(ctx->meta->seq, &out, sizeof(out));
	return 0;
}
