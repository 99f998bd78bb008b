/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls of which nobody asks who made them.
 */
#ifndef MMTRACE_UNSTACKED_H
#define MMTRACE_UNSTACKED_H

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

#endif
