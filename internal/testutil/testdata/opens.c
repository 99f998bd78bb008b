/* Opens, duplicates, closes and maps files in every way that makes it hard to tell
 * who opened what. The argument is a directory for them. */
#define _GNU_SOURCE
#include "fixture.h"
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char *dir;

static const char *path(const char *name)
{
	static char buf[2][512];
	static int i;
	i = !i;
	snprintf(buf[i], sizeof buf[i], "%s/%s", dir, name);
	return buf[i];
}

static void make(const char *name)
{
	int fd = creat(path(name), 0600);
	if (fd < 0 || ftruncate(fd, page_size()) || close(fd))
		die(name);
}

PLANTED static int open_one(const char *name)
{
	int fd = open(path(name), O_RDWR);
	if (fd < 0)
		die(name);
	keep(&fd);
	return fd;
}

PLANTED static int open_two(const char *name)
{
	int fd = openat(AT_FDCWD, path(name), O_RDWR);
	if (fd < 0)
		die(name);
	keep(&fd);
	return fd;
}

PLANTED static int open_stream(const char *name)
{
	FILE *f = fopen(path(name), "r+");
	if (!f)
		die(name);
	keep(f);
	return fileno(f);
}

PLANTED static int make_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, page_size()))
		die(name);
	keep(&fd);
	return fd;
}

PLANTED static void map(int fd)
{
	char *p = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	*p = 1;
	keep(p);
}

static void expect(const char *what, int got, int want)
{
	if (got != want)
		say("unexpected %s: %d, want %d", what, got, want);
}

/* Two paths open one file; a copy of the second is left, and both are mapped. */
static void by_two(void)
{
	int a = open_one("both"), b = open_two("both");
	map(a);
	map(b);
	int c = fcntl(b, F_DUPFD_CLOEXEC, 50);
	map(c);
	close(a);
	close(b);
}

/* A number that was another file's, a directory's, a socket's and a pipe's before. */
static void reused(void)
{
	int fd = open_one("stale");
	close(fd);
	expect("directory", open(dir, O_RDONLY | O_DIRECTORY), fd);
	close(fd);
	expect("socket", socket(AF_UNIX, SOCK_STREAM, 0), fd);
	close(fd);
	expect("memory", make_memory("opens-reused"), fd);
	map(fd);
	expect("copy", dup2(open_two("copied"), fd), fd);
	map(fd);
}

/* A number at which one path opened a file, and another one opens it again. */
static void again(void)
{
	int fd = open_one("again");
	close(fd);
	expect("the same", open_two("again"), fd);
	map(fd);
}

/* What comes through a socket was opened by nobody known, whose number it has. */
static void received(void)
{
	int pair[2], sent = open_one("sent"), stale = open_two("before");
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair");
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &sent, sizeof sent);
	if (sendmsg(pair[0], &m, 0) != 1)
		die("sendmsg");
	close(sent);
	close(stale);
	int hold = open("/dev/null", O_RDWR); /* takes the lower number */
	if (recvmsg(pair[1], &m, 0) != 1)
		die("recvmsg");
	int got;
	memcpy(&got, CMSG_DATA(c), sizeof got);
	expect("received", got, stale);
	map(got);
	close(got);
	close(hold);
	close(pair[0]);
	close(pair[1]);
}

/* A child that shares the address space has descriptors of its own. */
static void with_child(void)
{
	int fd = open_one("mine");
	pid_t child = vfork();
	if (child == 0) {
		syscall(SYS_dup3, open_two("childs"), fd, 0);
		_exit(0);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		die("vfork");
	map(fd);
	close(fd);
}

static void *of_thread(void *fd)
{
	*(int *)fd = open_stream("thread");
	return NULL;
}

static void with_thread(void)
{
	pthread_t t;
	int fd;
	if (pthread_create(&t, NULL, of_thread, &fd) || pthread_join(t, NULL))
		die("thread");
	map(fd);
}

int main(int argc, char **argv)
{
	static const char *names[] = {"both", "stale", "copied", "again", "sent", "before", "mine", "childs", "thread", "old", "many"};
	if (argc < 2)
		return 2;
	dir = argv[1];
	for (int i = 0; i < 11; i++)
		make(names[i]);
	int old = open_one("old");
	ready();
	by_two();
	reused();
	again();
	received();
	with_child();
	with_thread();
	map(old);
	for (volatile int i = 0; i < 40; i++) /* one call, not 40 in a row */
		open_two("many");
	dup(open_one("many"));
	finish();
	return 0;
}
