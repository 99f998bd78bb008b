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

#include "descriptors.h"
#include "advice.h"

/* ---- stacks that are not walked ---- */

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

/* ---- the lock ---- */

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

/* ---- the return of a call ---- */

struct vma_query {
	__u64 length;
	__u64 huge; /* page size if the mapping is of huge pages, else 0 */
};

static long look(struct task_struct *task, struct vm_area_struct *vma, struct vma_query *q)
{
	q->length = vma->vm_end - vma->vm_start;
	struct file *file = vma->vm_file;
	if (!file)
		return 0;
	struct super_block *sb = file->f_inode->i_sb;
	if (sb->s_magic == HUGETLBFS_MAGIC)
		q->huge = sb->s_blocksize;
	return 0;
}

#define VMA_BUSY (~0ULL)

/*
 * Length of the current task's mapping at addr, or with huge the size of its huge
 * pages; 0 if there is none, VMA_BUSY if the kernel could not look.
 */
__noinline __u64 try_vma(__u64 addr, __u32 huge)
{
	struct vma_query q = {};

	if (!CAN_FIND_VMA || bpf_find_vma(bpf_get_current_task_btf(), addr, look, &q, 0))
		return VMA_BUSY;
	return huge ? q.huge : q.length;
}

/*
 * The same, 0 if that cannot be told. bpf_find_vma does not wait for the lock. Where it fails, user space finds the length from
 * the kernel's page counts.
 */
static __always_inline __u64 vma_at(__u64 addr, __u32 huge)
{
	if (!CAN_FIND_VMA)
		return 0;
	for (int i = 0; i < FIND_TRIES; i++) {
		__u64 v = try_vma(addr, huge);
		if (v != VMA_BUSY)
			return v;
	}
	return 0;
}

/* ipc(2) of ia32 is many calls in one. Returns false for those that do not matter. */
static __always_inline bool unfold_ipc(struct record *r)
{
	__u32 which = r->args[0] & 0xffff, out = 0;
	__u64 addr = r->args[4], third = r->args[3];

	if (which == IPC_SHMAT) {
		r->args[0] = r->args[1];
		r->args[1] = addr;
		if (!FAILED(r->ret) && !bpf_probe_read_user(&out, sizeof(out), (void *)third))
			r->ret = out;
		return true;
	}
	if (which == IPC_SHMDT) {
		r->kind = KIND_SHMDT;
		r->args[0] = addr;
		return true;
	}
	if (which == IPC_SHMGET) {
		r->kind = KIND_SHMGET;
		r->args[0] = r->args[1];
		r->args[1] = r->args[2];
		r->args[2] = third;
		return true;
	}
	return false;
}

/* Brings the arguments of an ia32 call to the form of the native one. */
static __always_inline bool normalize_compat(struct record *r, long nr)
{
	__u32 a[6];

	/* The break may lie above 4 GiB in a 64-bit program that calls as a 32-bit one. */
	if (r->kind != KIND_BRK && !FAILED((__s32)r->ret))
		r->ret = (__u32)r->ret;
	switch (nr) {
	case 90: /* old_mmap */
		if (bpf_probe_read_user(a, sizeof(a), (void *)r->args[0]))
			return true;
		r->args[0] = a[0];
		r->args[1] = a[1];
		r->args[2] = a[2];
		r->args[3] = a[3];
		r->args[4] = a[4];
		r->args[5] = a[5];
		break;
	case 192: /* mmap2 */
		r->args[5] <<= 12;
		break;
	case 117:
		return unfold_ipc(r);
	}
	return true;
}

/* Adds what the arguments alone do not tell of a mapping that was made. */
static __always_inline void describe(struct record *r)
{
	__u64 addr = r->ret;

	if (r->kind == KIND_IO_SETUP) {
		__u32 narrow = 0;
		if (r->marks & MARK_COMPAT) {
			bpf_probe_read_user(&narrow, sizeof(narrow), (void *)r->args[1]);
			addr = narrow;
		} else if (bpf_probe_read_user(&addr, sizeof(addr), (void *)r->args[1])) {
			addr = 0;
		}
		r->args[5] = addr;
	}
	r->aux = vma_at(addr, r->kind == KIND_MMAP);
	if (r->kind == KIND_MMAP && r->aux)
		r->marks |= MARK_HUGE;
}

