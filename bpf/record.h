/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What travels through the ring buffer, and what the maps hold that user space
 * reads or writes. Fixed-width fields, no implicit padding.
 */
#ifndef MMTRACE_RECORD_H
#define MMTRACE_RECORD_H

/* The values are those of event.Kind in pkg/event/kind.go. */
enum record_kind {
	KIND_NONE,
	KIND_MMAP,
	KIND_MUNMAP,
	KIND_MREMAP,
	KIND_BRK,
	KIND_SHMAT,
	KIND_SHMDT,
	KIND_REMAP_FILE_PAGES,
	KIND_IO_SETUP,
	KIND_IO_DESTROY,
	KIND_SHADOW_STACK,
	KIND_MPROTECT,
	KIND_MADVISE,
	KIND_NAME_VMA,
	KIND_MAP_VDSO,
	KIND_CLONE,
	KIND_OTHER,
	KIND_FORK,
	KIND_EXEC,
	KIND_EXIT,
	KIND_END,
	KIND_STACK,
	/* those between are for user space */
	KIND_SHMGET = 25,
	KIND_OPEN = 26,
	KIND_DUP = 27,
	KIND_STACK_COPY = 250,
	KIND_CODE = 251,
};

/* The values are those of event.Mark in pkg/event/event.go. */
enum record_mark {
	MARK_COMPAT = 1 << 0,
	MARK_DIED = 1 << 1,
	MARK_SECOND = 1 << 2,
	MARK_STALE = 1 << 3,
	MARK_UNORDERED = 1 << 4,
	MARK_NO_STACK = 1 << 5,
	MARK_HUGE = 1 << 6,
	/* 1 << 7 is for user space */
	MARK_FILE = 1 << 8,
	/* 1 << 9 is for user space */
	MARK_LIFT = 1 << 10,
	MARK_ASSUMED = 1 << 11,
	MARK_MORE = 1 << 12,
};

struct record {
	__u32 kind; /* enum record_kind; first in every record */
	__u32 marks; /* enum record_mark */
	__u64 seq; /* place in the order of the space's changes; 0: none */
	__u64 after; /* seq of the space at the return; KIND_FORK: the parent's seq when it was copied */
	__u64 time; /* CLOCK_MONOTONIC in ns */
	__u64 total_vm; /* pages, before the change */
	__u64 brk; /* before the change */
	__u64 args[6]; /* KIND_FORK, KIND_EXEC: comm */
	__s64 ret;
	__u64 aux; /* length, huge page size, or what is left out, in bytes */
	__u64 stack; /* hash; 0: none */
	__u64 lost; /* records of this space lost so far */
	__u32 space;
	__u32 parent; /* KIND_FORK: the space that was copied */
	__u32 tgid;
	__u32 tid;
};

_Static_assert(sizeof(struct record) == 144, "record has no implicit padding");

#define MAX_FRAMES 127

/* The values are those of pkg/event/stack.go. Bits 8 to 15 are enum stop, and 16
 * to 31 the number of frames that were guessed. */
enum stack_flag {
	/* The walk ended at MAX_FRAMES. */
	STACK_TRUNCATED = 1 << 0,
	/* A struct stack_copy of the same stack came before. */
	STACK_COPIED = 1 << 1,
};

#define STACK_STOP_SHIFT 8
#define STACK_GUESSED_SHIFT 16

struct stack_record {
	__u32 kind; /* KIND_STACK */
	__u32 flags; /* enum stack_flag */
	__u64 stack; /* hash */
	__u32 space;
	__u32 count; /* of frames */
	__u64 frames[MAX_FRAMES]; /* leaf first; only count of them travel */
};

_Static_assert(sizeof(struct stack_record) == 24 + 8 * MAX_FRAMES, "stack_record has no implicit padding");

#define SNAPSHOT_BYTES 16384

/* A copy of the stack from where a walk could not go on. */
struct stack_copy {
	__u32 kind; /* KIND_STACK_COPY */
	__u32 length; /* of data, in bytes; no more than that travels */
	__u64 stack; /* hash */
	__u64 pc, sp, fp, lr; /* of the frame that the walk could not leave */
	__u32 call; /* 1: pc is behind the instruction that is being executed */
	__u32 fresh; /* 1: the registers are those of the machine, not recovered */
	__u32 blind; /* 1: sp is only known to be no lower */
	__u32 pad; /* always zero */
	__u8 data[SNAPSHOT_BYTES + 4096]; /* from snapshot_base(sp) on */
};

