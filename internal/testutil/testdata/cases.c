/* One function per way to map memory and to take it back, each the direct
 * caller of what it calls and each with a size of its own.
 *
 *	cases all | NAME...
 *
 * A case is named by its function or a prefix of the name ("s02"). After the
 * work it says, per case that ran, the bytes still mapped by that function,
 * and the calls that failed on purpose:
 *
 *	truth s02_munmap_tail 77824
 *	failed s06_munmap_unaligned munmap EINVAL 1
 *
 * -DRAW makes every call a bare system call instruction.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>

#include "calls.h"
#include "fixture.h"

#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static size_t pg;
static int failures; /* of the case that runs, as it expected them */

#define must(p)                                                                                    \
	do {                                                                                       \
		if ((char *)(p) == (char *)MAP_FAILED)                                             \
			die(__func__);                                                             \
	} while (0)
#define must0(r)                                                                                   \
	do {                                                                                       \
		if ((r) != 0)                                                                      \
			die(__func__);                                                             \
	} while (0)

PLANTED static size_t s01_map_unmap(void)
{
	char *p = do_mmap(NULL, 11 * pg, RW, ANON, -1, 0);
	must(p);
	must0(do_munmap(p, 11 * pg));
	return 0;
}

PLANTED static size_t s02_munmap_tail(void)
{
	char *p = do_mmap(NULL, 67 * pg, RW, ANON, -1, 0);
	must(p);
	must0(do_munmap(p + 19 * pg, 48 * pg));
	return 19 * pg;
}

PLANTED static size_t s03_munmap_head(void)
{
	char *p = do_mmap(NULL, 71 * pg, RW, ANON, -1, 0);
	must(p);
	must0(do_munmap(p, 48 * pg));
	return 23 * pg;
}

PLANTED static size_t s04_munmap_middle(void)
{
	char *p = do_mmap(NULL, 73 * pg, RW, ANON, -1, 0);
	must(p);
	must0(do_munmap(p + 13 * pg, 44 * pg)); /* leaves 13 and 16 */
	return 29 * pg;
}

