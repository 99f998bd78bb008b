/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which mapping holds an address of code, and which rule holds there.
 */
#ifndef MMTRACE_FIND_H
#define MMTRACE_FIND_H

/* Makes r the current mapping; the one before may be met again soon. */
static __always_inline void change_code(struct walk *w, __u64 start, __u64 end, __u64 bias, __u32 module)
{
	w->before_start = w->start;
	w->before_end = w->end;
	w->before_bias = w->bias;
	w->before_module = w->module;
	w->start = start;
	w->end = end;
	w->bias = bias;
	w->module = module;
}

/* Finds the mapping that holds pc, for the walk in scratch. Returns enum stop. */
__noinline int search_code(__u32 key, __u64 pc)
{
	__u32 low = 0, n;

	struct walk *w = bpf_map_lookup_elem(&scratch, &key);
	if (!w)
		return STOP_FAULT;
	__u32 space = w->space;
	void *blocks = bpf_map_lookup_elem(&code, &space);
	if (!blocks)
		return STOP_NO_SPACE;
	struct code_head *head = bpf_map_lookup_elem(blocks, &key);
	if (!head)
		return STOP_NO_SPACE;
	__u32 count = head->count;
	n = (count + BLOCK_RANGES - 1) / BLOCK_RANGES;
	for (int i = 0; i < 7 && n > 1; i++) {
		__u32 half = n / 2;
		if (head->first[(low + half) & (MAX_BLOCKS - 1)] <= pc) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	key = low + 1;
	struct code_block *block = bpf_map_lookup_elem(blocks, &key);
	if (!block)
		return STOP_NO_MAP;
	n = count - low * BLOCK_RANGES;
	if (n > BLOCK_RANGES)
		n = BLOCK_RANGES;
	low = 0;
	for (int i = 0; i < 7 && n > 1; i++) {
		__u32 half = n / 2;
		if (block->ranges[(low + half) & (BLOCK_RANGES - 1)].start <= pc) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	struct code_range *r = &block->ranges[low & (BLOCK_RANGES - 1)];
	if (pc < r->start || pc >= r->end)
		return STOP_NO_MAP;
	change_code(w, r->start, r->end, r->bias, r->module);
	return STOP_NONE;
}

/* The same, unless it is one of the last two again. */
static __always_inline enum stop find_code(struct walk *w, __u64 pc)
{
	if (pc >= w->start && pc < w->end)
		return STOP_NONE;
	if (pc >= w->before_start && pc < w->before_end) {
		change_code(w, w->before_start, w->before_end, w->before_bias, w->before_module);
		return STOP_NONE;
	}
	return search_code(0, pc);
}

/* Index of the rule for addr, an address of the file; -1: the table is not there. */
static __always_inline int find_rule(__u32 module, __u64 addr)
{
	__u32 zero = 0;
	void *chunks = bpf_map_lookup_elem(&modules, &module);
	if (!chunks)
		return -1;
	__u32 *words = bpf_map_lookup_elem(chunks, &zero);
	if (!words)
		return -1;
	__u64 page = (addr >> 16) - words[0];
	if (page >= words[1] || page >= CHUNK_WORDS / 2 - 1)
		return 0;
	__u32 place = words[2 + 2 * page], n = words[3 + 2 * page];
	__u32 chunk = place >> 16, low = place & 0xffff;
	if (chunk) {
		words = bpf_map_lookup_elem(chunks, &chunk);
		if (!words)
			return -1;
	}
	__u16 x = addr;
	for (int i = 0; i < 15 && n > 1; i++) { /* the first row is for 0 */
		__u32 half = n / 2;
		if ((__u16)words[(low + half) & (CHUNK_WORDS - 1)] <= x) {
			low += half;
			n -= half;
		} else {
			n = half;
		}
	}
	return words[low & (CHUNK_WORDS - 1)] >> 16;
}

/* The same, from what is known already if it can be. */
static __always_inline int recall_rule(struct walk *w, __u64 addr)
{
	__u64 h = addr * 0x9e3779b97f4a7c15ULL;
	struct known *k = &w->known[(h >> (64 - KNOWN_BITS)) & ((1 << KNOWN_BITS) - 1)];
	__u32 module = w->module;

	if (k->addr == addr && k->module == module)
		return k->rule;
	int rule = find_rule(module, addr);
	if (rule >= 0) {
		k->addr = addr;
		k->module = module;
		k->rule = rule;
	}
	return rule;
}

#endif
