/* The calls of a 32-bit program, made by int 0x80 from a 64-bit one: other
 * numbers, other forms of mmap and of the shared memory calls, results of 32
 * bits. Everything lies below 4 GiB.
 *
 * It stops as sem.c does: "step NAME", then "go"; "skip all ENOSYS" when the
 * kernel has no such entry.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "fixture.h"

#ifndef __x86_64__
#error "sem32 is for x86-64"
#endif

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* Numbers of the 32-bit table. */
enum {
	N_BRK = 45,
	N_MMAP_OLD = 90,
	N_MUNMAP = 91,
	N_IPC = 117,
	N_MPROTECT = 125,
	N_MREMAP = 163,
	N_MMAP2 = 192,
	N_MADVISE = 219,
	N_IO_SETUP = 245,
	N_IO_DESTROY = 246,
	N_REMAP_FILE_PAGES = 257,
	N_SHMAT = 397,
	N_SHMDT = 398,
	IPC_SHMAT = 21,
	IPC_SHMDT = 22,
};

static size_t pg;

/* call32 returns the result as the 32-bit caller sees it, sign-extended only
 * when it is an error. */
PLANTED static long call32(int nr, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e,
			   uint32_t f)
{
	uint32_t ret;
	/* The sixth argument is in ebp, which the compiler may use. The stack pointer
	 * stays, for those who unwind from here. */
	register uint64_t r8 __asm__("r8") = f;
	__asm__ volatile("xchg %%r8, %%rbp\n\tint $0x80\n\txchg %%r8, %%rbp"
			 : "=a"(ret), "+r"(r8)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "r9", "r10", "r11", "memory");
	if (ret > (uint32_t)-4096) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}

static uint32_t at(const void *p) { return (uint32_t)(uintptr_t)p; }

static void step(const char *name)
{
	say("step %s", name);
	await("go");
}

static void ok(const char *name, long ret)
{
	if (ret == -1)
		say("unexpected %s %s", name, strerrorname_np(errno));
	step(name);
}

static void no(const char *name, long ret, int want)
{
	if (ret != -1 || errno != want)
		say("unexpected %s %s", name, ret != -1 ? "success" : strerrorname_np(errno));
	step(name);
}

static uint32_t have(size_t n) { return (uint32_t)call32(N_MMAP2, 0, n * pg, RW, ANON, -1, 0); }

static void maps(void)
{
	uint32_t *args = mmap(NULL, pg, RW, ANON | MAP_32BIT, -1, 0);
	step("args");
	ok("mmap2", have(7));
	int fd = open("/proc/self/exe", O_RDONLY);
	ok("mmap2-file", call32(N_MMAP2, 0, 3 * pg, PROT_READ, MAP_PRIVATE, fd, 1));
	uint32_t old[6] = {0, 5 * pg - 3, RW, ANON, -1, 0};
	memcpy(args, old, sizeof old);
	ok("mmap-old", call32(N_MMAP_OLD, at(args), 0, 0, 0, 0, 0));
	uint32_t file[6] = {0, 3 * pg, PROT_READ, MAP_PRIVATE, fd, pg};
	memcpy(args, file, sizeof file);
	ok("mmap-old-file", call32(N_MMAP_OLD, at(args), 0, 0, 0, 0, 0));
	uint32_t fixed[6] = {have(9) + 2 * pg, 3 * pg, PROT_READ, ANON | MAP_FIXED, -1, 0};
	memcpy(args, fixed, sizeof fixed);
	ok("mmap-old-fixed", call32(N_MMAP_OLD, at(args), 0, 0, 0, 0, 0));
	no("mmap-old-offset", (args[5] = 1, call32(N_MMAP_OLD, at(args), 0, 0, 0, 0, 0)), EINVAL);
	uint32_t p = have(9);
	ok("mmap2-fixed", call32(N_MMAP2, p + pg, 3 * pg, PROT_READ, ANON | MAP_FIXED, -1, 0));
	ok("munmap", call32(N_MUNMAP, p + 2 * pg, 4 * pg + 1, 0, 0, 0, 0));
	no("munmap-unaligned", call32(N_MUNMAP, p + 1, pg, 0, 0, 0, 0), EINVAL);
	ok("mprotect", call32(N_MPROTECT, have(4) + pg, pg, PROT_READ, 0, 0, 0));
	ok("mremap-shrink", call32(N_MREMAP, have(9), 9 * pg, 4 * pg, 0, 0, 0));
	ok("mremap-move", call32(N_MREMAP, have(9) + pg, pg, 30 * pg, MREMAP_MAYMOVE, 0, 0));
	ok("mremap-fixed", call32(N_MREMAP, have(3), 3 * pg, 3 * pg, MREMAP_MAYMOVE | MREMAP_FIXED,
				  have(9) + 2 * pg, 0));
	ok("madvise", call32(N_MADVISE, have(9) + pg, pg, MADV_DONTFORK, 0, 0, 0));
	uint32_t s = (uint32_t)call32(N_MMAP2, 0, 7 * pg, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ok("remap_file_pages", call32(N_REMAP_FILE_PAGES, s, pg, 0, 4, 0, 0));
	close(fd);
}

static void shm(void)
{
	uint32_t *result = mmap(NULL, pg, RW, ANON | MAP_32BIT, -1, 0);
	int id = shmget(IPC_PRIVATE, 5 * pg - 7, IPC_CREAT | 0600);
	ok("ipc-shmat", call32(N_IPC, IPC_SHMAT, id, 0, at(result), 0, 0));
	ok("ipc-shmdt", call32(N_IPC, IPC_SHMDT, 0, 0, 0, *result, 0));
	long p = call32(N_SHMAT, id, 0, 0, 0, 0, 0);
	ok("shmat", p);
	ok("shmat-remap", call32(N_SHMAT, id, have(7) + pg, SHM_REMAP, 0, 0, 0));
	ok("shmdt", call32(N_SHMDT, (uint32_t)p, 0, 0, 0, 0, 0));
	shmctl(id, IPC_RMID, NULL);
	*result = 0;
	ok("io_setup", call32(N_IO_SETUP, 8, at(result), 0, 0, 0, 0));
	ok("io_destroy", call32(N_IO_DESTROY, *result, 0, 0, 0, 0, 0));
}

/* The break is above 4 GiB, so a 32-bit call can only ask for it or miss. */
static void brks(void)
{
	call32(N_BRK, 0, 0, 0, 0, 0, 0);
	step("brk-query");
	call32(N_BRK, 0x7ffff000, 0, 0, 0, 0, 0);
	step("brk-miss");
}

int main(void)
{
	pg = page_size();
	ready();
	step("start");
	if (call32(20 /* getpid */, 0, 0, 0, 0, 0, 0) != getpid()) {
		say("skip all ENOSYS");
	} else {
		maps();
		shm();
		brks();
	}
	finish();
	return 0;
}
