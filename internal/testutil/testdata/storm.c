/* Processes that come and go: fork, vfork, threads, exec.
 *
 *	storm ROUNDS
 *
 * In each round a child forks, maps and exits; one forks and execs this program
 * again, which maps and exits; one is made by vfork and execs; and one starts a
 * thread that execs. The parent itself maps 3 pages a round in storm_leak.
 *
 *	truth storm_leak BYTES
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "fixture.h"

static char *self = "/proc/self/exe";
static char *again[] = {"storm", "again", NULL};

PLANTED static void storm_leak(size_t pages)
{
	char *p = mmap(NULL, pages * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	p[0] = 1;
}

static void *exec_again(void *arg)
{
	execv(self, again);
	keep(arg);
	_exit(127);
}

static void child(int kind)
{
	pthread_t th;
	storm_leak(5);
	switch (kind) {
	case 0:
		_exit(0);
	case 1:
		exec_again(NULL);
		break;
	default:
		if (pthread_create(&th, NULL, exec_again, NULL))
			_exit(126);
		for (;;)
			pause();
	}
}

static void reap(pid_t pid)
{
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("a child");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "again")) {
		storm_leak(11);
		return 0;
	}
	int rounds = argc > 1 ? atoi(argv[1]) : 100;
	ready();
	for (int i = 0; i < rounds; i++) {
		pid_t pids[4];
		for (int kind = 0; kind < 3; kind++) {
			pids[kind] = fork();
			if (pids[kind] == 0)
				child(kind);
		}
		pids[3] = vfork();
		if (pids[3] == 0) {
			execv(self, again);
			_exit(127);
		}
		storm_leak(3);
		for (int k = 0; k < 4; k++)
			reap(pids[k]);
	}
	say("truth storm_leak %zu", 3 * page_size() * (size_t)rounds);
	finish();
	return 0;
}
