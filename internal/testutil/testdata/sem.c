/* One step per rule of what a call does to the map, with a stop after each.
 *
 * After "go" it says "step NAME" and waits for the next "go", so that a checker
 * can compare the map with what it tracked; then it goes on. Other lines:
 *
 *	skip NAME ERRNO         the kernel or its configuration lacks the call
 *	unexpected NAME ERRNO   the call did not end as it does on current kernels
 *	child PID NAME          a child with an address space of its own, which
 *	                        rests through the next two steps
 *
 * "done" comes last, from the third program image of the process.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fixture.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define GUARD_INSTALL 102
#define GUARD_REMOVE 103
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack 453
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#define MAP_VDSO_64 0x2003

static size_t pg;
static char *self;

static void step(const char *name)
{
	say("step %s", name);
	await("go");
}

static void skip(const char *name) { say("skip %s %s", name, strerrorname_np(errno)); }

/* ok and no tell how a call ended and stop: a success that must be one, a
 * failure that must be one with this errno. */
static void ok(const char *name, long ret)
{
	if (ret == -1)
		say("unexpected %s %s", name, strerrorname_np(errno));
	step(name);
}

static void no(const char *name, long ret, int want)
{
	if (ret != -1)
		say("unexpected %s success", name);
	else if (errno != want)
		say("unexpected %s %s", name, strerrorname_np(errno));
	step(name);
}

#define OK(name, call) ok(name, (long)(call))
#define NO(name, call, want) no(name, (long)(call), want)

