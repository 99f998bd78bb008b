/* Calls getppid on stacks of every shape that compilers make. */
#define _GNU_SOURCE
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "fixture.h"

static volatile int sink;

PLANTED static void leaf(void)
{
	keep(getppid());
}

/* The stub alone, without libc: a frameless function that makes the call. */
PLANTED static void map(void)
{
	void *p = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	keep(p);
	munmap(p, 4096);
}

PLANTED static void deep(int n)
{
	volatile char room[200];
	room[n] = 1;
	if (n > 0)
		deep(n - 1);
	else
		leaf();
	sink += room[n];
}

/* Of a size that only the frame pointer knows. */
PLANTED static void sized(int n)
{
	volatile char *room = alloca(n * 64);
	room[0] = 1;
	if (n > 1)
		sized(n - 1);
	else
		leaf();
	sink += room[0];
}

/* Aligned to more than the ABI gives: the CFA is kept in memory or in rbp. */
PLANTED static void realigned(int n)
{
	volatile char room[64] __attribute__((aligned(64)));
	volatile char *more = alloca(n * 16 + 16);
	room[0] = more[0] = 1;
	if (n > 0)
		realigned(n - 1);
	else
		leaf();
	sink += room[0] + more[0];
}

PLANTED static int compare(const void *a, const void *b)
{
	if (sink++ < 0)
		leaf();
	return *(const int *)a - *(const int *)b;
}

PLANTED static void called_back(void)
{
	int v[] = { 3, 1, 2 };
	sink = -2;
	qsort(v, 3, sizeof v[0], compare);
	keep(v[0]);
}

PLANTED static void handler(int signal)
{
	deep(2);
	sink += signal;
}

PLANTED static void interrupted(void)
{
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	stack_t alt = { .ss_sp = malloc(65536), .ss_size = 65536 };
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	sigaltstack(&alt, 0);
	sigaction(SIGUSR1, &act, 0);
	raise(SIGUSR1);
	keep(alt.ss_sp);
}

static void *thread(void *arg)
{
	deep(3);
	return arg;
}

PLANTED static void work(void)
{
	leaf();
	map();
	for (int i = 0; i < 12; i++)
		deep(i * 10);
	deep(190);
	sized(5);
	realigned(3);
	called_back();
	interrupted();
	pthread_t t;
	pthread_create(&t, 0, thread, 0);
	pthread_join(t, 0);
}

int main(void)
{
	ready();
	work();
	finish();
	return 0;
}
