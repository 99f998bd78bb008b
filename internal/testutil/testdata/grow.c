/* Grows when it is told to.
 *
 *	grow
 *
 * After "go" it takes orders, one a line, and answers each with "done":
 *
 *	map MIB    map and touch so many mebibytes, by grow_map
 *	open N     open so many file descriptors
 *	split N    make so many mappings that do not merge
 *	exit
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "fixture.h"

PLANTED static char *grow_map(size_t size, int prot)
{
	char *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	keep(p);
	return p;
}

static void map(long mib)
{
	size_t size = (size_t)mib << 20;
	char *p = grow_map(size, PROT_READ | PROT_WRITE);
	if (p == MAP_FAILED)
		die("mmap");
	memset(p, 1, size);
}

static void split(long n)
{
	for (long i = 0; i < n; i++)
		if (grow_map(page_size(), i % 2 ? PROT_READ : PROT_READ | PROT_WRITE) == MAP_FAILED)
			die("mmap");
}

static void open_some(long n)
{
	while (n-- > 0)
		if (open("/dev/null", O_RDONLY) < 0)
			die("open");
}

int main(void)
{
	char order[64];
	ready();
	while (hear(order, sizeof order) && strcmp(order, "exit") != 0) {
		char *number = strchr(order, ' ');
		long n = number ? atol(number) : 0;
		if (strncmp(order, "map", 3) == 0)
			map(n);
		else if (strncmp(order, "open", 4) == 0)
			open_some(n);
		else if (strncmp(order, "split", 5) == 0)
			split(n);
		else
			_exit(5);
		say("done");
	}
	return 0;
}
