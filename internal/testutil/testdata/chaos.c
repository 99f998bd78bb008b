/* Every call that changes an address space, at random, from many threads.
 *
 *	chaos SECONDS [THREADS [CHILDREN [SEED]]]
 *
 * THREADS (8) threads race over one arena with fixed mappings, munmap and
 * mremap, and keep blocks of their own beside it. After "go", CHILDREN (2)
 * processes with half as many threads each are forked and do the same. After
 * SECONDS all come to rest; threads and children stay alive. Then:
 *
 *	child PID
 *	calls N
 *	done
 *
 * The arena lies far below what the kernel hands out, so nothing that the
 * program depends on can come to lie in it; beside it, a thread touches only
 * what a call returned to it. After "go" nothing calls malloc once a process
 * runs its threads, so the break is free to move.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "fixture.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define ARENA ((char *)0x100000000000)
#define ARENA_PAGES 2048
#define BLOCK_PAGES 16
#define MAX_THREADS 64
#define MAX_BLOCKS 128

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

static size_t pg;
static int threads = 8, children = 2, seconds = 5;
static uint64_t seed = 1;
static int max_blocks;
static int perf_fd = -1, file_fd = -1, zero_fd = -1;
static char *brk_base;
static atomic_int begin, stop, resting; /* each process has its own */

/* A block is a mapping that a call returned to its thread. */
struct block {
	char *p;
	size_t n; /* pages */
	enum { PLAIN, SHM, AIO, HUGE_PAGES } what;
};

struct thread {
	uint64_t rng;
	unsigned long calls;
	int blocks, rings;
	struct block block[MAX_BLOCKS];
	pthread_t id;
	char stack[16384] __attribute__((aligned(64))); /* of its vfork children */
};

static struct thread all[MAX_THREADS];

static uint64_t rnd(struct thread *t, uint64_t n)
{
	t->rng ^= t->rng << 13;
	t->rng ^= t->rng >> 7;
	t->rng ^= t->rng << 17;
	return (t->rng >> 11) % n;
}

static char *arena_at(struct thread *t, size_t *n)
{
	size_t at = rnd(t, ARENA_PAGES);
	*n = 1 + rnd(t, rnd(t, 8) ? 8 : 64);
	if (at + *n > ARENA_PAGES)
		*n = ARENA_PAGES - at;
	return ARENA + at * pg;
}

static int prot(struct thread *t)
{
	static const int prots[] = {PROT_NONE, PROT_READ, RW, RW, PROT_READ | PROT_EXEC};
	return prots[rnd(t, 5)];
}

static int own(struct thread *t, char *p, size_t n, int what)
{
	if (p == MAP_FAILED)
		return 0;
	/* p may lie in the arena after a move to there; that is nobody's own. */
	if (p >= ARENA && p < ARENA + ARENA_PAGES * pg)
		return 0;
	t->block[t->blocks++] = (struct block){p, n, what};
	return 1;
}

static void disown(struct thread *t, int i) { t->block[i] = t->block[--t->blocks]; }

static int full(struct thread *t) { return t->blocks + 2 >= max_blocks; }

/* pick returns the index of one of the thread's blocks of a kind, -1 if there is
 * none. */
static int pick(struct thread *t, int what)
{
	int first = t->blocks ? (int)rnd(t, t->blocks) : 0;
	for (int k = 0; k < t->blocks; k++) {
		int i = (first + k) % t->blocks;
		if ((int)t->block[i].what == what)
			return i;
	}
	return -1;
}

static void drop(struct thread *t, int i)
{
	struct block *b = &t->block[i];
	if (b->what == SHM)
		shmdt(b->p);
	else if (b->what == AIO)
		syscall(SYS_io_destroy, b->p), t->rings--;
	else
		munmap(b->p, b->n * pg);
	disown(t, i);
}

