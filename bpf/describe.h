/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a call did, in one form for all of its kinds.
 */
#ifndef MMTRACE_DESCRIBE_H
#define MMTRACE_DESCRIBE_H

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

#endif
