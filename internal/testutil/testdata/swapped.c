/* Mappings of every kind that can go to swap, each with a hole behind it, so
 * that none shares a line of smaps with another.
 *
 *	swapped DIR
 *
 * DIR takes a file.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "fixture.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define APART (1ul << 30)
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static size_t pg;
static uintptr_t place = 0x600000000000;

/* PLANT defines a function that makes one kind of mapping. */
#define PLANT(name, pages, flags, fd)                                                        \
	PLANTED static char *name(int file)                                                  \
	{                                                                                    \
		(void)file;                                                                  \
		place += APART;                                                              \
		char *p = mmap((void *)place, (pages) * pg, RW, (flags) | MAP_FIXED_NOREPLACE, fd, 0); \
		keep(p);                                                                     \
		if (p == MAP_FAILED)                                                         \
			die("mmap");                                                         \
		return p;                                                                    \
	}

PLANT(s_whole, 301, ANON, -1)
PLANT(s_part, 257, ANON, -1)
PLANT(s_striped, 512, ANON, -1)
PLANT(s_back, 128, ANON, -1)
PLANT(s_huge, 2048, ANON, -1)
PLANT(s_file, 64, MAP_PRIVATE, file)
PLANT(s_shared, 200, MAP_SHARED | MAP_ANONYMOUS, -1)
PLANT(s_closed, 96, ANON, -1)

/* out writes to every nth page of the mapping and sends the first pages away. */
static void out(char *p, size_t pages, size_t nth, size_t first)
{
	for (size_t i = 0; i < pages; i += nth)
		p[i * pg] = (char)(i + 1);
	madvise(p, first * pg, MADV_PAGEOUT);
}

int main(int argc, char **argv)
{
	char name[512];
	pg = page_size();
	snprintf(name, sizeof name, "%s/swapped", argc > 1 ? argv[1] : ".");
	int file = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, 64 * pg))
		die(name);
	ready();
	char *p;
	out(s_whole(-1), 301, 1, 301);
	out(s_part(-1), 257, 1, 101);
	p = s_striped(-1), madvise(p, 512 * pg, MADV_NOHUGEPAGE), out(p, 512, 3, 512);
	p = s_back(-1), out(p, 128, 1, 128);
	keep(p[0] + p[17 * pg] + p[100 * pg]); /* three come back, with neighbours */
	p = s_huge(-1), madvise(p, 2048 * pg, MADV_HUGEPAGE), out(p, 2048, 1, 1000);
	out(s_file(file), 64, 2, 64);
	out(s_shared(-1), 200, 2, 200);
	p = s_closed(-1), out(p, 96, 1, 64);
	if (mprotect(p, 96 * pg, PROT_NONE))
		die("mprotect");
	finish();
	return 0;
}
