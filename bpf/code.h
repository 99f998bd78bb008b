/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which files code is mapped from. A process may be gone before user space has read
 * its map, and with the map goes all that tells what its stacks lead through. So
 * each mapping of code tells its file by itself: by device, inode, size and time of
 * the last change, so that no other file is taken for it, and by its name, by which
 * a file is found that nobody has open.
 */
#ifndef MMTRACE_CODE_H
#define MMTRACE_CODE_H

#define NAME_DEPTH 40 /* of directories */
#define MAX_WALK 256 /* mappings that are looked at */

/* One that is being made. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct code_record);
} new_code SEC(".maps");

/* Kernel memory is read by this and by typed pointers alone: a machine that is locked down has no other way. */
static const char one_string[] = "%s";

static __always_inline void tell_times(struct code_record *c, struct inode *inode)
{
	struct inode___split *split = (void *)inode;
	struct inode___hidden *hidden = (void *)inode;
	struct inode___timespec *plain = (void *)inode;

	if (bpf_core_field_exists(split->i_mtime_sec)) {
		c->modified = split->i_mtime_sec;
		c->modified_ns = split->i_mtime_nsec;
	} else if (bpf_core_field_exists(hidden->__i_mtime)) {
		c->modified = hidden->__i_mtime.tv_sec;
		c->modified_ns = hidden->__i_mtime.tv_nsec;
	} else {
		c->modified = plain->i_mtime.tv_sec;
		c->modified_ns = plain->i_mtime.tv_nsec;
	}
}

/* Fills in new_code. Whoever renames directories meanwhile makes a name that leads nowhere, or to another inode. */
static long tell_code(struct task_struct *task, struct vm_area_struct *vma, __u32 *found)
{
	__u32 zero = 0, n = 0;
	struct code_record *c = bpf_map_lookup_elem(&new_code, &zero);
	struct file *file = vma->vm_file;

	if (!c || !file)
		return 0;
	struct dentry *d = file->f_path.dentry;
	struct inode *inode = d->d_inode;
	c->start = vma->vm_start;
	c->end = vma->vm_end;
	c->page = vma->vm_pgoff;
	c->inode = inode->i_ino;
	c->size = inode->i_size;
	c->dev = inode->i_sb->s_dev;
	tell_times(c, inode);
	c->length = 0;
	for (int i = 0; i < NAME_DEPTH; i++) {
		struct dentry *up = d->d_parent;
		if (up == d) {
			c->length = n;
			break;
		}
		__u64 name = (__u64)d->d_name.name;
		long k = bpf_snprintf(c->names + (n & (CODE_NAME_BYTES - 1)), NAME_BYTES, one_string, &name, sizeof(name));
		if (k <= 1 || k > NAME_BYTES)
			break;
		n += k;
		if (n >= CODE_NAME_BYTES)
			break;
		d = up;
	}
	*found = 1;
	return 0;
}

/*
 * The same where bpf_find_vma is not there yet, by the list of mappings. Nobody holds
 * it still: one that another thread has just freed may be another process's now.
 */
__noinline int walk_to_code(__u64 addr)
{
	__u32 found = 0;
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = task->mm;

	if (CAN_FIND_VMA || !bpf_core_field_exists(mm->mmap))
		return 0;
	struct vm_area_struct *vma = mm->mmap;
	for (int i = 0; i < MAX_WALK; i++) {
		if (vma->vm_start <= addr && addr < vma->vm_end && vma->vm_mm == mm) {
			tell_code(task, vma, &found);
			break;
		}
		vma = vma->vm_next; /* at the end 0, where all is read as 0 */
	}
	return found;
}

/* Fills in new_code with what is mapped at addr; -1 if the kernel could not look. */
__noinline int look_for_code(__u64 addr)
{
	__u32 found = 0;

	if (!CAN_FIND_VMA || bpf_find_vma(bpf_get_current_task_btf(), addr, tell_code, &found, 0))
		return -1;
	return found;
}

/* Tells which file the code at addr of the current process is mapped from. */
__noinline int send_code(__u64 addr, __u32 id, __u64 lost)
{
	__u32 zero = 0;
	int found = -1;
	struct code_record *c = bpf_map_lookup_elem(&new_code, &zero);

	if (!c)
		return 0;
	if (!CAN_FIND_VMA)
		found = walk_to_code(addr);
	for (int i = 0; i < FIND_TRIES && found < 0; i++)
		found = look_for_code(addr);
	if (found <= 0)
		return 0;
	c->kind = KIND_CODE;
	c->space = id;
	c->lost = lost;
	c->pad = 0;
	__u32 n = c->length;
	if (n > CODE_NAME_BYTES + NAME_BYTES)
		n = CODE_NAME_BYTES + NAME_BYTES;
	if (bpf_ringbuf_output(&events, c, sizeof(*c) - sizeof(c->names) + n, wakeup()))
		return -1;
	return 0;
}

static __always_inline void record_code(__u64 addr, struct space *space)
{
	if (send_code(addr, space->id, space->lost)) {
		count(COUNT_LOST);
		__sync_fetch_and_add(&space->lost, 1);
	}
}

#endif