PLANTED static size_t s05_multi_span(void)
{
	char *p = do_mmap(NULL, 93 * pg, PROT_NONE, ANON, -1, 0);
	must(p);
	must0(do_munmap(p, 93 * pg));
	for (int i = 0; i < 3; i++) {
		char *q = do_mmap(p + 31 * pg * i, 31 * pg, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
		must(q);
	}
	must0(do_munmap(p, 93 * pg));
	return 0;
}

PLANTED static size_t s06_munmap_unaligned(void)
{
	char *p = do_mmap(NULL, 37 * pg, RW, ANON, -1, 0);
	must(p);
	if (do_munmap(p + 1, 37 * pg) == 0 || errno != EINVAL)
		die(__func__);
	failures = 1;
	return 37 * pg;
}

PLANTED static size_t s07_munmap_zero(void)
{
	char *p = do_mmap(NULL, 41 * pg, RW, ANON, -1, 0);
	must(p);
	if (do_munmap(p, 0) == 0 || errno != EINVAL)
		die(__func__);
	failures = 1;
	return 41 * pg;
}

PLANTED static size_t s08_mremap_grow(void)
{
	char *p = do_mmap(NULL, 7 * pg, RW, ANON, -1, 0);
	must(p);
	char *q = do_mremap(p, 7 * pg, 127 * pg, MREMAP_MAYMOVE);
	must(q);
	return 127 * pg;
}

PLANTED static size_t s09_mremap_shrink(void)
{
	char *p = do_mmap(NULL, 173 * pg, RW, ANON, -1, 0);
	must(p);
	char *q = do_mremap(p, 173 * pg, 79 * pg, 0);
	must(q);
	return 79 * pg;
}

PLANTED static size_t s10_fixed_in_reserve(void)
{
	char *p = do_mmap(NULL, 251 * pg, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	must(p);
	char *q = do_mmap(p + 53 * pg, 61 * pg, RW, ANON | MAP_FIXED, -1, 0);
	must(q);
	must0(do_munmap(p, 251 * pg));
	return 0;
}

PLANTED static size_t s11_shmat(void)
{
	int id = shmget(IPC_PRIVATE, 96 * pg + 1, IPC_CREAT | 0600);
	if (id < 0)
		die(__func__);
	char *p = do_shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	must(p);
	return 97 * pg;
}

PLANTED static size_t s12_brk(void)
{
	char *old = (char *)syscall(SYS_brk, 0);
	old = (char *)(((uintptr_t)old + pg - 1) & ~(uintptr_t)(pg - 1));
	char *now = do_brk(old + 101 * pg);
	if (now != old + 101 * pg)
		die(__func__);
	return 101 * pg;
}

PLANTED static size_t s13_raw_syscall(void)
{
	char *p = (char *)do_syscall6(SYS_mmap, NULL, 103 * pg, RW, ANON, -1, 0L);
	must(p);
	return 103 * pg;
}

PLANTED static size_t s14_failed_mmap(void)
{
	char *p = do_mmap(NULL, 1UL << 60, RW, ANON, -1, 0);
	if (p != (char *)MAP_FAILED || errno != ENOMEM)
		die(__func__);
	failures = 1;
	return 0;
}

/* The block is above every threshold of malloc, which adds a header and maps
 * whole pages. */
PLANTED static size_t s15_malloc(void)
{
	char *p = malloc(113 * pg);
	if (!p)
		die(__func__);
	keep(p);
	return 114 * pg;
}

PLANTED static size_t s16_fork_unmap(void)
{
	char *p = do_mmap(NULL, 131 * pg, RW, ANON, -1, 0);
	must(p);
	pid_t pid = fork();
	if (pid < 0)
		die(__func__);
	if (pid == 0)
		_exit(do_munmap(p, 131 * pg) != 0);
	int status;
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die(__func__);
	return 131 * pg;
}

/* The thread of s17 is made before "ready", so that its stack is no part of any
 * case. */
static sem_t s17_given, s17_taken;
static char *s17_block;

PLANTED static void s17_unmapper(void) { must0(do_munmap(s17_block, 137 * pg)); }

static void *s17_thread(void *arg)
{
	while (sem_wait(&s17_given))
		;
	s17_unmapper();
	sem_post(&s17_taken);
	for (;;)
		pause();
	return arg;
}

PLANTED static size_t s17_other_thread(void)
{
	s17_block = do_mmap(NULL, 137 * pg, RW, ANON, -1, 0);
	must(s17_block);
	sem_post(&s17_given);
	while (sem_wait(&s17_taken))
		;
	return 0;
}

PLANTED static size_t s18_file_map(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(__func__);
	char *p = do_mmap(NULL, 139 * pg, PROT_READ, MAP_PRIVATE, fd, 0);
	must(p);
	return 139 * pg;
}

PLANTED static size_t s19_plain_leak(void)
{
	char *p = do_mmap(NULL, 149 * pg, RW, ANON, -1, 0);
	must(p);
	keep(p);
	return 149 * pg;
}

/* s12 comes last: moving the break below malloc's feet must not be followed by
 * a malloc. */
static struct test {
	const char *name;
	size_t (*run)(void);
	const char *call, *error; /* of the call that fails on purpose */
	int chosen, failures;
	size_t truth;
} tests[] = {
#define CASE(f) {#f, f, NULL, NULL, 0, 0, 0}
#define FAIL(f, call, error) {#f, f, call, error, 0, 0, 0}
	CASE(s01_map_unmap),
	CASE(s02_munmap_tail),
	CASE(s03_munmap_head),
	CASE(s04_munmap_middle),
	CASE(s05_multi_span),
	FAIL(s06_munmap_unaligned, "munmap", "EINVAL"),
	FAIL(s07_munmap_zero, "munmap", "EINVAL"),
	CASE(s08_mremap_grow),
	CASE(s09_mremap_shrink),
	CASE(s10_fixed_in_reserve),
	CASE(s11_shmat),
	CASE(s13_raw_syscall),
	FAIL(s14_failed_mmap, "mmap", "ENOMEM"),
	CASE(s15_malloc),
	CASE(s16_fork_unmap),
	CASE(s17_other_thread),
	CASE(s18_file_map),
	CASE(s19_plain_leak),
	CASE(s12_brk),
};

#define NTESTS (sizeof tests / sizeof tests[0])

static int choose(const char *arg)
{
	int hits = 0;
	for (size_t i = 0; i < NTESTS; i++) {
		if (strcmp(arg, "all") && strncmp(tests[i].name, arg, strlen(arg)))
			continue;
		tests[i].chosen = 1;
		hits++;
		if (tests[i].run == s17_other_thread) {
			pthread_t th;
			sem_init(&s17_given, 0, 0);
			sem_init(&s17_taken, 0, 0);
			if (pthread_create(&th, NULL, s17_thread, NULL))
				die("pthread_create");
		}
	}
	return hits;
}

PLANTED static void run_case(struct test *t)
{
	failures = 0;
	t->truth = t->run();
	t->failures = failures;
}

int main(int argc, char **argv)
{
	pg = page_size();
	/* malloc's own bookkeeping comes before "ready"; and without a free musl links
	 * another malloc, which takes whole pages without a header. */
	char *first = malloc(1);
	keep(first);
	free(first);
	for (int i = 1; i < argc; i++) {
		if (!choose(argv[i])) {
			errno = ENOENT;
			die(argv[i]);
		}
	}
	ready();
	for (size_t i = 0; i < NTESTS; i++)
		if (tests[i].chosen)
			run_case(&tests[i]);
	for (size_t i = 0; i < NTESTS; i++) {
		struct test *t = &tests[i];
		if (!t->chosen)
			continue;
		say("truth %s %zu", t->name, t->truth);
		if (t->failures)
			say("failed %s %s %s %d", t->name, t->call, t->error, t->failures);
	}
	finish();
	return 0;
}