static void map_own(struct thread *t)
{
	if (full(t)) {
		drop(t, (int)rnd(t, t->blocks));
		return;
	}
	size_t n = 1 + rnd(t, BLOCK_PAGES);
	switch (rnd(t, 12)) {
	case 0:
		own(t, mmap(NULL, n * pg, PROT_READ, MAP_PRIVATE, file_fd, rnd(t, 4) * pg), n, PLAIN);
		break;
	case 1:
		own(t, mmap(NULL, n * pg, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), n, PLAIN);
		break;
	case 2:
		own(t, mmap(NULL, n * pg, prot(t), ANON | MAP_NORESERVE | MAP_STACK, -1, 0), n, PLAIN);
		break;
	case 3:
		own(t, mmap(NULL, n * pg, RW, ANON | MAP_POPULATE, -1, 0), n, PLAIN);
		break;
	case 4: /* a hint; the length is no whole number of pages */
		own(t, mmap(ARENA - (1UL << 30), n * pg - 1 - rnd(t, pg - 1), RW, ANON, -1, 0), n, PLAIN);
		break;
	case 5: /* mostly fails for want of huge pages */
		own(t, mmap(NULL, 2UL << 20, PROT_NONE, ANON | MAP_HUGETLB, -1, 0), (2UL << 20) / pg,
		    HUGE_PAGES);
		break;
	default:
		own(t, mmap(NULL, n * pg, prot(t), ANON, -1, 0), n, PLAIN);
	}
}

static void unmap_own(struct thread *t)
{
	int i = pick(t, PLAIN);
	if (i < 0)
		return;
	struct block *b = &t->block[i];
	size_t cut = b->n > 1 ? 1 + rnd(t, b->n - 1) : b->n;
	if (cut == b->n || !rnd(t, 2)) {
		drop(t, i);
		return;
	}
	switch (rnd(t, 3)) {
	case 0: /* head */
		munmap(b->p, cut * pg);
		b->p += cut * pg;
		b->n -= cut;
		break;
	case 1: /* tail, a length that is rounded up */
		munmap(b->p + cut * pg, (b->n - cut) * pg - rnd(t, pg));
		b->n = cut;
		break;
	case 2: /* middle */
		if (b->n < 3 || full(t))
			break;
		size_t head = 1 + rnd(t, b->n - 2), hole = 1 + rnd(t, b->n - head - 1);
		munmap(b->p + head * pg, hole * pg);
		own(t, b->p + (head + hole) * pg, b->n - head - hole, PLAIN);
		t->block[i].n = head;
	}
}

