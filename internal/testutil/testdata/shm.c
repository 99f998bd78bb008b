/* Makes shared memory of every kind and leaves it as it says, in prime numbers of
 * pages. The first argument is the name that all of it begins with, the second, if
 * there is one, a directory for files on disk. What has a name is removed when it
 * is told to exit. */
#define _GNU_SOURCE
#include "fixture.h"
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

static const char *base;
static int ids[8], count;

static size_t pages(int n) { return n * page_size(); }

/* object makes an object of POSIX shared memory with n pages that were written. */
PLANTED static int object(const char *tail, int n)
{
	char name[128];
	snprintf(name, sizeof name, "/%s-%s", base, tail);
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0640);
	if (fd < 0 || ftruncate(fd, pages(n)) || posix_fallocate(fd, 0, pages(n)))
		die(name);
	return fd;
}

static void unlink_object(const char *tail)
{
	char name[128];
	snprintf(name, sizeof name, "/%s-%s", base, tail);
	if (shm_unlink(name))
		die(name);
}

static int memfd(const char *tail, int n)
{
	char name[128];
	snprintf(name, sizeof name, "%s-%s", base, tail);
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, pages(n)) || (n && posix_fallocate(fd, 0, pages(n))))
		die(name);
	return fd;
}

PLANTED static void *map_shared(int fd, int n)
{
	char *p = mmap(NULL, pages(n), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	keep(p);
	return p;
}

PLANTED static int segment(int n, int attach)
{
	int id = shmget(IPC_PRIVATE, pages(n), 0600 | IPC_CREAT);
	ids[count++] = id;
	if (id < 0)
		die("shmget");
	char *p = shmat(id, NULL, 0);
	if (p == (char *)-1)
		die("shmat");
	memset(p, 1, pages(n));
	if (!attach && shmdt(p))
		die("shmdt");
	keep(p);
	return id;
}

/* on_disk maps a file on disk, deletes it, and keeps three descriptors of it. */
PLANTED static void on_disk(const char *dir)
{
	char name[256];
	snprintf(name, sizeof name, "%s/%s-\x1b[31m\xff" "disk", dir, base);
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, pages(31)))
		die(name);
	map_shared(fd, 31);
	map_shared(fd, 31);
	if (dup(fd) < 0 || dup(fd) < 0 || unlink(name))
		die(name);
	snprintf(name, sizeof name, "%s/%s-many", dir, base);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, pages(2)))
		die(name);
	map_shared(fd, 2);
	for (int i = 0; i < 36; i++)
		if (dup(fd) < 0)
			die("dup");
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	base = argv[1];
	ready();
	close(object("unused", 7));
	close(object("\x1b[31m", 2));
	close(object("empty", 1));
	char empty[128];
	snprintf(empty, sizeof empty, "/dev/shm/%s-empty", base);
	if (truncate(empty, 0))
		die(empty);
	int fd = object("used", 3);
	map_shared(fd, 3);
	close(fd);
	memfd("held", 11);
	memfd("void", 0);
	fd = memfd("mapped", 13);
	map_shared(fd, 13);
	close(fd);
	fd = object("gone", 17);
	map_shared(fd, 17);
	map_shared(fd, 17);
	close(fd);
	unlink_object("gone");
	fd = object("open", 19);
	if (dup(fd) < 0 || dup(fd) < 0)
		die("dup");
	unlink_object("open");
	segment(23, 0);
	int id = segment(29, 1);
	if (shmctl(id, IPC_RMID, NULL))
		die("shmctl");
	segment(5, 1);
	char *p = mmap(NULL, pages(37), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	memset(p, 1, pages(37));
	if (argc > 2)
		on_disk(argv[2]);
	finish();
	while (count > 0)
		shmctl(ids[--count], IPC_RMID, NULL);
	const char *names[] = {"unused", "\x1b[31m", "empty", "used"};
	for (int i = 0; i < 4; i++) {
		char name[128];
		snprintf(name, sizeof name, "/%s-%s", base, names[i]);
		shm_unlink(name); /* its file system may be gone */
	}
	return 0;
}
