/* THREADS (2000) threads at once, each with a block of its own.
 *
 *	threads [THREADS [PAGES]]
 *
 * Every thread maps PAGES (7) pages in thread_leak and as many in thread_free,
 * which it unmaps. All are alive at "done".
 *
 *	truth thread_leak BYTES
 *	truth thread_free 0
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <sys/mman.h>

#include "fixture.h"

static size_t size;
static atomic_int resting;
static pthread_barrier_t begin; /* none of the threads spins: there may be many */

PLANTED static char *thread_leak(void)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

PLANTED static char *thread_free(void)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	if (munmap(p, size))
		die("munmap");
	return p;
}

static void *work(void *arg)
{
	pthread_barrier_wait(&begin);
	keep(thread_leak());
	keep(thread_free());
	atomic_fetch_add(&resting, 1);
	for (;;)
		pause();
	return arg;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 2000;
	size = (argc > 2 ? atoi(argv[2]) : 7) * page_size();
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	pthread_barrier_init(&begin, NULL, (unsigned)n + 1);
	ready();
	for (int i = 0; i < n; i++) {
		pthread_t th;
		errno = pthread_create(&th, &attr, work, NULL);
		if (errno)
			die("pthread_create");
	}
	pthread_barrier_wait(&begin);
	while (atomic_load(&resting) < n)
		sched_yield();
	say("truth thread_leak %zu", n * size);
	say("truth thread_free 0");
	finish();
	return 0;
}
