/* Meets a limit of the kernel.
 *
 *	limits promise GIB    asks for so much at once, 12 times, in vain
 *	limits mappings STEPS maps pages until that fails 7 times, with STEPS pauses
 *	                      of 50 ms
 *	limits reserve STEPS  reserves 1 GiB, and opens 64 MiB of it in as many steps,
 *	                      half of which it touches
 *	limits slots STEPS    reserves 4 MiB in each step
 *	limits purge STEPS    maps 4 MiB in each step, fills and returns it, twice
 *	limits trim STEPS     maps 1 MiB in each step, fills it and lets go of it with
 *	                      MADV_FREE; cool does so twice, and reuse fills it again
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <time.h>

#include "fixture.h"

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define MIB (1ul << 20)

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

PLANTED static void grow_table(size_t size)
{
	void *p = mmap(NULL, size, RW, ANON, -1, 0);
	keep(p);
	if (p != MAP_FAILED)
		die("mmap succeeded");
}

PLANTED static void *load_block(int i)
{
	void *p = mmap(NULL, page_size(), i % 2 ? RW : PROT_READ, ANON, -1, 0); /* neighbours do not merge */
	keep(p);
	return p;
}

PLANTED static char *reserve_heap(size_t size)
{
	char *p = mmap(NULL, size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	keep(p);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

PLANTED static char *new_chunk(size_t size)
{
	char *p = mmap(NULL, size, RW, ANON, -1, 0);
	keep(p);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void fill_map(int steps)
{
	int failed = 0;
	for (int n = 0; failed < 7; n++) {
		if (n % 20 == 0 && n < 20 * steps)
			pause_ms(50);
		failed += load_block(n) == MAP_FAILED;
	}
}

static void open_heap(int steps)
{
	char *heap = reserve_heap(1024 * MIB);
	size_t step = 64 * MIB / steps / page_size() * page_size();
	for (int i = 0; i < steps; i++, pause_ms(50)) {
		if (mprotect(heap + i * step, step, RW))
			die("mprotect");
		memset(heap + i * step, 1, step / 2);
	}
}

static void purge(int steps)
{
	for (int i = 0; i < steps; i++, pause_ms(50)) {
		char *chunk = new_chunk(4 * MIB);
		for (int k = 0; k < 2; k++) {
			memset(chunk, 1, 4 * MIB);
			if (madvise(chunk, 4 * MIB, MADV_DONTNEED))
				die("madvise");
		}
	}
}

static void trim(int steps, int times, int again)
{
	for (int i = 0; i < steps; i++, pause_ms(50)) {
		char *chunk = new_chunk(MIB);
		for (int k = 0; k < times; k++) {
			memset(chunk, 1, MIB);
			if (madvise(chunk, MIB, MADV_FREE))
				die("madvise");
		}
		if (again)
			memset(chunk, 2, MIB);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	int n = argc > 2 ? atoi(argv[2]) : 0;
	ready();
	if (!strcmp(what, "promise"))
		for (int i = 0; i < 12; i++)
			grow_table((size_t)n << 30);
	else if (!strcmp(what, "mappings"))
		fill_map(n);
	else if (!strcmp(what, "reserve"))
		open_heap(n);
	else if (!strcmp(what, "slots"))
		for (int i = 0; i < n; i++, pause_ms(50))
			reserve_heap(4 * MIB);
	else if (!strcmp(what, "purge"))
		purge(n);
	else if (!strcmp(what, "trim"))
		trim(n, 1, 0);
	else if (!strcmp(what, "cool"))
		trim(n, 2, 0);
	else if (!strcmp(what, "reuse"))
		trim(n, 1, 1);
	finish();
	return 0;
}