static __always_inline bool needs_description(struct record *r)
{
	if (FAILED(r->ret))
		return false;
	switch (r->kind) {
	case KIND_MMAP:
		return (r->args[3] & MAP_HUGETLB) || !(r->args[3] & MAP_ANONYMOUS);
	case KIND_SHMAT:
	case KIND_IO_SETUP:
		return true;
	}
	return false;
}

/* Calls with many uses of which only one matters. */
static __always_inline bool beside_the_point(struct record *r)
{
	if (r->kind == KIND_SHMGET)
		return FAILED(r->ret);
	if (r->kind == KIND_NAME_VMA)
		return r->args[0] != PR_SET_VMA;
	if (r->kind == KIND_MAP_VDSO)
		return r->args[0] < ARCH_MAP_VDSO_X32 || r->args[0] > ARCH_MAP_VDSO_64;
	return false;
}

/* ---- munmaps that need no stack ---- */

/*
 * A munmap that gives back exactly what one mmap mapped leaves nothing to be
 * explained, so nobody asks for its stack. That it does is known as long as no
 * call since then could have cut a mapping or laid one over another.
 */
#define MAPPING_BITS 16

struct mapping {
	__u64 start;
	__u64 length;
	__u32 space;
	__u32 disturbed; /* of the space, when it was mapped */
	__u64 sum; /* of all that: two CPUs may write one at the same time */
};

/* By address. One takes the place of another; that costs a stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << MAPPING_BITS);
	__type(key, __u32);
	__type(value, struct mapping);
} mappings SEC(".maps");

static __always_inline struct mapping *mapping_at(__u64 start, struct space *space)
{
	__u32 at = mix(start, space->id) >> (64 - MAPPING_BITS);
	return bpf_map_lookup_elem(&mappings, &at);
}

static __always_inline __u64 mapping_sum(struct mapping *m)
{
	return mix(mix(m->start, m->length), ((__u64)m->space << 32) | m->disturbed);
}

#define MAP_FIXED 0x10

/* Notes what r mapped; returns false for calls that may disturb other mappings. */
static __always_inline bool note_mapping(struct record *r, struct space *space)
{
	struct mapping *m;

	if (r->kind != KIND_MMAP || (r->args[3] & MAP_FIXED) || (r->marks & MARK_HUGE))
		return false;
	m = mapping_at(r->ret, space);
	if (m) {
		m->start = r->ret;
		m->length = r->args[1];
		m->space = space->id;
		m->disturbed = space->disturbed;
		m->sum = mapping_sum(m);
	}
	return true;
}

/* Whether r gave back exactly one mapping. */
static __always_inline bool gave_back_one(struct record *r, struct space *space)
{
	struct mapping *m = mapping_at(r->args[0], space);

	return m && m->start == r->args[0] && m->length == r->args[1] && m->space == space->id &&
	       m->disturbed == space->disturbed && m->sum == mapping_sum(m);
}

/* Whether the stack of r's call tells something. */
static __always_inline bool wants_stack(struct record *r, struct space *space)
{
	if (r->marks & MARK_COMPAT)
		return false;
	switch (r->kind) {
	case KIND_MADVISE:
	case KIND_MPROTECT:
	case KIND_NAME_VMA:
		return false;
	case KIND_DUP:
	case KIND_OTHER:
		return false;
	case KIND_OPEN:
		return (r->marks & MARK_FILE) && !(timed && saving >= THRIFT_UNMAPS);
	case KIND_SHMGET:
		return true;
	}
	if (FAILED(r->ret))
		return true;
	if (r->kind == KIND_MUNMAP && gave_back_one(r, space))
		return false;
	if (r->kind == KIND_BRK)
		return r->args[0] != r->brk;
	if (!note_mapping(r, space))
		__sync_fetch_and_add(&space->disturbed, 1);
	if (timed && saving >= THRIFT_UNMAPS && r->kind == KIND_MUNMAP) {
		count(COUNT_UNSTACKED);
		return false;
	}
	return true;
}

/* ---- the order of calls ---- */

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

/* ---- birth and death ---- */

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
