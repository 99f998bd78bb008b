/* A program with one habit of mapping memory, which it keeps up until it ends.
 *
 *	verdicts HABIT
 *
 * What begins with leak_ leaks, and what begins with fine_ does not. Without an
 * argument it says the names of its habits. The function of that name is on the
 * path of all that the habit maps, except in leak_one_worker, whose threads map in
 * worker_piece.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <time.h>

#include "fixture.h"

#define KB 1024UL
#define PIECE (64 * KB)

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* Pauses until so long after a time, however late it is called. */
static void pause_until(const struct timespec *since, long ms)
{
	struct timespec t = {since->tv_sec + ms / 1000, since->tv_nsec + ms % 1000 * 1000000L};
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* Pseudo-random numbers in [0, n), the same in each run. */
static unsigned long random_below(unsigned long n)
{
	static _Thread_local uint64_t x = 88172645463325252ULL;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % n;
}

/* map is inlined, so that its caller is who maps. */
static inline __attribute__((always_inline)) char *map(size_t n)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	p[0] = 1;
	return p;
}

static void unmap(void *p, size_t n)
{
	if (p && munmap(p, n))
		die("munmap");
}

/* What leaks. */

PLANTED static void leak_fast(void)
{
	for (;;) {
		keep(map(PIECE));
		pause_ms(20);
	}
}

PLANTED static void leak_slow(void)
{
	for (;;) {
		keep(map(PIECE));
		pause_ms(900);
	}
}

PLANTED static void leak_slower(void)
{
	for (;;) {
		keep(map(PIECE));
		pause_ms(3500);
	}
}

PLANTED static void leak_bursts(void)
{
	for (;;) {
		for (int i = 0; i < 10; i++)
			keep(map(PIECE));
		pause_ms(1300);
	}
}

PLANTED static void leak_jitter(void)
{
	for (;;) {
		keep(map((1 + random_below(20)) * 4 * KB));
		pause_ms(random_below(300));
	}
}

PLANTED static void leak_one_in_twenty(void)
{
	for (int i = 0;; i++) {
		char *p = map(PIECE);
		pause_ms(10);
		if (i % 20)
			unmap(p, PIECE);
	}
}

PLANTED static void leak_late(void)
{
	pause_ms(4000);
	for (;;) {
		keep(map(PIECE));
		pause_ms(100);
	}
}

