/* As many live mappings as the kernel allows by default.
 *
 *	many [MAPPINGS]
 *
 * MAPPINGS (65000) mappings of one page each, whose protection alternates so
 * that neighbours stay apart in the kernel's map, too. Every second call is made
 * by many_odd.
 *
 *	truth many_even BYTES
 *	truth many_odd BYTES
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "fixture.h"

static size_t pg;

PLANTED static char *many_even(void)
{
	char *p = mmap(NULL, pg, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	keep(p);
	return p;
}

PLANTED static char *many_odd(void)
{
	char *p = mmap(NULL, pg, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	keep(p);
	return p;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 65000;
	size_t even = 0, odd = 0;
	pg = page_size();
	ready();
	for (long i = 0; i < n; i++) {
		if ((i % 2 ? many_odd() : many_even()) == MAP_FAILED)
			die("mmap");
		if (i % 2)
			odd += pg;
		else
			even += pg;
	}
	say("truth many_even %zu", even);
	say("truth many_odd %zu", odd);
	finish();
	return 0;
}
