/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which system calls change an address space, by number and architecture, and
 * where their arguments lie. Numbers: arch/x86/entry/syscalls/syscall_{64,32}.tbl
 * and include/uapi/asm-generic/unistd.h.
 */
#ifndef MMTRACE_SYSCALLS_H
#define MMTRACE_SYSCALLS_H

#define X32_BIT 0x40000000
#define TS_COMPAT 0x0002 /* arch/x86/include/asm/thread_info.h */
#define PR_SET_VMA 0x53564d41
#define ARCH_MAP_VDSO_X32 0x2001
#define ARCH_MAP_VDSO_64 0x2003
#define IPC_SHMAT 21
#define IPC_SHMDT 22

#define ON_X86 bpf_core_field_exists(((struct pt_regs___x86 *)0)->orig_ax)

/* A system call as the program sees it. */
struct call {
	long nr;
	__u32 kind; /* enum record_kind, or KIND_NONE */
	bool compat;
};

static __always_inline __u32 kind_x86_64(long nr)
{
	switch (nr) {
	case 9: return KIND_MMAP;
	case 10: return KIND_MPROTECT;
	case 11: return KIND_MUNMAP;
	case 12: return KIND_BRK;
	case 25: return KIND_MREMAP;
	case 28: return KIND_MADVISE;
	case 30: return KIND_SHMAT;
	case 67: return KIND_SHMDT;
	case 157: return KIND_NAME_VMA; /* prctl */
	case 158: return KIND_MAP_VDSO; /* arch_prctl */
	case 206: return KIND_IO_SETUP;
	case 207: return KIND_IO_DESTROY;
	case 216: return KIND_REMAP_FILE_PAGES;
	case 329: return KIND_MPROTECT; /* pkey_mprotect */
	case 453: return KIND_SHADOW_STACK;
	case 543: return KIND_IO_SETUP; /* x32 */
	}
	return KIND_NONE;
}

static __always_inline __u32 kind_ia32(long nr)
{
	switch (nr) {
	case 45: return KIND_BRK;
	case 90: return KIND_MMAP; /* old_mmap: one pointer to six words */
	case 91: return KIND_MUNMAP;
	case 117: return KIND_SHMAT; /* ipc */
	case 125: return KIND_MPROTECT;
	case 163: return KIND_MREMAP;
	case 172: return KIND_NAME_VMA;
	case 192: return KIND_MMAP; /* mmap2: offset in pages */
	case 219: return KIND_MADVISE;
	case 245: return KIND_IO_SETUP;
	case 246: return KIND_IO_DESTROY;
	case 257: return KIND_REMAP_FILE_PAGES;
	case 380: return KIND_MPROTECT;
	case 384: return KIND_MAP_VDSO;
	case 397: return KIND_SHMAT;
	case 398: return KIND_SHMDT;
	case 453: return KIND_SHADOW_STACK;
	}
	return KIND_NONE;
}

static __always_inline __u32 kind_generic(long nr)
{
	switch (nr) {
	case 0: return KIND_IO_SETUP;
	case 1: return KIND_IO_DESTROY;
	case 167: return KIND_NAME_VMA; /* prctl */
	case 196: return KIND_SHMAT;
	case 197: return KIND_SHMDT;
	case 214: return KIND_BRK;
	case 215: return KIND_MUNMAP;
	case 216: return KIND_MREMAP;
	case 222: return KIND_MMAP;
	case 226: return KIND_MPROTECT;
	case 233: return KIND_MADVISE;
	case 234: return KIND_REMAP_FILE_PAGES;
	case 288: return KIND_MPROTECT; /* pkey_mprotect */
	case 453: return KIND_SHADOW_STACK;
	}
	return KIND_NONE;
}

/* Whether nr copies the address space for a child. Compat numbers are those of ia32. */
static __always_inline bool is_clone(long nr, bool compat)
{
	if (!ON_X86)
		return nr == 220 || nr == 435;
	if (compat)
		return nr == 2 || nr == 120 || nr == 190 || nr == 435;
	return (nr >= 56 && nr <= 58) || nr == 435;
}

/*
 * call_of tells which call c is, from the number alone where that is enough:
 * this runs first at every system call of the machine.
 */
static __always_inline bool call_of(struct call *c, long nr, struct task_struct *task)
{
	c->compat = false;
	c->nr = nr;
	if (!ON_X86) {
		c->kind = kind_generic(nr);
		return c->kind != KIND_NONE;
	}
	if (nr >= 0)
		nr &= ~X32_BIT;
	c->kind = kind_x86_64(nr);
	__u32 ia32 = kind_ia32(nr);
	if (c->kind == KIND_NONE && ia32 == KIND_NONE)
		return false;
	if (((struct task_struct___x86 *)task)->thread_info.status & TS_COMPAT) {
		c->compat = true;
		c->kind = ia32;
	}
	return c->kind != KIND_NONE;
}

static __always_inline long call_number(void *regs)
{
	if (ON_X86)
		return ((struct pt_regs___x86 *)regs)->orig_ax;
	return ((struct pt_regs___arm64 *)regs)->syscallno;
}

/* Copies the six arguments of a native call, or of an ia32 one with compat. */
static __always_inline void arguments(__u64 *args, void *regs, bool compat)
{
	if (!ON_X86) {
		struct pt_regs___arm64 *r = regs;
		args[0] = r->orig_x0;
		args[1] = r->regs[1];
		args[2] = r->regs[2];
		args[3] = r->regs[3];
		args[4] = r->regs[4];
		args[5] = r->regs[5];
		return;
	}
	struct pt_regs___x86 *r = regs;
	if (!compat) {
		args[0] = r->di;
		args[1] = r->si;
		args[2] = r->dx;
		args[3] = r->r10;
		args[4] = r->r8;
		args[5] = r->r9;
		return;
	}
	struct pt_regs___x86ia32 *c = regs;
	args[0] = (__u32)c->bx;
	args[1] = (__u32)c->cx;
	args[2] = (__u32)c->dx;
	args[3] = (__u32)c->si;
	args[4] = (__u32)c->di;
	args[5] = (__u32)c->bp;
}

#endif
