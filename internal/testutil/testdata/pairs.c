/* mmap and munmap in a tight loop, to measure what tracing costs.
 *
 *	pairs SECONDS [DEPTH [THREADS [PAGES [RATE]]]]
 *
 * THREADS (1) threads map and unmap PAGES (4) pages, untouched, DEPTH (10) calls
 * deep, as fast as they can or, all together, RATE times a second. With no PAGES
 * they open and close a file instead. Per thread the time of every pair goes into a
 * histogram with buckets under 2 % wide.
 *
 *	pairs N
 *	rate PAIRS_PER_SECOND
 *	ns p50 N p90 N p99 N p999 N max N
 *	truth pairs_leaf 0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "fixture.h"

#define SUB 64 /* buckets per power of two */
#define BUCKETS (40 * SUB)
#define MAX_THREADS 256

static size_t size;
static int depth = 10;
static uint64_t gap; /* ns from one pair of a thread to its next; 0: none */
static atomic_int stop;

static struct worker {
	pthread_t id;
	uint64_t pairs, max;
	uint64_t hist[BUCKETS];
} workers[MAX_THREADS];

static uint64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int bucket(uint64_t ns)
{
	if (ns < SUB)
		return (int)ns;
	int shift = 63 - __builtin_clzll(ns) - 6;
	int b = (shift + 1) * SUB + (int)((ns >> shift) - SUB);
	return b < BUCKETS ? b : BUCKETS - 1;
}

static uint64_t lower(int b)
{
	if (b < SUB)
		return b;
	return (uint64_t)(b % SUB + SUB) << (b / SUB - 1);
}

PLANTED static void pairs_leaf(struct worker *w)
{
	uint64_t before = now();
	if (size) {
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED || munmap(p, size))
			die("a pair");
	} else if (close(open("/dev/null", O_RDONLY | O_CLOEXEC))) {
		die("/dev/null");
	}
	uint64_t ns = now() - before;
	w->hist[bucket(ns)]++;
	w->pairs++;
	if (ns > w->max)
		w->max = ns;
}

PLANTED static void pairs_deeper(struct worker *w, int left)
{
	if (left > 1)
		pairs_deeper(w, left - 1);
	else
		pairs_leaf(w);
	keep(left);
}

/* rest sleeps until a thread is no longer ahead of its rate by a millisecond. */
static void rest(uint64_t due)
{
	uint64_t t = now();
	if (due < t + 1000000)
		return;
	struct timespec ts = {0, (long)(due - t)};
	nanosleep(&ts, NULL);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t start = now();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		pairs_deeper(w, depth);
		if (gap)
			rest(start + w->pairs * gap);
	}
	return NULL;
}

static uint64_t percentile(const uint64_t *hist, uint64_t total, double share)
{
	uint64_t want = (uint64_t)((double)total * share), seen = 0;
	for (int b = 0; b < BUCKETS; b++) {
		seen += hist[b];
		if (seen > want)
			return lower(b);
	}
	return lower(BUCKETS - 1);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	depth = argc > 2 ? atoi(argv[2]) : 10;
	int threads = argc > 3 ? atoi(argv[3]) : 1;
	size = (argc > 4 ? atoi(argv[4]) : 4) * page_size();
	double rate = argc > 5 ? atof(argv[5]) : 0;
	if (threads < 1 || threads > MAX_THREADS) {
		errno = EINVAL;
		die("threads");
	}
	if (rate > 0)
		gap = (uint64_t)(threads * 1e9 / rate);
	ready();
	uint64_t start = now();
	for (int i = 0; i < threads; i++)
		if (pthread_create(&workers[i].id, NULL, work, &workers[i]))
			die("pthread_create");
	struct timespec ts = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
	atomic_store(&stop, 1);
	for (int i = 0; i < threads; i++)
		pthread_join(workers[i].id, NULL);
	double took = (double)(now() - start) / 1e9;

	struct worker *sum = &workers[0];
	for (int i = 1; i < threads; i++) {
		sum->pairs += workers[i].pairs;
		if (workers[i].max > sum->max)
			sum->max = workers[i].max;
		for (int b = 0; b < BUCKETS; b++)
			sum->hist[b] += workers[i].hist[b];
	}
	say("pairs %llu", (unsigned long long)sum->pairs);
	say("rate %.0f", (double)sum->pairs / took);
	say("ns p50 %llu p90 %llu p99 %llu p999 %llu max %llu",
	    (unsigned long long)percentile(sum->hist, sum->pairs, 0.5),
	    (unsigned long long)percentile(sum->hist, sum->pairs, 0.9),
	    (unsigned long long)percentile(sum->hist, sum->pairs, 0.99),
	    (unsigned long long)percentile(sum->hist, sum->pairs, 0.999),
	    (unsigned long long)sum->max);
	say("truth pairs_leaf 0");
	finish();
	return 0;
}
