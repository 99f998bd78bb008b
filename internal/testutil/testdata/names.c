/* A process with names that break careless readers: its program file, its comm
 * and a file that it maps hold a newline, an escape sequence, invalid UTF-8, and
 * what looks like the end of a field.
 *
 *	names DIR
 *
 * It copies itself to DIR under such a name and execs that copy, whose threads
 * and maps are then as odd.
 *
 *	file PATH_IN_HEX
 *	comm COMM_IN_HEX
 *	truth odd_file BYTES
 *	truth odd_anon BYTES
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "fixture.h"

static const char odd[] = "a b;c\n\033[31mR) S 1\t\\012\xff\xfe (deleted)";
static const char comm[] = "c) R 1\n\033[1m\xff;";

static void hex(const char *what, const char *s)
{
	char buf[400];
	size_t n = 0;
	for (; *s && n + 3 < sizeof buf; s++)
		n += (size_t)snprintf(buf + n, 3, "%02x", (unsigned char)*s);
	say("%s %s", what, buf);
}

PLANTED static void odd_file(const char *path, size_t n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
		die("mapping the file");
	keep(fd);
}

PLANTED static void odd_anon(size_t n)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	keep(p);
}

static void copy_and_exec(const char *dir)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", dir, odd);
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat st;
	if (in < 0 || out < 0 || fstat(in, &st) || sendfile(out, in, NULL, st.st_size) != st.st_size)
		die("copying the program");
	close(out);
	execl(path, path, (char *)NULL);
	die("execl");
}

int main(int argc, char **argv)
{
	if (argc > 1)
		copy_and_exec(argv[1]);
	size_t pg = page_size();
	prctl(PR_SET_NAME, comm);
	ready();
	odd_file(argv[0], 3 * pg);
	odd_anon(53 * pg);
	hex("file", argv[0]);
	char now[16];
	prctl(PR_GET_NAME, now);
	hex("comm", now);
	say("truth odd_file %zu", 3 * pg);
	say("truth odd_anon %zu", 53 * pg);
	finish();
	return 0;
}
