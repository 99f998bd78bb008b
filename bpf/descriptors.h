/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Calls that make a descriptor of a file that can be mapped, so that user space
 * can tell by which call path a mapped file was opened. They change no address
 * space. Descriptors are made in other ways, too (recvmsg, io_uring, execve of a
 * parent): of these nothing is told. So that none is taken for the file of an
 * open that was seen, every record names the file behind its descriptor.
 */
#ifndef MMTRACE_DESCRIPTORS_H
#define MMTRACE_DESCRIPTORS_H

#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
#define MINOR_BITS 20 /* include/linux/kdev_t.h */
#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFCHR 0020000
#define S_IFBLK 0060000

static __always_inline bool makes_descriptor(__u32 kind) { return kind == KIND_OPEN || kind == KIND_DUP; }

static __always_inline bool is_fcntl(struct call *c)
{
	if (!ON_X86)
		return c->nr == 25;
	return c->compat ? c->nr == 55 || c->nr == 221 : c->nr == 72;
}

static __always_inline __u32 second_argument(void *regs, bool compat)
{
	if (!ON_X86)
		return ((struct pt_regs___arm64 *)regs)->regs[1];
	return compat ? ((struct pt_regs___x86ia32 *)regs)->cx : ((struct pt_regs___x86 *)regs)->si;
}

/*
 * Whether c could have made a descriptor and did not. Asked before anything else
 * of a call: paths are searched by opens that fail, and fcntl does much else.
 *
 * Not inlined, like describe_file: Linux 6.1 would verify what follows for each way
 * through it, which took twice as many instructions in all.
 */
static __noinline bool makes_none(struct call *c, void *regs, long ret)
{
	if (!makes_descriptor(c->kind))
		return false;
	if (c->compat)
		ret = (__s32)ret;
	if (FAILED(ret))
		return true;
	if (c->kind != KIND_DUP || !is_fcntl(c))
		return false;
	__u32 command = second_argument(regs, c->compat);
	return command != F_DUPFD && command != F_DUPFD_CLOEXEC;
}

/*
 * Puts the file behind the descriptor that r's call returned in place of the
 * arguments: its device and inode number, and the descriptor that was duplicated,
 * all ones if there is none in this process. MARK_FILE: it may be one to map.
 */
static __noinline void describe_file(struct record *r, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 from = r->kind == KIND_DUP && nr != NR_PIDFD_GETFD ? (__u64)(__s32)r->args[0] : ~0ULL;
	struct file **fds = BPF_CORE_READ(task, files, fdt, fd), *file = 0;
	struct inode *inode = 0;

	__builtin_memset(r->args, 0, sizeof(r->args));
	r->args[2] = from;
	if (bpf_probe_read_kernel(&file, sizeof(file), fds + (__u32)r->ret) || !file)
		return;
	inode = BPF_CORE_READ(file, f_inode);
	__u32 dev = BPF_CORE_READ(inode, i_sb, s_dev), type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	r->args[0] = ((__u64)(dev >> MINOR_BITS) << 32) | (dev & ((1 << MINOR_BITS) - 1));
	r->args[1] = BPF_CORE_READ(inode, i_ino);
	if (type == S_IFREG || type == S_IFCHR || type == S_IFBLK)
		r->marks |= MARK_FILE;
}

#endif
