/* Gives memory back by process_madvise, of which it is told whether the kernel let
 * it: before Linux 6.13 it does not. */
#define _GNU_SOURCE
#include "fixture.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SYS_PROCESS_MADVISE 440
#define SYS_PIDFD_OPEN 434
#define RANGES 40

static long advise(int pidfd, struct iovec *v, int n, int advice)
{
	return syscall(SYS_PROCESS_MADVISE, pidfd, v, (size_t)n, advice, 0);
}

PLANTED static char *map(int pages)
{
	char *p = mmap(NULL, pages * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	memset(p, 1, pages * page_size());
	keep(p);
	return p;
}

int main(void)
{
	long pg = page_size(), got;
	char *first = map(11), *second = map(2 * RANGES), *holes = map(5);
	struct iovec v[RANGES];

	ready();
	munmap(first, 11 * pg);
	munmap(second, 2 * RANGES * pg);
	munmap(holes, 5 * pg);
	first = map(11);
	second = map(2 * RANGES);
	holes = map(5);
	int self = syscall(SYS_PIDFD_OPEN, getpid(), 0);
	if (self < 0)
		die("pidfd_open");
	v[0] = (struct iovec){first, 2 * pg};
	v[1] = (struct iovec){first + 5 * pg, 1 * pg};
	v[2] = (struct iovec){second, 3 * pg};
	got = advise(self, v, 3, MADV_DONTNEED);
	say("allowed %d", got == 6 * pg);
	advise(self, v, 3, MADV_PAGEOUT); /* gives nothing back */
	advise(self, v, 3, MADV_WILLNEED);
	for (int i = 0; i < RANGES; i++)
		v[i] = (struct iovec){second + 2 * i * pg, pg};
	if ((got = advise(self, v, RANGES, MADV_FREE)) > 0 && got != RANGES * pg)
		say("unexpected result %ld", got);
	v[0].iov_base = first + 1; /* not a page: nothing */
	if (advise(self, v, 1, MADV_DONTNEED) >= 0)
		say("unexpected success");
	munmap(holes + pg, pg);
	v[0] = (struct iovec){holes, 3 * pg}; /* goes on behind the hole, and fails */
	v[1] = (struct iovec){first + 7 * pg, pg}; /* is not come to */
	if (advise(self, v, 2, MADV_DONTNEED) >= 0)
		say("unexpected success over a hole");
	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	int other = syscall(SYS_PIDFD_OPEN, child, 0);
	v[0] = (struct iovec){first, pg};
	if (child < 0 || other < 0 || advise(other, v, 1, MADV_DONTNEED) >= 0)
		say("unexpected success in a child");
	advise(other, v, 1, MADV_COLD); /* of the child's */
	kill(child, 9);
	waitpid(child, NULL, 0);
	finish();
	return 0;
}
