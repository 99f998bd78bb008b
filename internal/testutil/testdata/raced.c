/* Two threads that map the same fixed places, both at the same moment.
 *
 *	raced [PLACES]
 *
 * Each of PLACES (60) holds 4 pages. One thread maps them in raced_one, the other in
 * raced_two; whose they are at the end nobody can tell but the kernel.
 *
 *	truth raced BYTES
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>

#include "fixture.h"

static char *base;
static size_t size;
static long places;
static pthread_barrier_t both;

static void map(long i)
{
	if (mmap(base + i * size, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
}

PLANTED static void raced_one(long i)
{
	map(i);
	keep(0);
}

PLANTED static void raced_two(long i)
{
	map(i);
	keep(0);
}

static void *run(void *second)
{
	for (long i = 0; i < places; i++) {
		pthread_barrier_wait(&both);
		if (second)
			raced_two(i);
		else
			raced_one(i);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t one, two;

	places = argc > 1 ? atol(argv[1]) : 60;
	size = 4 * page_size();
	base = mmap(NULL, places * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		die("mmap");
	pthread_barrier_init(&both, NULL, 2);
	ready();
	if (pthread_create(&one, NULL, run, NULL) || pthread_create(&two, NULL, run, &two))
		die("pthread_create");
	pthread_join(one, NULL);
	pthread_join(two, NULL);
	say("truth raced %zu", (size_t)places * size);
	finish();
	return 0;
}