/* have returns memory of n pages. Its neighbours on both sides are holes. */
static char *have(size_t n)
{
	char *p = mmap(NULL, (n + 64) * pg, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	munmap(p, 32 * pg);
	munmap(p + (n + 32) * pg, 32 * pg);
	return mmap(p + 32 * pg, n * pg, RW, ANON | MAP_FIXED, -1, 0);
}

/* hole returns the address of n unmapped pages, where the kernel never maps
 * anything on its own. */
static char *hole(size_t n)
{
	static char *next = (char *)0x100000000000;
	char *p = next;
	next += (n + 64) * pg;
	return p;
}

/* striped returns n pages that lie in n mappings. */
static char *striped(size_t n)
{
	char *p = have(n);
	for (size_t i = 1; i < n; i += 2)
		mprotect(p + i * pg, pg, PROT_READ);
	return p;
}

/* holed returns n pages, every other of which is unmapped, from the second. */
static char *holed(size_t n)
{
	char *p = have(n);
	for (size_t i = 1; i < n; i += 2)
		munmap(p + i * pg, pg);
	return p;
}

static int sealed(const char *name, char *p, size_t n)
{
	if (syscall(SYS_mseal, p, n * pg, 0) == 0)
		return 1;
	skip(name);
	return 0;
}

static int perf(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof attr,
				       .config = PERF_COUNT_SW_DUMMY,
				       .exclude_kernel = 1};
	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static void map(void)
{
	int fd = open(self, O_RDONLY | O_CLOEXEC);
	OK("mmap-anon", mmap(NULL, 3 * pg, RW, ANON, -1, 0));
	OK("mmap-merge", mmap(NULL, 3 * pg, RW, ANON, -1, 0));
	OK("mmap-rounded", mmap(NULL, 3 * pg + 1, PROT_NONE, ANON, -1, 0));
	OK("mmap-file", mmap(NULL, 2 * pg, PROT_READ, MAP_PRIVATE, fd, pg));
	OK("mmap-file-again", mmap(NULL, 2 * pg, PROT_READ, MAP_PRIVATE, fd, pg));
	OK("mmap-shared", mmap(NULL, 5 * pg, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	OK("mmap-hint", mmap(hole(4), 4 * pg, RW, ANON, -1, 0));
	OK("mmap-hint-taken", mmap(have(4), 4 * pg, RW, ANON, -1, 0));
	OK("mmap-flags", mmap(NULL, 7 * pg, RW,
			      ANON | MAP_STACK | MAP_NORESERVE | MAP_POPULATE | MAP_LOCKED, -1, 0));
	NO("mmap-zero", mmap(NULL, 0, RW, ANON, -1, 0), EINVAL);
	NO("mmap-bad-fd", mmap(NULL, pg, RW, MAP_PRIVATE, 1000, 0), EBADF);
	NO("mmap-huge", mmap(NULL, 1UL << 60, RW, ANON, -1, 0), ENOMEM);
	NO("mmap-noreplace-hit", mmap(have(4), 4 * pg, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	OK("mmap-noreplace", mmap(hole(4), 4 * pg, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	close(fd);
}

static void fixed(void)
{
	OK("fixed-middle", mmap(have(9) + 3 * pg, 2 * pg, PROT_READ, ANON | MAP_FIXED, -1, 0));
	OK("fixed-head", mmap(have(9), 2 * pg, PROT_READ, ANON | MAP_FIXED, -1, 0));
	OK("fixed-tail", mmap(have(9) + 7 * pg, 2 * pg, PROT_READ, ANON | MAP_FIXED, -1, 0));
	OK("fixed-same", mmap(have(9), 9 * pg, RW, ANON | MAP_FIXED, -1, 0));
	OK("fixed-beyond", mmap(have(9) + 5 * pg, 9 * pg, RW, ANON | MAP_FIXED, -1, 0));
	OK("fixed-several", mmap(striped(9) + pg, 7 * pg - 5, RW, ANON | MAP_FIXED, -1, 0));
	OK("fixed-holes", mmap(holed(9) - pg, 9 * pg, RW, ANON | MAP_FIXED, -1, 0));
	char *p = have(9);
	if (sealed("fixed-sealed", p + 4 * pg, 1))
		NO("fixed-sealed", mmap(p, 9 * pg, RW, ANON | MAP_FIXED, -1, 0), EPERM);
	int fd = perf();
	if (fd < 0) {
		skip("fixed-fails");
		return;
	}
	OK("perf-mmap", mmap(NULL, 3 * pg, RW, MAP_SHARED, fd, 0));
	int fd2 = perf();
	/* A perf buffer has 1+2^k pages: the old mapping is gone all the same. */
	NO("fixed-fails", mmap(have(9) + 2 * pg, 4 * pg, RW, MAP_SHARED | MAP_FIXED, fd2, 0), EINVAL);
	close(fd2);
	close(fd);
}

static void huge(void)
{
	char *p = mmap(NULL, 3 * pg, RW, ANON | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED) {
		skip("hugetlb");
		return;
	}
	step("hugetlb");
	NO("hugetlb-munmap-part", munmap(p, pg), EINVAL);
	OK("hugetlb-munmap", munmap(p, 2UL << 20));
	int fd = memfd_create("huge", MFD_HUGETLB);
	if (fd < 0 || ftruncate(fd, 4UL << 20)) {
		skip("hugetlb-fixed-fails");
		return;
	}
	p = mmap(NULL, 8UL << 20, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	p = (char *)(((uintptr_t)p + (2UL << 20) - 1) & ~((2UL << 20) - 1));
	NO("hugetlb-fixed-fails", mmap(p, 2UL << 20, RW, MAP_SHARED | MAP_FIXED, fd, pg), EINVAL);
	OK("hugetlb-file", mmap(NULL, pg, RW, MAP_SHARED, fd, 0));
	close(fd);
}

PLANTED static void deep(int n)
{
	volatile char buf[16384];
	buf[0] = buf[sizeof buf - 1] = (char)n;
	if (n > 0)
		deep(n - 1);
	keep(buf[0]);
}

static void grow(void)
{
	char *top = have(1200);
	munmap(top, 1200 * pg);
	char *p = mmap(top + 1000 * pg, 4 * pg, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	OK("growsdown", p);
	p[-1] = 1;
	step("growsdown-touch");
	p[-9 * (long)pg] = 1;
	step("growsdown-far");
	OK("growsdown-munmap-base", munmap(p, 4 * pg));
	OK("growsdown-munmap-rest", munmap(p - 9 * pg, 9 * pg));
	deep(40);
	step("stack-growth");
	deep(200);
	step("stack-growth-more");
}

/* many makes as many mappings as the kernel allows and splits one more. */
static void many(void)
{
	size_t n = 70000, i;
	char *p = mmap(NULL, n * pg, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	for (i = 1; i < n - 4; i += 2)
		if (mprotect(p + i * pg, pg, PROT_READ))
			break;
	if (i >= n - 4)
		skip("munmap-max-map-count");
	else
		NO("munmap-max-map-count", munmap(p + (n - 2) * pg, pg), ENOMEM);
	OK("munmap-many", munmap(p, n * pg));
}

static void unmap(void)
{
	char *p = have(9);
	OK("munmap-head", munmap(p, 2 * pg));
	OK("munmap-tail", munmap(p + 7 * pg, 2 * pg));
	OK("munmap-middle", munmap(p + 4 * pg, pg));
	OK("munmap-holes", munmap(p - pg, 9 * pg));
	OK("munmap-nothing", munmap(p, 9 * pg));
	OK("munmap-several", munmap(striped(9) + pg, 7 * pg));
	OK("munmap-rounded", munmap(have(9), 3 * pg + 1));
	NO("munmap-unaligned", munmap(have(2) + 1, pg), EINVAL);
	NO("munmap-zero", munmap(have(2), 0), EINVAL);
	NO("munmap-wrapping", munmap(have(2), -pg), EINVAL);
	p = striped(9);
	if (sealed("munmap-sealed", p + 4 * pg, 1))
		NO("munmap-sealed", munmap(p, 9 * pg), EPERM);
	many();
}

static long fixed_remap(char *from, size_t old, char *to, size_t new, int flags)
{
	return syscall(SYS_mremap, from, old * pg, new * pg, MREMAP_MAYMOVE | MREMAP_FIXED | flags, to);
}

static void remap_fixed(void)
{
	OK("mremap-fixed", fixed_remap(have(9), 9, have(12) + pg, 9, 0));
	OK("mremap-fixed-part", fixed_remap(have(9) + 2 * pg, 3, have(12) + pg, 3, 0));
	OK("mremap-fixed-shrink", fixed_remap(have(9), 9, have(12) + pg, 4, 0));
	OK("mremap-fixed-grow", fixed_remap(have(9), 9, have(30) + pg, 19, 0));
	OK("mremap-fixed-hole", fixed_remap(have(9), 9, hole(9), 9, 0));
	OK("mremap-fixed-zero-old", fixed_remap(mmap(NULL, 5 * pg, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
						0, have(12) + pg, 5, 0));
	NO("mremap-fixed-overlap", fixed_remap(have(9), 5, have(9), 0, 0), EINVAL);
	/* 6.17 and later move every piece and spare what lies under the gaps; before,
	 * this fails and leaves the destination unmapped. */
	if (fixed_remap(striped(9), 9, have(12), 9, 0) == -1)
		skip("mremap-fixed-several");
	step("mremap-fixed-several");
	if (fixed_remap(holed(9), 9, have(12), 9, 0) == -1)
		skip("mremap-fixed-holes");
	step("mremap-fixed-holes");
	char *p = striped(9);
	if (sealed("mremap-fixed-several-sealed", p + 6 * pg, 1)) {
		long ret = fixed_remap(p, 9, have(12), 9, 0);
		NO("mremap-fixed-several-sealed", ret, errno == EFAULT ? EFAULT : EPERM); /* EFAULT before 6.17 */
	}
	NO("mremap-fixed-crossing", fixed_remap(striped(9), 4, have(12), 6, 0), EFAULT);
	fixed_remap(striped(9), 6, have(12), 3, 0);
	step("mremap-fixed-shrink-several");
	p = have(9);
	if (sealed("mremap-fixed-shrink-sealed", p, 9))
		NO("mremap-fixed-shrink-sealed", fixed_remap(p, 9, have(12), 4, 0), EPERM);
	OK("mremap-fixed-dontunmap", fixed_remap(have(9), 9, have(12), 9, MREMAP_DONTUNMAP));
}

static void remap(void)
{
	OK("mremap-shrink", mremap(have(9), 9 * pg, 4 * pg, 0));
	OK("mremap-shrink-rounded", mremap(have(9), 9 * pg - 5, 4 * pg - 5, 0));
	OK("mremap-same", mremap(have(9), 9 * pg, 9 * pg, 0));
	/* What lies behind goes, too: other mappings and holes. */
	char *p = striped(9);
	munmap(p + 5 * pg, pg);
	OK("mremap-shrink-spanning", mremap(p, 9 * pg, pg, 0));
	OK("mremap-grow", mremap(have(9), 9 * pg, 12 * pg, 0));
	NO("mremap-grow-blocked", mremap(striped(9), pg, 3 * pg, 0), ENOMEM);
	OK("mremap-grow-moving", mremap(striped(9), pg, 3 * pg, MREMAP_MAYMOVE));
	OK("mremap-split", mremap(have(9) + 2 * pg, 2 * pg, 30 * pg, MREMAP_MAYMOVE));
	NO("mremap-crossing", mremap(striped(9), 3 * pg, 5 * pg, MREMAP_MAYMOVE), EFAULT);
	NO("mremap-hole", mremap(hole(9), 3 * pg, 5 * pg, MREMAP_MAYMOVE), EFAULT);
	NO("mremap-unaligned", mremap(have(9) + 1, 3 * pg, 5 * pg, MREMAP_MAYMOVE), EINVAL);
	NO("mremap-zero-new", mremap(have(9), 3 * pg, 0, MREMAP_MAYMOVE), EINVAL);
	OK("mremap-dontunmap",
	   syscall(SYS_mremap, have(9), 9 * pg, 9 * pg, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
	p = mmap(NULL, 5 * pg, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	OK("mremap-zero-old", mremap(p, 0, 5 * pg, MREMAP_MAYMOVE));
	NO("mremap-zero-old-private", mremap(have(9), 0, 5 * pg, MREMAP_MAYMOVE), EINVAL);
}

static void brks(void)
{
	char *b = (char *)syscall(SYS_brk, 0);
	syscall(SYS_brk, b + 9 * pg);
	step("brk-grow");
	syscall(SYS_brk, b + 9 * pg + 17);
	step("brk-unaligned");
	syscall(SYS_brk, b + 9 * pg + 18);
	step("brk-same-page");
	syscall(SYS_brk, b + 4 * pg);
	step("brk-shrink");
	syscall(SYS_brk, 1L << 46);
	step("brk-too-far");
	syscall(SYS_brk, 4096);
	step("brk-too-low");
	mmap(b + 20 * pg, pg, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	syscall(SYS_brk, b + 30 * pg);
	step("brk-blocked");
	munmap(b + pg, pg);
	step("brk-hole");
	syscall(SYS_brk, b);
	munmap(b + 20 * pg, pg);
	step("brk-back");
}

static char *segment(size_t n, char *at, int flags)
{
	int id = shmget(IPC_PRIVATE, n * pg - 7, IPC_CREAT | 0600);
	char *p = shmat(id, at, flags);
	shmctl(id, IPC_RMID, NULL);
	return p;
}

static void shm(void)
{
	char *p = segment(9, NULL, 0);
	if (p == (char *)-1) {
		skip("shmat");
		return;
	}
	step("shmat");
	OK("shmdt", shmdt(p));
	OK("shmat-readonly", segment(9, NULL, SHM_RDONLY));
	NO("shmat-taken", segment(9, have(9), 0), EINVAL);
	p = have(12);
	OK("shmat-remap", segment(9, p + pg, SHM_REMAP));
	NO("shmdt-inside", shmdt(p + 3 * pg), EINVAL);
	munmap(p + 3 * pg, pg);
	munmap(p + 5 * pg, 2 * pg);
	mmap(p + 6 * pg, pg, RW, ANON | MAP_FIXED, -1, 0);
	step("shm-holes");
	OK("shmdt-holes", shmdt(p + pg));
	p = segment(9, NULL, 0);
	char *q = mremap(p, 9 * pg, 9 * pg, MREMAP_MAYMOVE | MREMAP_FIXED, hole(9));
	OK("shm-mremap", q);
	NO("shmdt-old-address", shmdt(p), EINVAL);
	OK("shmdt-moved", shmdt(q));
	p = segment(9, NULL, 0);
	q = hole(9);
	fixed_remap(p + 4 * pg, 3, q + 4 * pg, 3, 0);
	step("shm-mremap-part");
	OK("shmdt-rest", shmdt(p));
	OK("shmdt-part", shmdt(q));
	p = segment(9, NULL, 0);
	munmap(p, 2 * pg);
	OK("shmdt-headless", shmdt(p));
	if (SHMLBA == (int)pg)
		OK("shmat-rounded", segment(3, hole(9) + 5, SHM_RND));
}

static void attributes(void)
{
	char *p = mmap(NULL, 9 * pg, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	OK("remap_file_pages", syscall(SYS_remap_file_pages, p + pg, 2 * pg, 0, 6, 0));
	p = have(9);
	OK("mprotect", mprotect(p + pg, 3 * pg, PROT_READ));
	OK("mprotect-none", mprotect(p + 2 * pg, pg, PROT_NONE));
	OK("mprotect-back", mprotect(p, 9 * pg, RW));
	munmap(p + 4 * pg, pg);
	NO("mprotect-hole", mprotect(p, 9 * pg, PROT_READ), ENOMEM);
	OK("pkey_mprotect", pkey_mprotect(p, 2 * pg, PROT_READ | PROT_EXEC, -1));
	static const struct {
		const char *name;
		int advice;
	} advices[] = {
		{"madvise-dontneed", MADV_DONTNEED},  {"madvise-free", MADV_FREE},
		{"madvise-dontdump", MADV_DONTDUMP},  {"madvise-wipeonfork", MADV_WIPEONFORK},
		{"madvise-hugepage", MADV_HUGEPAGE},  {"madvise-dofork", MADV_DOFORK},
		{"madvise-collapse", MADV_COLLAPSE},  {"madvise-guard", GUARD_INSTALL},
		{"madvise-unguard", GUARD_REMOVE},    {"madvise-mergeable", MADV_MERGEABLE},
		{"madvise-random", MADV_RANDOM},      {"madvise-pageout", MADV_PAGEOUT},
	};
	for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
		p = have(9);
		if (madvise(p + 2 * pg, 3 * pg, advices[i].advice))
			skip(advices[i].name);
		else
			step(advices[i].name);
	}
	OK("mlock", mlock(p + pg, 3 * pg));
	OK("mlock2", mlock2(p + 2 * pg, 4 * pg, 1));
	OK("munlock", munlock(p, 9 * pg));
	NO("mlock-hole", mlock(holed(9), 9 * pg), ENOMEM);
	if (syscall(SYS_mbind, p, 3 * pg, 1 /* MPOL_PREFERRED */, NULL, 0, 0))
		skip("mbind");
	else
		step("mbind");
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p + pg, pg, "name"))
		skip("vma-name");
	else
		step("vma-name");
	if (sealed("mseal", p + 2 * pg, 2)) {
		step("mseal");
		NO("mprotect-sealed", mprotect(p, 9 * pg, PROT_READ), EPERM);
	}
}

static void uffd(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = {.api = UFFD_API};
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api)) {
		skip("uffd-register");
		return;
	}
	char *p = have(9);
	struct uffdio_register reg = {
		.range = {(uintptr_t)p + 2 * pg, 3 * pg},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	OK("uffd-register", ioctl(fd, UFFDIO_REGISTER, &reg));
	OK("uffd-munmap", munmap(p + 3 * pg, pg));
	close(fd);
	step("uffd-close");
}

static void rings(void)
{
	aio_context_t ctx = 0;
	if (syscall(SYS_io_setup, 64, &ctx)) {
		skip("io_setup");
	} else {
		step("io_setup");
		syscall(SYS_io_destroy, ctx);
		step("io_destroy");
		ctx = 0;
		syscall(SYS_io_setup, 4, &ctx);
		char *q = mremap((char *)ctx, pg, pg, MREMAP_MAYMOVE | MREMAP_FIXED, hole(1));
		OK("io-mremap", q);
		OK("io_destroy-moved", syscall(SYS_io_destroy, q));
		NO("io_setup-fails", syscall(SYS_io_setup, 0, &ctx), EINVAL);
	}
	struct io_uring_params par = {0};
	int fd = (int)syscall(SYS_io_uring_setup, 8, &par);
	if (fd < 0) {
		skip("io_uring");
	} else {
		step("io_uring_setup");
		char *p = mmap(NULL, 2 * pg, RW, MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQ_RING);
		if (p == MAP_FAILED)
			p = mmap(NULL, pg, RW, MAP_SHARED, fd, IORING_OFF_SQ_RING);
		OK("io_uring-mmap", p);
		close(fd);
		step("io_uring-close");
	}
	fd = (int)syscall(SYS_memfd_secret, 0);
	if (fd < 0 || ftruncate(fd, 3 * pg)) {
		skip("memfd_secret");
	} else {
		OK("memfd_secret", mmap(NULL, 3 * pg, RW, MAP_SHARED, fd, 0));
		close(fd);
	}
	if (syscall(SYS_map_shadow_stack, 0, 4 * pg, 0) == -1)
		skip("map_shadow_stack");
	else
		step("map_shadow_stack");
}

/* A pipe that a resting child reads; its other end is the parent's. */
static int rest[2];

static void rest_and_exit(void)
{
	char c;
	close(rest[1]);
	if (read(rest[0], &c, 1) < 0)
		_exit(1);
	_exit(0);
}

static void reap(pid_t pid)
{
	close(rest[0]);
	close(rest[1]);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static void forks(void)
{
	aio_context_t ctx = 0;
	char *p = have(9);
	madvise(p + 2 * pg, 3 * pg, MADV_DONTFORK);
	syscall(SYS_io_setup, 4, &ctx);
	step("madvise-dontfork");
	int done[2];
	char c;
	if (pipe(rest) || pipe(done))
		die("pipe");
	pid_t pid = fork();
	if (pid == 0) {
		munmap(p, pg);
		mmap(NULL, 13 * pg, RW, ANON, -1, 0);
		if (write(done[1], "", 1) != 1)
			_exit(1);
		rest_and_exit();
	}
	if (read(done[0], &c, 1) != 1)
		die("fork");
	say("child %d fork", pid);
	step("fork");
	munmap(p + 7 * pg, 2 * pg);
	step("fork-then-munmap");
	reap(pid);
	step("fork-child-exited");
	syscall(SYS_io_destroy, ctx);
	close(done[0]);
	close(done[1]);
}

static char child_stack[65536] __attribute__((aligned(64)));

static int shared_child(void *arg)
{
	mmap(NULL, 11 * pg, RW, ANON, -1, 0);
	munmap(arg, 2 * pg);
	return 0;
}

static int resting_child(void *arg)
{
	char c;
	shared_child(arg);
	if (read(rest[0], &c, 1) < 0) /* the file table is a copy */
		return 1;
	return 0;
}

static void shared(void)
{
	int flags[] = {CLONE_VM | CLONE_VFORK | SIGCHLD, CLONE_VM | SIGCHLD};
	const char *names[] = {"vfork-maps", "clone-vm-maps"};
	for (int i = 0; i < 2; i++) {
		pid_t pid = clone(shared_child, child_stack + sizeof child_stack, flags[i], have(9));
		while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
			;
		step(names[i]);
	}
	if (pipe(rest))
		die("pipe");
	pid_t pid = clone(resting_child, child_stack + sizeof child_stack, CLONE_VM | CLONE_FILES | SIGCHLD,
			  have(9));
	/* Its work may come before this step or after it: no checkpoint here. */
	mmap(NULL, 17 * pg, PROT_READ, ANON, -1, 0);
	if (write(rest[1], "", 1) != 1)
		die("write");
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	close(rest[0]);
	close(rest[1]);
	step("clone-vm-beside");
}

static void *mapper(void *arg)
{
	munmap(arg, pg);
	return mmap(NULL, 19 * pg, RW, ANON, -1, 0);
}

static void thread(void)
{
	pthread_t th;
	void *p;
	pthread_create(&th, NULL, mapper, have(3));
	pthread_join(th, &p);
	step("thread-maps");
	munmap(p, 19 * pg);
	step("thread-freed-by-main");
}

#ifdef __x86_64__
/* After this nothing may read the clock; exec brings a new vdso. */
static void vdso(void)
{
	char *v = (char *)getauxval(AT_SYSINFO_EHDR);
	if (syscall(SYS_arch_prctl, MAP_VDSO_64, hole(64)) == -1 && errno != EEXIST)
		skip("arch_prctl-vdso");
	else
		step("arch_prctl-vdso");
	char line[512], *v0 = NULL, *v1 = NULL;
	FILE *f = fopen("/proc/self/maps", "r");
	while (f && fgets(line, sizeof line, f)) {
		unsigned long a, b;
		if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx", &a, &b) == 2)
			v0 = (char *)a, v1 = (char *)b;
	}
	if (f)
		fclose(f);
	if (!v || v0 != v) {
		errno = ENOENT;
		skip("vdso");
		return;
	}
	size_t n = v1 - v0;
	step("vdso-found");
	char *to = mremap(v0, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, hole(n / pg));
	OK("vdso-mremap", to);
	if (to != MAP_FAILED)
		OK("vdso-munmap", munmap(to, n));
	/* On older kernels these pages are part of a special mapping, which must not be
	 * split. */
	if (munmap(v0 - 2 * pg, 2 * pg))
		skip("vvar-munmap");
	step("vvar-munmap");
}
#else
static void vdso(void) {}
#endif

static void *exec_from_thread(void *arg)
{
	char *argv[] = {self, arg, NULL};
	execv(self, argv);
	die("execv");
}

int main(int argc, char **argv)
{
	pg = page_size();
	self = "/proc/self/exe";
	if (argc > 1 && !strcmp(argv[1], "second")) {
		step("exec-from-thread");
		OK("exec-mmap", mmap(NULL, 23 * pg, RW, ANON, -1, 0));
		exec_from_thread("third");
	}
	if (argc > 1 && !strcmp(argv[1], "third")) {
		step("exec");
		finish();
		return 0;
	}
	ready();
	step("start");
	map();
	fixed();
	huge();
	grow();
	unmap();
	remap();
	remap_fixed();
	brks();
	shm();
	attributes();
	uffd();
	rings();
	forks();
	shared();
	thread();
	vdso();
	pthread_t th;
	pthread_create(&th, NULL, exec_from_thread, "second");
	for (;;)
		pause();
}
