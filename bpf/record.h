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
	__u64 aux; /* length or huge page size in bytes */
	__u64 stack; /* hash; 0: none */
	__u64 lost; /* records of this space lost so far */
	__u32 space;
	__u32 parent; /* KIND_FORK: the space that was copied */
	__u32 tgid;
	__u32 tid;
};

_Static_assert(sizeof(struct record) == 144, "record has no implicit padding");

#define MAX_FRAMES 127

enum stack_flag {
	/* frames[1] is what lay at the stack pointer (arm64: in the link register),
	 * behind a call instruction: the caller, if the leaf keeps no frame. */
	STACK_CANDIDATE = 1 << 0,
	/* The walk ended at MAX_FRAMES. */
	STACK_TRUNCATED = 1 << 1,
};

struct stack_record {
	__u32 kind; /* KIND_STACK */
	__u32 flags; /* enum stack_flag */
	__u64 stack; /* hash */
	__u32 space;
	__u32 count; /* of frames */
	__u64 frames[MAX_FRAMES]; /* leaf first; only count of them travel */
};

_Static_assert(sizeof(struct stack_record) == 24 + 8 * MAX_FRAMES, "stack_record has no implicit padding");

/* An address space under trace. */
struct space {
	__u64 seq; /* of the newest change; bumped under the write lock */
	__u64 lost; /* records that did not fit in the ring */
	__u32 id;
	__u32 generation; /* of mapped code: a stack's addresses mean the same within one */
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
	COUNTERS,
};

#endif