static void remap_own(struct thread *t)
{
	int i = pick(t, PLAIN);
	if (i < 0)
		return;
	struct block *b = &t->block[i];
	size_t n = 1 + rnd(t, BLOCK_PAGES), an;
	char *to, *q;
	switch (rnd(t, 6)) {
	case 0: /* shrink in place */
		if (n < b->n && mremap(b->p, b->n * pg, n * pg, 0) != MAP_FAILED)
			b->n = n;
		break;
	case 1: /* grow in place, mostly fails */
		if (n > b->n && mremap(b->p, b->n * pg, n * pg, 0) != MAP_FAILED)
			b->n = n;
		break;
	case 2: /* into the arena */
		to = arena_at(t, &an);
		if (an > BLOCK_PAGES)
			an = BLOCK_PAGES;
		if (mremap(b->p, b->n * pg, an * pg, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED)
			disown(t, i);
		else if (rnd(t, 2)) /* parts may have moved: unmapping is safe in any case */
			drop(t, i);
		break;
	case 3:
		if (full(t))
			break;
		q = (char *)syscall(SYS_mremap, b->p, b->n * pg, b->n * pg,
				    MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
		own(t, q, b->n, PLAIN);
		break;
	case 4: /* a second mapping of shared pages; fails for private ones */
		if (full(t))
			break;
		own(t, mremap(b->p, 0, b->n * pg, MREMAP_MAYMOVE), b->n, PLAIN);
		break;
	default:
		q = mremap(b->p, b->n * pg, n * pg, MREMAP_MAYMOVE);
		if (q != MAP_FAILED) {
			b->p = q;
			b->n = n;
		}
	}
}

static void map_arena(struct thread *t)
{
	size_t n;
	char *p = arena_at(t, &n);
	switch (rnd(t, 10)) {
	case 0:
		mmap(p, n * pg, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
		break;
	case 1:
		mmap(p, n * pg, PROT_READ, MAP_PRIVATE | MAP_FIXED, file_fd, rnd(t, 4) * pg);
		break;
	case 2:
		mmap(p, n * pg, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 3:
		if (n > 16)
			n = 16;
		mmap(p, n * pg, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
		break;
	case 4: /* fails and leaves a hole: a perf buffer has 1+2^k pages */
		if (perf_fd >= 0 && p + 4 * pg <= ARENA + ARENA_PAGES * pg)
			mmap(p, 4 * pg, RW, MAP_SHARED | MAP_FIXED, perf_fd, 0);
		break;
	case 5:
		mmap(p, n * pg, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
		break;
	default:
		mmap(p, n * pg, prot(t), ANON | MAP_FIXED, -1, 0);
	}
}

static void remap_arena(struct thread *t)
{
	size_t n, m;
	char *p = arena_at(t, &n), *to = arena_at(t, &m);
	char *q;
	switch (rnd(t, 8)) {
	case 0: /* shrink: what lies behind goes, too */
		if (n > 1)
			mremap(p, n * pg, (1 + rnd(t, n - 1)) * pg, 0);
		break;
	case 1: /* may leave the arena by growing: then the part outside is nobody's */
		if (p + (n + m) * pg <= ARENA + ARENA_PAGES * pg)
			mremap(p, n * pg, (n + m) * pg, 0);
		break;
	case 2: /* out of the arena */
		if (full(t))
			break;
		m = n < BLOCK_PAGES ? 1 + rnd(t, BLOCK_PAGES) : BLOCK_PAGES;
		q = mremap(p, (n < m ? n : m) * pg, m * pg, MREMAP_MAYMOVE);
		own(t, q, m, PLAIN);
		break;
	case 3:
		if (p + (m > n ? m : n) * pg > ARENA + ARENA_PAGES * pg)
			break;
		syscall(SYS_mremap, p, n * pg, n * pg,
			MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
		break;
	case 4: /* equal sizes: several mappings at once on 6.17 and later */
		if (to + n * pg <= ARENA + ARENA_PAGES * pg)
			mremap(p, n * pg, n * pg, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		break;
	case 5:
		if (to + n * pg <= ARENA + ARENA_PAGES * pg)
			mremap(p, 0, n * pg, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		break;
	default:
		mremap(p, n * pg, m * pg, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	}
}

static void shm(struct thread *t)
{
	size_t n;
	char *p = arena_at(t, &n);
	int i = pick(t, SHM);
	if (rnd(t, 3) == 0) {
		if (i >= 0)
			drop(t, i);
		else
			shmdt(p); /* mostly fails; else all that is left of a segment goes */
		return;
	}
	if (n > BLOCK_PAGES)
		n = BLOCK_PAGES;
	int id = shmget(IPC_PRIVATE, n * pg - rnd(t, pg), IPC_CREAT | 0600);
	if (id < 0)
		return;
	if (rnd(t, 2))
		shmat(id, p, SHM_REMAP);
	else if (!full(t))
		own(t, shmat(id, NULL, rnd(t, 2) ? SHM_RDONLY : 0), n, SHM);
	shmctl(id, IPC_RMID, NULL);
}

/* aio: the ring is one mapping, which may move but must be given back by
 * io_destroy alone: the kernel unmaps the place that it remembers. */
static void aio(struct thread *t)
{
	int i = pick(t, AIO);
	if (i >= 0 && (t->rings == 2 || rnd(t, 2))) {
		char *to = t->block[i].p;
		if (rnd(t, 3) == 0 && !full(t)) /* to a place that is this thread's */
			to = mmap(NULL, pg, PROT_NONE, ANON, -1, 0);
		if (to != t->block[i].p && to != MAP_FAILED) {
			if (mremap(t->block[i].p, pg, pg, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
				t->block[i].p = to;
			else
				munmap(to, pg);
			return;
		}
		drop(t, i);
		return;
	}
	if (full(t))
		return;
	aio_context_t ctx = 0;
	if (syscall(SYS_io_setup, 4, &ctx))
		return;
	t->rings++;
	own(t, (char *)(uintptr_t)ctx, 1, AIO); /* at least: its size is the kernel's */
}

static void change(struct thread *t)
{
	static const int advice[] = {MADV_DONTNEED,   MADV_FREE,   MADV_DONTFORK, MADV_DOFORK,
				     MADV_WIPEONFORK, MADV_DONTDUMP, MADV_NOHUGEPAGE};
	size_t n;
	char *p = arena_at(t, &n);
	int i = pick(t, PLAIN);
	if (i >= 0 && rnd(t, 2)) {
		p = t->block[i].p;
		n = t->block[i].n;
	}
	switch (rnd(t, 6)) {
	case 0:
		mlock(p, n * pg);
		break;
	case 1:
		munlock(p, n * pg);
		break;
	case 2:
		madvise(p, n * pg, advice[rnd(t, 7)]);
		break;
	case 3: /* a touch that cannot kill: the kernel writes */
		if (read(zero_fd, p, 1) < 0)
			break;
		break;
	default:
		mprotect(p, n * pg, prot(t));
	}
}

static void fail(struct thread *t)
{
	size_t n;
	char *p = arena_at(t, &n);
	switch (rnd(t, 8)) {
	case 0:
		munmap(p + 1, n * pg);
		break;
	case 1:
		munmap(p, 0);
		break;
	case 2:
		mmap(NULL, 0, RW, ANON, -1, 0);
		break;
	case 3:
		mmap(NULL, 1UL << 60, RW, ANON, -1, 0);
		break;
	case 4:
		mmap(p, n * pg, RW, MAP_SHARED | MAP_FIXED, -1, 0);
		break;
	case 5:
		mremap(p + 1, n * pg, n * pg, MREMAP_MAYMOVE);
		break;
	case 6:
		shmdt(p + 1);
		break;
	case 7:
		mprotect(p + 1, n * pg, RW);
	}
}

/* In a child that shares or copies the space. It must not return or touch what
 * libc keeps. */
static int child_work(void *arg)
{
	struct thread *t = arg;
	for (int i = 0; i < 4; i++) {
		map_arena(t);
		remap_arena(t);
	}
	syscall(SYS_exit_group, 0);
	return 0;
}

static void spawn(struct thread *t)
{
	pid_t pid;
	if (rnd(t, 2)) {
		/* Own blocks that the child would move stay in the shared list. */
		pid = clone(child_work, t->stack + sizeof t->stack,
			    CLONE_VM | CLONE_VFORK | SIGCHLD, t);
	} else {
		pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			child_work(t);
	}
	while (pid > 0 && waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
}

static void step(struct thread *t)
{
	uint64_t r = rnd(t, 10000);
	if (r < 4)
		spawn(t);
	else if (r < 200)
		syscall(SYS_brk, brk_base + rnd(t, 64) * pg - rnd(t, 2) * 8);
	else if (r < 500)
		shm(t);
	else if (r < 520) /* rarely: io_destroy waits for milliseconds */
		aio(t);
	else if (r < 900)
		fail(t);
	else if (r < 2000)
		change(t);
	else if (r < 3500)
		map_own(t);
	else if (r < 5000)
		unmap_own(t);
	else if (r < 5600)
		remap_own(t);
	else if (r < 7500)
		map_arena(t);
	else if (r < 8200)
		remap_arena(t);
	else {
		size_t n;
		char *p = arena_at(t, &n);
		munmap(p, n * pg - rnd(t, pg));
	}
	t->calls++;
}

static void *work(void *arg)
{
	struct thread *t = arg;
	while (!atomic_load(&begin))
		sched_yield();
	while (!atomic_load_explicit(&stop, memory_order_relaxed))
		step(t);
	atomic_fetch_add(&resting, 1);
	for (;;)
		pause();
	return NULL;
}

/* run starts n threads, lets them work and returns when all rest. */
static unsigned long run(int n, uint64_t first)
{
	for (int i = 0; i < n; i++) {
		all[i].rng = (seed * 1000003 + first + i) * 0x9e3779b97f4a7c15ull | 1;
		if (pthread_create(&all[i].id, NULL, work, &all[i]))
			die("pthread_create");
	}
	brk_base = (char *)((syscall(SYS_brk, 0) + pg - 1) & ~(pg - 1));
	atomic_store(&begin, 1);
	struct timespec now, end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	do {
		struct timespec left = end;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &left, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < end.tv_sec);
	atomic_store(&stop, 1);
	while (atomic_load(&resting) < n)
		sched_yield();
	unsigned long calls = 0;
	for (int i = 0; i < n; i++)
		calls += all[i].calls;
	return calls;
}

/* A child tells its parent that it rests and lives until its parent is gone. */
static void be_child(int k, int tell, int until)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	unsigned long calls = run((threads + 1) / 2, MAX_THREADS * (k + 1));
	char c;
	if (write(tell, &calls, sizeof calls) != sizeof calls)
		_exit(1);
	while (read(until, &c, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

static void prepare(void)
{
	if (mmap(ARENA, ARENA_PAGES * pg, PROT_NONE, ANON | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) !=
	    ARENA)
		die("mapping the arena");
	/* Two sealed pages make a share of all calls fail, some of them half-way. */
	syscall(SYS_mseal, ARENA + ARENA_PAGES / 3 * pg, pg, 0);
	syscall(SYS_mseal, ARENA + ARENA_PAGES * 2 / 3 * pg, pg, 0);
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof attr,
				       .config = PERF_COUNT_SW_DUMMY,
				       .exclude_kernel = 1};
	perf_fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	file_fd = open("/proc/self/exe", O_RDONLY);
	zero_fd = open("/dev/zero", O_RDONLY);
	max_blocks = 1024 / threads;
	if (max_blocks > MAX_BLOCKS)
		max_blocks = MAX_BLOCKS;
}

static int number(const char *s, int min, int max)
{
	int n = atoi(s);
	return n < min ? min : n > max ? max : n;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seconds = number(argv[1], 0, 86400);
	if (argc > 2)
		threads = number(argv[2], 1, MAX_THREADS);
	if (argc > 3)
		children = number(argv[3], 0, 16);
	if (argc > 4)
		seed = strtoull(argv[4], NULL, 0);
	pg = page_size();
	prepare();
	ready();

	int tell[2], until[2];
	pid_t pids[16];
	if (pipe(tell) || pipe(until))
		die("pipe");
	for (int k = 0; k < children; k++) {
		pids[k] = fork();
		if (pids[k] < 0)
			die("fork");
		if (pids[k] == 0) {
			close(until[1]);
			be_child(k, tell[1], until[0]);
		}
	}
	unsigned long calls = run(threads, 0);
	for (int k = 0; k < children; k++) {
		unsigned long more;
		if (read(tell[0], &more, sizeof more) != sizeof more)
			die("waiting for a child");
		calls += more;
	}
	for (int k = 0; k < children; k++)
		say("child %d", (int)pids[k]);
	say("calls %lu", calls);
	finish();
	close(until[1]);
	for (int k = 0; k < children; k++)
		waitpid(pids[k], NULL, 0);
	return 0;
}
