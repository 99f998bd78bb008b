/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which system calls change an address space or make descriptors of files, by
 * number and architecture, and where their arguments lie. Numbers: arch/x86/entry/syscalls/syscall_{64,32}.tbl
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
#define IPC_SHMGET 23
#define NR_PIDFD_GETFD 438 /* the same everywhere */
#define NR_PROCESS_MADVISE 440

#define ON_X86 bpf_core_field_exists(((struct pt_regs___x86 *)0)->orig_ax)

/* A system call as the program sees it. */
struct call {
	long nr;
	__u32 kind; /* enum record_kind, or KIND_NONE */
	bool compat;
};

/*
 * Tables, not switches: this runs first at every system call of the machine, and
 * the verifier would follow the rest of the program once for every case.
 */
static const struct {
	__u8 native; /* enum record_kind */
	__u8 ia32;
} x86_calls[544] = {
	[2].native = KIND_OPEN,
	[9].native = KIND_MMAP,
	[10].native = KIND_MPROTECT,
	[11].native = KIND_MUNMAP,
	[12].native = KIND_BRK,
	[25].native = KIND_MREMAP,
	[28].native = KIND_MADVISE,
	[29].native = KIND_SHMGET,
	[30].native = KIND_SHMAT,
	[32].native = KIND_DUP,
	[33].native = KIND_DUP, /* dup2 */
	[67].native = KIND_SHMDT,
	[72].native = KIND_DUP, /* fcntl */
	[85].native = KIND_OPEN, /* creat */
	[157].native = KIND_NAME_VMA, /* prctl */
	[158].native = KIND_MAP_VDSO, /* arch_prctl */
	[206].native = KIND_IO_SETUP,
	[207].native = KIND_IO_DESTROY,
	[216].native = KIND_REMAP_FILE_PAGES,
	[257].native = KIND_OPEN, /* openat */
	[292].native = KIND_DUP, /* dup3 */
	[304].native = KIND_OPEN, /* open_by_handle_at */
	[319].native = KIND_OPEN, /* memfd_create */
	[329].native = KIND_MPROTECT, /* pkey_mprotect */
	[437].native = KIND_OPEN, /* openat2 */
	[NR_PIDFD_GETFD].native = KIND_DUP,
	[NR_PROCESS_MADVISE].native = KIND_MADVISE,
	[447].native = KIND_OPEN, /* memfd_secret */
	[453].native = KIND_SHADOW_STACK,
	[543].native = KIND_IO_SETUP, /* x32 */

	[5].ia32 = KIND_OPEN,
	[8].ia32 = KIND_OPEN, /* creat */
	[41].ia32 = KIND_DUP,
	[45].ia32 = KIND_BRK,
	[55].ia32 = KIND_DUP, /* fcntl */
	[63].ia32 = KIND_DUP, /* dup2 */
	[90].ia32 = KIND_MMAP, /* old_mmap: one pointer to six words */
	[91].ia32 = KIND_MUNMAP,
	[117].ia32 = KIND_SHMAT, /* ipc */
	[125].ia32 = KIND_MPROTECT,
	[163].ia32 = KIND_MREMAP,
	[172].ia32 = KIND_NAME_VMA,
	[192].ia32 = KIND_MMAP, /* mmap2: offset in pages */
	[219].ia32 = KIND_MADVISE,
	[221].ia32 = KIND_DUP, /* fcntl64 */
	[245].ia32 = KIND_IO_SETUP,
	[246].ia32 = KIND_IO_DESTROY,
	[257].ia32 = KIND_REMAP_FILE_PAGES,
	[295].ia32 = KIND_OPEN, /* openat */
	[330].ia32 = KIND_DUP, /* dup3 */
	[342].ia32 = KIND_OPEN, /* open_by_handle_at */
	[356].ia32 = KIND_OPEN, /* memfd_create */
	[380].ia32 = KIND_MPROTECT,
	[384].ia32 = KIND_MAP_VDSO,
	[395].ia32 = KIND_SHMGET,
	[397].ia32 = KIND_SHMAT,
	[398].ia32 = KIND_SHMDT,
	[437].ia32 = KIND_OPEN, /* openat2 */
	[NR_PIDFD_GETFD].ia32 = KIND_DUP,
	[NR_PROCESS_MADVISE].ia32 = KIND_MADVISE,
	[447].ia32 = KIND_OPEN, /* memfd_secret */
	[453].ia32 = KIND_SHADOW_STACK,
};

static const __u8 generic_calls[512] = {
	[0] = KIND_IO_SETUP,
	[1] = KIND_IO_DESTROY,
	[23] = KIND_DUP,
	[24] = KIND_DUP, /* dup3 */
	[25] = KIND_DUP, /* fcntl */
	[56] = KIND_OPEN, /* openat */
	[167] = KIND_NAME_VMA, /* prctl */
	[194] = KIND_SHMGET,
	[196] = KIND_SHMAT,
	[197] = KIND_SHMDT,
	[214] = KIND_BRK,
	[215] = KIND_MUNMAP,
	[216] = KIND_MREMAP,
	[222] = KIND_MMAP,
	[226] = KIND_MPROTECT,
	[233] = KIND_MADVISE,
	[234] = KIND_REMAP_FILE_PAGES,
	[265] = KIND_OPEN, /* open_by_handle_at */
	[279] = KIND_OPEN, /* memfd_create */
	[288] = KIND_MPROTECT, /* pkey_mprotect */
	[437] = KIND_OPEN, /* openat2 */
	[NR_PIDFD_GETFD] = KIND_DUP,
	[NR_PROCESS_MADVISE] = KIND_MADVISE,
	[447] = KIND_OPEN, /* memfd_secret */
	[453] = KIND_SHADOW_STACK,
};

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Whether nr copies the address space for a child. Compat numbers are those of ia32. */
static __always_inline bool is_clone(long nr, bool compat)
{
	if (!ON_X86)
		return nr == 220 || nr == 435;
	if (compat)
		return nr == 2 || nr == 120 || nr == 190 || nr == 435;
	return (nr >= 56 && nr <= 58) || nr == 435;
}

/* call_of tells which call c is, from the number alone where that is enough. */
static __always_inline bool call_of(struct call *c, long nr, struct task_struct *task)
{
	c->compat = false;
	c->nr = nr;
	if (!ON_X86) {
		__u64 i = nr;
		if (i >= COUNT_OF(generic_calls))
			return false;
		/* Linux 6.1 forgets the bound if clang reloads the number from the stack. */
		asm volatile("" : "+r"(i));
		c->kind = generic_calls[i & (COUNT_OF(generic_calls) - 1)];
		return c->kind != KIND_NONE;
	}
	if (nr >= 0)
		nr &= ~X32_BIT;
	if ((__u64)nr >= COUNT_OF(x86_calls))
		return false;
	c->kind = x86_calls[nr].native;
	__u32 ia32 = x86_calls[nr].ia32;
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
