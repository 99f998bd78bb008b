/* Two paths that look alike from the call's end.
 *
 *	hot [ROUNDS]
 *
 * hot_first and hot_second call hot_leaf with frames of the same size, 1000 times
 * the one and 1000 times the other, ROUNDS times, or until stdin says "stop". What
 * hot_leaf maps is given back at once.
 *
 *	truth hot_leaf 0
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/mman.h>

#include "fixture.h"

static size_t size;

PLANTED static char *hot_leaf(void)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

PLANTED static void hot_first(void)
{
	char *p = hot_leaf();
	if (munmap(p, size))
		die("munmap");
}

PLANTED static void hot_second(void)
{
	char *p = hot_leaf();
	if (munmap(p, size))
		die("munmap");
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 0;
	struct pollfd in = {.fd = 0, .events = POLLIN};
	size = page_size();
	ready();
	for (int n = 0; rounds ? n < rounds : !poll(&in, 1, 0); n++) {
		for (int i = 0; i < 1000; i++)
			hot_first();
		for (int i = 0; i < 1000; i++)
			hot_second();
	}
	if (!rounds)
		await("stop");
	say("truth hot_leaf 0");
	finish();
	return 0;
}
