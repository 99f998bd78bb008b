/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is known of stacks from before: those that user space has got, and walks
 * that need not be done again.
 */
#ifndef MMTRACE_REPLAY_H
#define MMTRACE_REPLAY_H

/*
 * Stacks that user space has got: each hash in one of two places. One that loses
 * its place is sent again.
 */
#define SEEN_BITS 16

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << SEEN_BITS);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline __u64 *seen_at(__u64 hash)
{
	__u32 at = hash & ((1 << SEEN_BITS) - 1);
	return bpf_map_lookup_elem(&seen, &at);
}

static __always_inline bool was_seen(__u64 hash)
{
	__u64 *a = seen_at(hash), *b = seen_at(hash >> SEEN_BITS);
	return (a && *a == hash) || (b && *b == hash);
}

static __always_inline void note_seen(__u64 hash)
{
	__u64 *a = seen_at(hash), *b = seen_at(hash >> SEEN_BITS);
	if (a && !*a)
		*a = hash;
	else if (b)
		*b = hash;
}

/* Walks of before on this CPU, by where they began. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1 << REPLAY_BITS);
	__type(key, __u32);
	__type(value, struct replay);
} replays SEC(".maps");

/* Where a walk is kept that begins as the one in scratch does. */
static __always_inline struct replay *replay_at(struct walk *w)
{
	__u32 at = mix(w->at_sp[0], w->at_sp[1]) >> (64 - REPLAY_BITS);
	return bpf_map_lookup_elem(&replays, &at);
}

/* Whether the words of one part of a walk are what they were. */
__noinline int replay_part(__u32 n)
{
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w)
		return 0;
	struct replay *r = replay_at(w);
	if (!r)
		return 0;
	struct replay_part *p = &r->part[n & (REPLAY_PARTS - 1)];
	__u32 bytes = p->bytes, end = p->end, begin = 0;
	if (n)
		begin = r->part[(n - 1) & (REPLAY_PARTS - 1)].end;
	if (!bytes)
		return 1;
	if (bytes > WINDOW_BYTES || bpf_probe_read_user(w->window, bytes, (void *)p->base))
		return 0;
	for (__u32 i = 0; i < REPLAY_WORDS; i++) {
		__u32 k = begin + i;
		if (k >= end || k >= REPLAY_WORDS)
			break;
		asm volatile("" : "+r"(k)); /* else clang walks pointers whose bounds nobody knows */
		k &= REPLAY_WORDS - 1;
		if (w->window[r->at[k] & (WINDOW_BYTES / 8 - 1)] != r->value[k])
			return 0;
	}
	return 1;
}

/* The hash of the stack if a walk of before tells it, else 0. */
__noinline __u64 replay(__u32 zero)
{
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w || !w->version)
		return 0;
	struct replay *r = replay_at(w);
	if (!r || r->version != w->version || r->hash_from != w->hash_from)
		return 0;
	if (r->at_sp[0] != w->at_sp[0] || r->at_sp[1] != w->at_sp[1] ||
	    (r->fp_used && r->at_sp[2] != w->at_sp[2]) || r->at_sp[3] != w->at_sp[3])
		return 0;
	__u32 parts = r->parts;
	for (__u32 i = 0; i < REPLAY_PARTS; i++) {
		if (i >= parts)
			break;
		if (!replay_part(i))
			return 0;
	}
	return r->hash;
}

/* Keeps the walk in scratch if it can be replayed. */
__noinline int note_walk(__u32 zero)
{
	struct walk *w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w || !w->version || !w->words || w->words > REPLAY_WORDS)
		return 0;
	if (w->stop == STOP_FAULT || w->stop == STOP_NO_MAP || w->stop == STOP_NO_SPACE)
		return 0; /* may end elsewhere the next time */
	struct replay *r = replay_at(w);
	if (!r)
		return 0;
	for (__u32 i = 0; i < REPLAY_WORDS; i++) {
		if (i >= w->words)
			break;
		r->at[i] = w->read_at[i];
		r->value[i] = w->read_value[i];
	}
	r->at_sp[0] = w->at_sp[0];
	r->at_sp[1] = w->at_sp[1];
	r->at_sp[2] = w->at_sp[2];
	r->at_sp[3] = w->at_sp[3];
	r->hash_from = w->hash_from;
	r->hash = w->record.stack;
	r->version = w->version;
	r->parts = w->windows;
	r->fp_used = w->fp_used;
	__builtin_memcpy(r->part, w->part, sizeof(r->part));
	return 0;
}

#endif
