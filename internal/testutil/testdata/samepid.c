/* Children that all have the same process id, one after the other.
 *
 *	samepid CHILDREN [PID]
 *
 * Each of CHILDREN (100) maps 5 pages in samepid_child and exits; the parent maps 3
 * pages for each in samepid_parent. It must be in a pid namespace of its own, with
 * its /proc, where PID (1000) is free.
 *
 *	truth samepid_parent BYTES
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fixture.h"

static void map(size_t pages)
{
	char *p = mmap(NULL, pages * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	p[0] = 1;
}

PLANTED static void samepid_child(void)
{
	map(5);
	keep(0);
}

PLANTED static void samepid_parent(void)
{
	map(3);
	keep(0);
}

/* As fork, with a given id for the child: whoever else is in the namespace, such as
 * the tracer's threads, cannot take it in between. */
static pid_t fork_as(pid_t pid)
{
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
	return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 100, want = argc > 2 ? atoi(argv[2]) : 1000;
	ready();
	for (int i = 0; i < n; i++) {
		pid_t pid = fork_as(want);
		if (pid == 0) {
			samepid_child();
			_exit(0);
		}
		int status;
		if (pid != want || waitpid(pid, &status, 0) != pid || status != 0)
			die("a child of the wanted id");
		samepid_parent();
	}
	say("truth samepid_parent %zu", 3 * page_size() * (size_t)n);
	finish();
	return 0;
}
