/* Maps one piece through the C library, keeps it and ends, about a millisecond after
 * it began.
 *
 *	short COUNT [PROGRAM]
 *
 * With COUNT it waits for "go" and has that many children, one after the other, which
 * do the same or run PROGRAM.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static char *volatile kept;

PLANTED static void short_leaf(size_t n)
{
	kept = malloc(n); /* large enough for mmap */
	if (!kept)
		die("malloc");
	kept[0] = 1;
}

PLANTED static void short_caller(size_t n)
{
	short_leaf(n + 1);
	kept[1] = 1;
}

static void run(char *program)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (program) {
			execl(program, program, (char *)NULL);
			die("execl");
		}
		short_caller(1 << 20);
		_exit(kept[1] - 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("child");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		short_caller(1 << 20);
		return kept[1] - 1;
	}
	ready();
	for (int n = atoi(argv[1]); n > 0; n--)
		run(argv[2]);
	finish();
	return 0;
}
