/* How long a process with a large map is held up while somebody reads it.
 *
 *	stall [MAPPINGS [MIB]]
 *
 * MAPPINGS (60000) mappings of one page, which do not merge, by two callers in
 * turn, and MIB (256) of memory in small pages, all resident. After "done" a
 * thread maps and unmaps one page in a loop. Each "reset" begins anew, which it says,
 * and each "worst" says how long pairs took since, but for those in which the thread was
 * put off its CPU by others:
 *
 *	ns worst N mean N pairs N
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "fixture.h"

static size_t pg;
static _Atomic uint64_t worst, sum, pairs;

PLANTED static char *stall_even(void)
{
	char *p = mmap(NULL, pg, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	keep(p);
	return p;
}

PLANTED static char *stall_odd(void)
{
	char *p = mmap(NULL, pg, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	keep(p);
	return p;
}

PLANTED static char *stall_big(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	keep(p);
	return p;
}

static uint64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

/* displaced counts how often the thread lost its CPU without giving it up. */
static long displaced(void)
{
	struct rusage u;
	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nivcsw;
}

static void *loop(void *unused)
{
	(void)unused;
	for (;;) {
		long lost = displaced();
		uint64_t before = now();
		char *p = mmap(NULL, pg, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || munmap(p, pg))
			die("a pair");
		uint64_t ns = now() - before;
		if (displaced() != lost)
			continue;
		if (ns > worst)
			worst = ns;
		sum += ns;
		pairs++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 60000;
	size_t size = (argc > 2 ? atol(argv[2]) : 256) << 20;
	pthread_t id;
	char line[64];
	pg = page_size();
	ready();
	for (long i = 0; i < n; i++) {
		char *p = i % 2 ? stall_odd() : stall_even();
		if (p == MAP_FAILED)
			die("mmap");
		*p = 1;
	}
	char *big = stall_big(size);
	if (big == MAP_FAILED || madvise(big, size, MADV_NOHUGEPAGE))
		die("mmap");
	for (size_t at = 0; at < size; at += pg)
		big[at] = 1;
	if (pthread_create(&id, NULL, loop, NULL))
		die("pthread_create");
	say("done");
	while (hear(line, sizeof line) && strcmp(line, "exit") != 0) {
		if (!strcmp(line, "worst"))
			say("ns worst %llu mean %llu pairs %llu", (unsigned long long)worst,
			    (unsigned long long)(sum / (pairs + !pairs)), (unsigned long long)pairs);
		worst = sum = pairs = 0;
		if (!strcmp(line, "reset"))
			say("reset");
	}
	return 0;
}
