/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who is traced, and what is under way. Each has a hash table, which holds all
 * there is, and before it an array in which nearly everything is found: looking
 * up a hash key costs ten times as much, and there are eight of them in a pair
 * of mmap and munmap.
 */
#ifndef MMTRACE_LOOKUP_H
#define MMTRACE_LOOKUP_H

#define MAX_SPACES 16384
#define RECENT_SPACES 256
#define SLOT_TRIES 64
#define INFLIGHT_SLOTS 65536

/* Traced address spaces, each in a slot while mm is not 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SPACES);
	__type(key, __u32);
	__type(value, struct space);
} spaces SEC(".maps");

/* Their slots by mm_struct. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_SPACES);
	__type(key, __u64);
	__type(value, __u32);
} space_slots SEC(".maps");

/* Slots that were looked up before, by process. The slot itself says whose it is. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, RECENT_SPACES);
	__type(key, __u32);
	__type(value, __u32);
} recent_spaces SEC(".maps");

__u32 last_space = 0;
__u32 last_slot = 0;

/* The traced address space mm, NULL if it is not traced. */
static __always_inline struct space *look_up_space(__u64 mm)
{
	__u32 *found = bpf_map_lookup_elem(&space_slots, &mm);
	if (!found)
		return 0;
	__u32 slot = *found;
	struct space *space = bpf_map_lookup_elem(&spaces, &slot);
	return space && space->mm == mm ? space : 0;
}

/* The same for that of the current process. */
static __always_inline struct space *find_space(__u64 mm, __u32 tgid)
{
	__u32 at = tgid & (RECENT_SPACES - 1);
	__u32 *recent = bpf_map_lookup_elem(&recent_spaces, &at);

	if (!recent)
		return 0;
	__u32 slot = *recent;
	struct space *space = bpf_map_lookup_elem(&spaces, &slot);
	if (space && space->mm == mm)
		return space;
	__u32 *found = bpf_map_lookup_elem(&space_slots, &mm);
	if (!found)
		return 0;
	slot = *found;
	space = bpf_map_lookup_elem(&spaces, &slot);
	if (!space || space->mm != mm)
		return 0;
	*recent = slot;
	return space;
}

/* A free slot, taken for mm; MAX_SPACES if none was found. */
static __always_inline __u32 take_slot(__u64 mm)
{
	for (int i = 0; i < SLOT_TRIES; i++) {
		__u32 slot = __sync_fetch_and_add(&last_slot, 1) & (MAX_SPACES - 1);
		struct space *space = bpf_map_lookup_elem(&spaces, &slot);
		if (space && !space->mm && __sync_val_compare_and_swap(&space->mm, 0, mm) == 0)
			return slot;
	}
	return MAX_SPACES;
}

/* Begins to trace mm, a copy of parent's if there is one; NULL if there is no room. */
static __always_inline struct space *add_space(__u64 mm, struct space *parent)
{
	/* Where its end was not seen, an address may still have the slot of another. */
	__u32 *old = bpf_map_lookup_elem(&space_slots, &mm);
	__u32 slot = old ? *old : take_slot(mm);
	struct space *space = bpf_map_lookup_elem(&spaces, &slot);

	if (!space) {
		count(COUNT_SPACES_FULL);
		return 0;
	}
	space->seq = space->lost = 0;
	space->generation = space->disturbed = space->held = 0;
	space->id = __sync_fetch_and_add(&last_space, 1) + 1;
	space->code = parent ? parent->id : space->id;
	space->code_changes = parent ? parent->code_changes : 0;
	if (!old && bpf_map_update_elem(&space_slots, &mm, &slot, BPF_ANY)) {
		space->mm = 0;
		count(COUNT_SPACES_FULL);
		return 0;
	}
	return space;
}

static __always_inline void remove_space(struct space *space)
{
	__u64 mm = space->mm;

	bpf_map_delete_elem(&space_slots, &mm);
	space->mm = 0;
}

/* What was noted of a call that has not returned yet. */
struct inflight {
	__u64 mm;
	/* Its place in the order; 0: none yet. Where calls are numbered by themselves it
	 * is less for a moment, never more. */
	__u64 seq;
	__u64 total_vm;
	__u64 brk;
	__u64 copied; /* seq at which a fork copied the space */
	__u64 began; /* CLOCK_MONOTONIC in ns; only if calls are numbered by themselves */
	__u32 kind;
	__u32 space;
	__u32 tid; /* whose it is, 0: nobody's; only in slots */
	__u32 pad;
};

/* By the low bits of the thread's ID. User space looks through them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, INFLIGHT_SLOTS);
	__type(key, __u32);
	__type(value, struct inflight);
} inflight_slots SEC(".maps");

/* By thread, for those whose slot another thread has. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct inflight);
} inflights SEC(".maps");

__u32 inflights_used = 0; /* entries of inflights */

/* What is noted of a thread, NULL if nothing is. */
static __always_inline struct inflight *find_inflight(__u32 tid)
{
	__u32 slot = tid & (INFLIGHT_SLOTS - 1);
	struct inflight *f = bpf_map_lookup_elem(&inflight_slots, &slot);

	if (f && f->tid == tid)
		return f;
	return inflights_used ? bpf_map_lookup_elem(&inflights, &tid) : 0;
}

/* Notes n, which has a zero tid, for a thread of which nothing is; false: no room. */
static __always_inline bool add_inflight(__u32 tid, struct inflight *n)
{
	__u32 slot = tid & (INFLIGHT_SLOTS - 1);
	struct inflight *f = bpf_map_lookup_elem(&inflight_slots, &slot);

	if (f && !f->tid && __sync_val_compare_and_swap(&f->tid, 0, tid) == 0) {
		n->tid = tid;
		*f = *n;
		return true;
	}
	if (bpf_map_update_elem(&inflights, &tid, n, BPF_ANY))
		return false;
	__sync_fetch_and_add(&inflights_used, 1);
	return true;
}

/* Forgets what is noted of the calling thread. */
static __always_inline void drop_inflight(__u32 tid, struct inflight *f)
{
	f->seq = f->copied = 0;
	if (f->tid == tid)
		f->tid = 0;
	else if (!bpf_map_delete_elem(&inflights, &tid))
		__sync_fetch_and_sub(&inflights_used, 1);
}

#endif
