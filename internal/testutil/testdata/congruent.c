/* Two threads whose IDs are 65,536 apart map and unmap at the same time.
 *
 *	congruent [ROUNDS]
 *
 * Each makes ROUNDS (50000) pairs and keeps every 97th mapping. It takes root and
 * a kernel.pid_max above 100,000.
 *
 *	truth congruent_leaf BYTES
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "fixture.h"

#define APART 65536

static long rounds = 50000;
static pthread_barrier_t begin;

PLANTED static void congruent_leaf(long i)
{
	char *p = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || (i % 97 && munmap(p, page_size())))
		die("a pair");
	keep(p);
}

static void *work(void *arg)
{
	pthread_barrier_wait(&begin);
	for (long i = 0; i < rounds; i++)
		congruent_leaf(i);
	return arg;
}

static atomic_int got; /* ID of the newest thread; -1: none yet */

static void *check(void *arg)
{
	int tid = syscall(SYS_gettid);
	atomic_store(&got, tid);
	return tid == getpid() + APART ? work(arg) : arg;
}

/* start makes the other thread. Another process may take its ID, so it tries again. */
static pthread_t start(void)
{
	char last[32];
	pthread_t other;
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	int n = snprintf(last, sizeof last, "%d", getpid() + APART - 1);
	for (int i = 0; i < 100; i++) {
		atomic_store(&got, -1);
		if (fd < 0 || pwrite(fd, last, n, 0) != n || pthread_create(&other, NULL, check, NULL))
			die("a thread of a chosen ID");
		while (atomic_load(&got) < 0)
			sched_yield();
		if (got == getpid() + APART) {
			close(fd);
			return other;
		}
		pthread_join(other, NULL);
	}
	errno = EAGAIN;
	die("a thread of a chosen ID");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rounds = atol(argv[1]);
	pthread_barrier_init(&begin, NULL, 2);
	pthread_t other = start();
	ready();
	work(NULL);
	pthread_join(other, NULL);
	say("truth congruent_leaf %zu", 2 * ((rounds + 96) / 97) * page_size());
	finish();
	return 0;
}
