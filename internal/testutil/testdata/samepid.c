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
#include <fcntl.h>
#include <sys/mman.h>
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

/* choose makes pid the next one that fork uses, if it is free. */
static void choose(int pid)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%d", pid - 1);
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, n) != n)
		die("ns_last_pid");
	close(fd);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 100, want = argc > 2 ? atoi(argv[2]) : 1000;
	ready();
	for (int i = 0; i < n; i++) {
		choose(want);
		pid_t pid = fork();
		if (pid == 0) {
			samepid_child();
			_exit(0);
		}
		int status;
		if (pid != want || waitpid(pid, &status, 0) != pid || status != 0) {
			errno = ECHILD;
			die("a child of the wanted id");
		}
		samepid_parent();
	}
	say("truth samepid_parent %zu", 3 * page_size() * (size_t)n);
	finish();
	return 0;
}
