/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The form of the unwind tables, of the rules that they refer to and of the lists
 * of code, and the maps that hold them. What user space makes of .eh_frame:
 * internal/unwind.
 */
#ifndef MMTRACE_TABLES_H
#define MMTRACE_TABLES_H

#define CHUNK_WORDS 16384 /* of a table's chunk, 4 bytes each */
#define MAX_MODULES 1024
#define MAX_RULES 16384
#define WINDOW_BYTES 2048 /* of the stack, read at once */
#define LOWEST_CODE 4096
#define MAX_FRAME_BYTES (8 << 20) /* no honest frame is larger */
#define SNAPSHOT_BELOW 16

/* What a word on the stack keeps of a code address: arm64 signs return addresses. */
const volatile __u64 code_mask = ~0ULL;

/* The values are those of unwind.Kind in internal/unwind/info.go. */
enum rule_kind {
	RULE_GAP, /* nothing is known */
	RULE_REG, /* CFA = base + off */
	RULE_PLT, /* CFA = sp + 8, + 8 from byte off of each 16 on */
	RULE_DEREF, /* CFA = *(base + off) + off2 */
	RULE_SIGNAL, /* a signal handler's frame */
	RULE_ROOT,
	RULE_FRAME_POINTER,
	RULE_UNSUPPORTED,
	RULE_SWITCH, /* Go on arm64, on the scheduler's stack */
};

enum rule_fp {
	FP_SAME,
	FP_AT_CFA, /* *(CFA + fp_off) */
	FP_AT_FP, /* *(fp + fp_off) */
	FP_LOST,
};

/* How to get from a frame to its caller. unwind.Info has the same layout. */
struct rule {
	__u8 kind; /* enum rule_kind */
	__u8 base; /* 0: sp, 1: fp */
	__u8 fp; /* enum rule_fp */
	__u8 link; /* 1: the return address is in the link register */
	__s32 off;
	__s32 off2; /* else: it is at CFA + off2; RULE_DEREF: at CFA - 8 */
	__s32 fp_off;
};

_Static_assert(sizeof(struct rule) == 16, "rule has no implicit padding");

/* Why a walk ended. The values are those of unwind.Stop in internal/unwind/walk.go. */
enum stop {
	STOP_NONE,
	STOP_ROOT,
	STOP_ZERO, /* the caller's address is none of code */
	STOP_NO_MAP, /* it is in no executable mapping that is known */
	STOP_GAP, /* no rule, and nothing that could be a frame pointer */
	STOP_UNSUPPORTED,
	STOP_FAULT, /* memory could not be read */
	STOP_MAX, /* at MAX_FRAMES */
	STOP_FP_END, /* the chain of frame pointers ended */
	STOP_NO_SPACE, /* nothing is known of the address space */
};

/* An executable mapping. */
struct code_range {
	__u64 start;
	__u64 end;
	__u64 bias; /* of addresses against those of the file */
	__u32 module; /* index in modules, or NO_MODULE */
	__u32 pad; /* always zero */
};

_Static_assert(sizeof(struct code_range) == 32, "code_range has no implicit padding");

/* The executable mappings of a space lie in blocks, in the order of addresses. */
#define BLOCK_RANGES 64
#define MAX_BLOCKS 64

struct code_block {
	struct code_range ranges[BLOCK_RANGES];
};

/* What comes first: where the blocks begin. */
struct code_head {
	__u64 changes; /* the space's code_changes that the blocks take in */
	__u32 count; /* of ranges */
	__u32 version; /* unique among all lists; 0: nothing may be kept of them */
	__u64 first[MAX_BLOCKS]; /* start of the first range of each block */
};

_Static_assert(sizeof(struct code_head) <= sizeof(struct code_block), "a head fits in the place of a block");

#define NO_MODULE 0xffffffff /* generated code: frame pointers */

/* Tables of files: the chunks of an unwind.Table. */
struct chunks {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, CHUNK_WORDS * 4);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_MODULES);
	__type(key, __u32);
	__array(values, struct chunks);
} modules SEC(".maps");

/*
 * Executable mappings of address spaces, by struct space's id or code: an array
 * of a struct code_head and struct code_blocks. It is replaced as a whole.
 */
struct code_ranges {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct code_block));
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__array(values, struct code_ranges);
} code SEC(".maps");

/* The rules that rows of tables refer to. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_RULES);
	__type(key, __u32);
	__type(value, struct rule);
} infos SEC(".maps");

#endif
