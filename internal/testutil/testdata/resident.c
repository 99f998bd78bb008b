/* Mappings of every kind, touched in part, each with a hole behind it, so that
 * none shares a line of smaps with another.
 *
 *	resident DIR
 *
 * DIR takes a file. What this machine does not have is said:
 *
 *	without hugetlb|guard
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "fixture.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define HUGE_PAGE (2ul << 20)
#define APART (1ul << 30)

static size_t pg;
static uintptr_t place = 0x600000000000;

/* next returns an address with nothing near it. */
static void *next(void)
{
	place += APART;
	return (void *)place;
}

/* touch writes to every nth page. */
static void touch(char *p, size_t size, size_t nth)
{
	for (size_t at = 0; at < size; at += nth * pg)
		p[at] = 1;
}

/* look reads from every page. */
static void look(const volatile char *p, size_t size)
{
	for (size_t at = 0; at < size; at += pg)
		keep(p[at]);
}

/* PLANT defines a function that makes one kind of mapping. */
#define PLANT(name, size, prot, flags, fd)                                                 \
	PLANTED static char *name(int file)                                                \
	{                                                                                  \
		(void)file;                                                                \
		char *p = mmap(next(), size, prot, (flags) | MAP_FIXED_NOREPLACE, fd, 0); \
		keep(p);                                                                   \
		return p;                                                                  \
	}

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

PLANT(r_sparse, 300 * pg, RW, ANON, -1)
PLANT(r_striped, 23ul << 20, RW, ANON, -1)
PLANT(r_full, 8ul << 20, RW, ANON | MAP_POPULATE, -1)
PLANT(r_untouched, 64ul << 20, PROT_NONE, ANON, -1)
PLANT(r_zeros, 40 * pg, RW, ANON, -1)
PLANT(r_given_back, 128 * pg, RW, ANON, -1)
PLANT(r_huge, 4 * HUGE_PAGE, RW, ANON, -1)
PLANT(r_huge_zeros, 2 * HUGE_PAGE, RW, ANON, -1)
PLANT(r_shared, 200 * pg, RW, MAP_SHARED | MAP_ANONYMOUS, -1)
PLANT(r_file, 64 * pg, RW, MAP_PRIVATE, file)
PLANT(r_file_shared, 64 * pg, RW, MAP_SHARED, file)
PLANT(r_hugetlb, 2 * HUGE_PAGE, RW, ANON | MAP_HUGETLB, -1)
PLANT(r_guarded, 64 * pg, RW, ANON, -1)
PLANT(r_swapped, 256 * pg, RW, ANON, -1)
PLANT(r_pieces, 90 * pg, RW, ANON, -1)
PLANT(r_many, pg, RW, ANON, -1)

static void need(const void *p)
{
	if (p == MAP_FAILED)
		die("mmap");
}

int main(int argc, char **argv)
{
	char name[512];
	pg = page_size();
	snprintf(name, sizeof name, "%s/resident", argc > 1 ? argv[1] : ".");
	int file = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, 64 * pg))
		die(name);
	ready();
	char *p;
	need(p = r_sparse(-1)), madvise(p, 300 * pg, MADV_NOHUGEPAGE), touch(p, 300 * pg, 3);
	need(p = r_striped(-1)), madvise(p, 23ul << 20, MADV_NOHUGEPAGE), touch(p, 23ul << 20, 2);
	need(r_full(-1));
	need(r_untouched(-1));
	need(p = r_zeros(-1)), madvise(p, 40 * pg, MADV_NOHUGEPAGE), look(p, 40 * pg), touch(p, 5 * pg, 1);
	need(p = r_given_back(-1)), touch(p, 128 * pg, 1), madvise(p + 28 * pg, 100 * pg, MADV_DONTNEED);
	need(p = r_huge(-1)), madvise(p, 4 * HUGE_PAGE, MADV_HUGEPAGE), touch(p, 3 * HUGE_PAGE, 1);
	need(p = r_huge_zeros(-1)), madvise(p, 2 * HUGE_PAGE, MADV_HUGEPAGE), look(p, 2 * HUGE_PAGE);
	need(p = r_shared(-1)), touch(p, 200 * pg, 2);
	need(p = r_file(file)), look(p, 64 * pg), touch(p, 9 * pg, 1);
	need(p = r_file_shared(file)), touch(p, 64 * pg, 4);
	if ((p = r_hugetlb(-1)) == MAP_FAILED)
		say("without hugetlb");
	else
		touch(p, HUGE_PAGE, 1);
	need(p = r_guarded(-1)), touch(p, 32 * pg, 1);
	if (madvise(p, 16 * pg, MADV_GUARD_INSTALL))
		say("without guard");
	need(p = r_swapped(-1)), touch(p, 256 * pg, 1);
	madvise(p, 200 * pg, MADV_PAGEOUT); /* without swap all of it stays */
	need(p = r_pieces(-1)), touch(p, 90 * pg, 2);
	if (munmap(p + 10 * pg, 20 * pg) || munmap(p + 60 * pg, pg))
		die("munmap");
	for (int i = 0; i < 200; i++)
		need(p = r_many(-1)), touch(p, i % 3 ? pg : 0, 1);
	finish();
	return 0;
}