PLANTED static void leak_untouched(void)
{
	for (;;) {
		if (mmap(NULL, 1024 * KB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
			die("mmap");
		pause_ms(100);
	}
}

PLANTED static void leak_files(void)
{
	for (;;) {
		int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		if (mmap(NULL, 8 * KB, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
			die("mmap");
		close(fd);
		pause_ms(100);
	}
}

PLANTED static void leak_memfd(void)
{
	for (;;) {
		int fd = memfd_create("frames", MFD_CLOEXEC);
		if (ftruncate(fd, PIECE) || mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
			die("mmap");
		close(fd);
		pause_ms(100);
	}
}

PLANTED static void leak_sysv(void)
{
	for (;;) {
		int id = shmget(IPC_PRIVATE, PIECE, IPC_CREAT | 0600);
		if (id < 0 || shmat(id, NULL, 0) == (void *)-1)
			die("shmat");
		shmctl(id, IPC_RMID, NULL);
		pause_ms(100);
	}
}

static void *nothing(void *arg) { return arg; }

PLANTED static void leak_threads(void)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * KB);
	for (;;) {
		pthread_t t;
		if (pthread_create(&t, &attr, nothing, NULL)) /* and nobody joins */
			die("pthread_create");
		pause_ms(100);
	}
}

PLANTED static void leak_malloc(void)
{
	for (;;) {
		char *p = malloc(300 * KB);
		p[0] = 1;
		keep(p);
		pause_ms(100);
	}
}

PLANTED static void leak_fragments(void)
{
	for (;;) {
		char *p = map(8 * PIECE);
		unmap(p, 7 * PIECE); /* the last part is forgotten */
		pause_ms(100);
	}
}

PLANTED static void leak_mremap(void)
{
	size_t n = PIECE;
	char *p = map(n);
	for (;;) {
		p = mremap(p, n, n + PIECE, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			die("mremap");
		n += PIECE;
		pause_ms(100);
	}
}

PLANTED static char *worker_piece(void) { return map(PIECE); }

static atomic_int workers;

static void *work(void *arg)
{
	int me = atomic_fetch_add(&workers, 1);
	for (;;) {
		unmap(worker_piece(), PIECE);
		pause_ms(20);
		if (me == 3 && random_below(4) == 0)
			keep(worker_piece());
	}
	return arg;
}

static void *worker_start(void *arg) { return work(arg); }

PLANTED static void leak_one_worker(void)
{
	for (int i = 0; i < 6; i++) {
		pthread_t t;
		if (pthread_create(&t, NULL, worker_start, NULL))
			die("pthread_create");
	}
	for (;;)
		pause();
}

PLANTED static void leak_some_random(void)
{
	enum { SLOTS = 64 };
	static char *slot[SLOTS];
	for (int i = 0;; i++) {
		int k = random_below(SLOTS);
		if (i % 5) { /* one in five is overwritten */
			unmap(slot[k], PIECE);
		}
		slot[k] = map(PIECE);
		pause_ms(20);
	}
}

/* What does not. */

PLANTED static void fine_cache(void)
{
	for (int i = 0; i < 60; i++) {
		keep(map(PIECE));
		pause_ms(50);
	}
	for (;;)
		pause();
}

PLANTED static void fine_pool(void)
{
	pause_ms(500);
	for (int i = 0; i < 32; i++)
		keep(map(PIECE));
	for (;;)
		pause();
}

PLANTED static void fine_one(void)
{
	pause_ms(2000);
	keep(map(1024 * KB));
	for (;;)
		pause();
}

PLANTED static void fine_ring(void)
{
	enum { SLOTS = 32 };
	static char *slot[SLOTS];
	for (int i = 0;; i++) {
		unmap(slot[i % SLOTS], PIECE);
		slot[i % SLOTS] = map(PIECE);
		pause_ms(40);
	}
}

PLANTED static void fine_lru(void)
{
	enum { SLOTS = 48 };
	static char *slot[SLOTS];
	for (;;) {
		int k = random_below(SLOTS);
		unmap(slot[k], PIECE);
		slot[k] = map(PIECE);
		pause_ms(20);
	}
}

/* The cache is full before anybody looks; in the window the old go first. */
PLANTED static void fine_old_cache(char **slot, int slots)
{
	for (int i = 0;; i++) {
		unmap(slot[i % slots], PIECE);
		slot[i % slots] = map(PIECE);
		pause_ms(50);
	}
}

PLANTED static void fine_sawtooth(void)
{
	enum { SLOTS = 40 };
	static char *slot[SLOTS];
	for (;;) {
		for (int i = 0; i < SLOTS; i++) {
			slot[i] = map(PIECE);
			pause_ms(40);
		}
		for (int i = 0; i < SLOTS; i++)
			unmap(slot[i], PIECE);
	}
}

PLANTED static void fine_arena(void)
{
	size_t n = 64 * 1024 * KB;
	char *base = mmap(NULL, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		die("mmap");
	for (size_t i = 0;; i = (i + 1) % 32) {
		int prot = i / 16 ? PROT_NONE : PROT_READ | PROT_WRITE; /* commits 16, and gives them back */
		if (mmap(base + i % 16 * PIECE, PIECE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			die("mmap");
		pause_ms(50);
	}
}

PLANTED static void fine_warm_up(void)
{
	struct timespec begun;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	long due = 0;
	for (int i = 0; i < 60; i++) {
		keep(map(PIECE));
		due += 5 + i * i / 18; /* ever slower, for 4 s on a busy machine, too */
		pause_until(&begun, due);
	}
	for (;;)
		pause_ms(1000);
}

PLANTED static void fine_worker(void)
{
	for (;;) {
		char *p = map(PIECE);
		pause_ms(15);
		unmap(p, PIECE);
	}
}

PLANTED static void fine_sessions(void)
{
	enum { SLOTS = 100 };
	static struct { char *p; long ends; } slot[SLOTS];
	for (long now = 0;; now += 40) {
		int born = 0;
		for (int i = 0; i < SLOTS; i++) {
			if (slot[i].p && slot[i].ends <= now) {
				unmap(slot[i].p, PIECE);
				slot[i].p = NULL;
			}
			if (!slot[i].p && !born) {
				slot[i].p = map(PIECE);
				slot[i].ends = now;
				do /* lives 0.8 s on average */
					slot[i].ends += 40;
				while (random_below(20));
				born = 1;
			}
		}
		pause_ms(40);
	}
}

PLANTED static void fine_threads(void)
{
	for (;;) {
		pthread_t t[4];
		for (int i = 0; i < 4; i++)
			if (pthread_create(&t[i], NULL, nothing, NULL))
				die("pthread_create");
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		pause_ms(100);
	}
}

PLANTED static void fine_malloc(void)
{
	for (;;) {
		size_t n = (200 + random_below(4000)) * KB;
		char *p = malloc(n);
		p[0] = 1;
		pause_ms(30);
		free(p);
	}
}

PLANTED static void fine_files(void)
{
	for (;;) {
		int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		char *p = mmap(NULL, 8 * KB, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p == MAP_FAILED)
			die("mmap");
		close(fd);
		pause_ms(50);
		unmap(p, 8 * KB);
	}
}

PLANTED static void fine_doubling(void)
{
	size_t n = PIECE;
	char *p = map(n);
	for (int i = 0; i < 6; i++) {
		pause_ms(400);
		p = mremap(p, n, 2 * n, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			die("mremap");
		n *= 2;
	}
	for (;;)
		pause();
}

/* A container that doubles when it is full, and is filled at a steady rate. */
PLANTED static void fine_filling(void)
{
	size_t n = PIECE;
	char *p = map(n);
	for (size_t used = 0;; used += 4 * KB) {
		if (used == n) {
			p = mremap(p, n, 2 * n, MREMAP_MAYMOVE);
			if (p == MAP_FAILED)
				die("mremap");
			n *= 2;
		}
		p[used] = 1;
		pause_ms(100);
	}
}

/* A file that is written to by way of its one mapping. */
PLANTED static void fine_growing_file(void)
{
	size_t n = PIECE;
	int fd = memfd_create("journal", MFD_CLOEXEC);
	if (ftruncate(fd, n))
		die("ftruncate");
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	for (;; n += PIECE) {
		p[n - 1] = 1;
		pause_ms(100);
		if (ftruncate(fd, n + PIECE))
			die("ftruncate");
		p = mremap(p, n, n + PIECE, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			die("mremap");
	}
}

static char *old_slots[300];

static void old_cache(void) { fine_old_cache(old_slots, sizeof old_slots / sizeof *old_slots); }

#define HABIT(f) {#f, f}

static const struct {
	const char *name;
	void (*run)(void);
} habits[] = {
	HABIT(leak_fast), HABIT(leak_slow), HABIT(leak_slower), HABIT(leak_bursts), HABIT(leak_jitter),
	HABIT(leak_one_in_twenty), HABIT(leak_late), HABIT(leak_untouched), HABIT(leak_files), HABIT(leak_memfd),
	HABIT(leak_sysv), HABIT(leak_threads), HABIT(leak_malloc), HABIT(leak_fragments), HABIT(leak_mremap),
	HABIT(leak_one_worker), HABIT(leak_some_random),
	HABIT(fine_cache), HABIT(fine_pool), HABIT(fine_one), HABIT(fine_ring), HABIT(fine_lru),
	{"fine_old_cache", old_cache}, HABIT(fine_sawtooth), HABIT(fine_arena), HABIT(fine_warm_up), HABIT(fine_worker),
	HABIT(fine_sessions), HABIT(fine_threads), HABIT(fine_malloc), HABIT(fine_files), HABIT(fine_doubling),
	HABIT(fine_filling), HABIT(fine_growing_file),
};

static atomic_int begin;

static void *run(void *habit)
{
	while (!atomic_load(&begin))
		pause_ms(5);
	((void (*)(void))habit)();
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 2) { /* says what there is */
		for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
			say("%s", habits[i].name);
		return 0;
	}
	void (*habit)(void) = NULL;
	for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
		if (strcmp(habits[i].name, argv[1]) == 0)
			habit = habits[i].run;
	if (!habit)
		return 2;
	for (size_t i = 0; habit == old_cache && i < sizeof old_slots / sizeof *old_slots; i++)
		old_slots[i] = map(PIECE);
	pthread_t t;
	if (pthread_create(&t, NULL, run, (void *)habit))
		die("pthread_create");
	ready();
	atomic_store(&begin, 1);
	finish();
	return 0;
}