_Static_assert(sizeof(struct stack_copy) == 64 + SNAPSHOT_BYTES + 4096, "stack_copy has no implicit padding");

#define CODE_NAME_BYTES 2048
#define NAME_BYTES 256 /* of one name, with the zero byte at its end */

/*
 * Code of a file that was mapped: what user space needs to find the file once the
 * process is gone. All that tells the file is of the name that it was opened by.
 */
struct code_record {
	__u32 kind; /* KIND_CODE */
	__u32 space;
	__u64 lost; /* records of this space lost so far */
	__u64 start, end; /* of the mapping */
	__u64 page; /* of the file, at start */
	__u64 inode;
	__u64 size; /* of the file, in bytes */
	__s64 modified; /* when it was last written to, in seconds since 1970 */
	__u32 modified_ns; /* and the rest */
	__u32 dev; /* as the kernel numbers it: major << 20 | minor */
	__u32 length; /* of names, in bytes; no more than that travels; 0: not told */
	__u32 pad; /* always zero */
	/* Names from the file's up to below the root of its file system, each with a zero byte. */
	char names[CODE_NAME_BYTES + NAME_BYTES];
};

_Static_assert(sizeof(struct code_record) == 80 + CODE_NAME_BYTES + NAME_BYTES, "code_record has no implicit padding");

/* An address space under trace. */
struct space {
	__u64 mm; /* address of its mm_struct; 0: this slot is free */
	__u64 seq; /* of the newest change; bumped under the write lock, or by calls */
	__u64 lost; /* records that did not fit in the ring */
	__u32 id;
	__u32 generation; /* of mapped files of code: a stack's addresses mean the same within one */
	__u32 code; /* whose ranges of code serve while it has none of its own: a parent's */
	__u32 code_changes; /* times that executable memory was mapped */
	__u32 disturbed; /* times that a call may have cut a mapping or covered it in part */
	__u32 held; /* 1: of a process that waits to become the command; its calls tell nothing */
};

/* A process under trace. */
struct process {
	__u32 space; /* id of its address space */
	__u32 flags; /* enum process_flag */
};

enum process_flag {
	PROCESS_FOLLOW = 1 << 0, /* children are traced, too */
	PROCESS_STOP = 1 << 1, /* it is stopped when it next calls execve */
};

/* What the attaching iterator found for a target. */
struct found {
	__u32 cookie; /* of the target, as user space gave it */
	__u32 tgid; /* in the initial namespace */
	__u32 space;
	__u32 created; /* 1: the space was not traced before */
};

/* What is left out to save the target time. */
enum thrift {
	THRIFT_NONE,
	THRIFT_UNMAPS, /* no stacks of munmap, nor of calls that open files */
	THRIFT_HOT, /* nor walks of paths that were walked often */
};

/* Indices of the counters. */
enum counter {
	COUNT_LOST, /* records that did not fit in the ring */
	COUNT_STACKS_LOST, /* stacks that did not fit; they are sent again */
	COUNT_INFLIGHT_FULL, /* calls for which there was no entry */
	COUNT_SPACES_FULL, /* address spaces for which there was no entry */
	COUNT_PROCESSES_FULL,
	COUNT_SECOND, /* calls that took the write lock twice */
	COUNT_EVENTS, /* records handed over */
	COUNT_STACKS, /* stacks handed over */
	COUNT_COPIES, /* of these, those that user space had to finish */
	COUNT_SPENT, /* ns in programs, of calls of traced spaces */
	COUNT_UNSTACKED, /* munmaps without a stack, to save time */
	COUNT_ASSUMED, /* stacks taken from the call before at the same place */
	COUNT_CHECKED, /* stacks walked though they could have been taken so */
	COUNT_DIFFERED, /* of these, others than would have been taken */
	COUNT_REPLAYS, /* stacks that a walk of before told and that were walked all the same */
	COUNT_REPLAYS_WRONG, /* of these, those that differed */
	COUNTERS,
};

#endif
