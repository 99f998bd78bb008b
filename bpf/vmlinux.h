/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The few kernel types that the programs read, each with the few fields that
 * they read. Offsets are those of the running kernel: every struct here is
 * relocated at load (CO-RE), so order and size do not matter.
 */
#ifndef MMTRACE_VMLINUX_H
#define MMTRACE_VMLINUX_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0

/* bpf(2); stable numbers of the kernel's user interface. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_HASH_OF_MAPS = 13,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
};
enum {
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1 << 10,
	BPF_F_INNER_MAP = 1 << 12,
};
enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};
enum {
	BPF_RB_AVAIL_DATA = 0,
};

#define __core __attribute__((preserve_access_index))

typedef struct {
	int counter;
} atomic_t;

struct ns_common {
	unsigned int inum;
} __core;

struct pid_namespace {
	struct ns_common ns;
} __core;

struct upid {
	int nr;
	struct pid_namespace *ns;
} __core;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} __core;

struct super_block {
	__u32 s_dev;
	unsigned long s_blocksize;
	unsigned long s_magic;
} __core;

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
	__s64 i_size;
} __core;

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
} __core;

/* When an inode was last written to: before Linux 6.7, before 6.11, and since. */
struct inode___timespec {
	struct timespec64 i_mtime;
} __core;

struct inode___hidden {
	struct timespec64 __i_mtime;
} __core;

struct inode___split {
	__s64 i_mtime_sec;
	__u32 i_mtime_nsec;
} __core;

struct qstr {
	const unsigned char *name;
} __core;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} __core;

struct path {
	struct dentry *dentry;
} __core;

struct file {
	struct inode *f_inode;
	struct path f_path;
} __core;

struct fdtable {
	struct file **fd;
} __core;

struct files_struct {
	struct fdtable *fdt;
} __core;

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	struct file *vm_file;
	struct vm_area_struct *vm_next; /* before Linux 6.1 */
	struct mm_struct *vm_mm;
} __core;

struct mm_struct {
	unsigned long total_vm;
	unsigned long brk;
	unsigned long start_code;
	struct vm_area_struct *mmap; /* before Linux 6.1 */
} __core;

struct signal_struct {
	atomic_t live;
	int group_exit_code;
} __core;

struct task_struct {
	struct mm_struct *mm;
	int pid;
	int tgid;
	int exit_code;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct files_struct *files;
	char comm[16];
} __core;

struct linux_binprm;

/* x86-64 keeps the mode of the running system call here; arm64 has no such field. */
struct thread_info___x86 {
	__u32 status;
} __core;

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
} __core;

/* One object for both architectures: the flavour that exists is the one that is read. */
struct pt_regs___x86 {
	unsigned long bp, di, si, dx, r10, r8, r9, orig_ax, ip, sp;
} __core;

/* The registers that carry an int 0x80 call's arguments. */
struct pt_regs___x86ia32 {
	unsigned long bx, cx, dx, si, di, bp;
} __core;

struct pt_regs___arm64 {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 orig_x0;
	__s32 syscallno;
} __core;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} __core;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} __core;

#endif
