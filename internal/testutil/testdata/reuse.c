/* THREADS (4) threads that use each other's addresses again and again.
 *
 *	reuse [THREADS [ROUNDS]]
 *
 * Every thread makes ROUNDS (20000; 0: until stdin says "stop") blocks of 1 to 8 pages, moves some by mremap,
 * and leaves them where another thread finds them and gives them back. It gives
 * back nothing but what a call has returned, so what it does has one meaning in
 * every order in which a call that gives back counts from its begin, and one that
 * maps, from its return. Every 64th block is kept.
 *
 *	truth reuse_kept BYTES
 *	truth reuse_passed BYTES
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "fixture.h"

#define SLOTS 16

struct block {
	char *at;
	size_t size;
};

static _Atomic(struct block *) slots[SLOTS];
static atomic_size_t kept;
static int rounds;
static atomic_int stopped;

PLANTED static char *reuse_kept(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

PLANTED static char *reuse_passed(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

/* pass leaves b in a slot and gives back what was there. */
static void pass(struct block *b, int slot)
{
	struct block *old = atomic_exchange(&slots[slot], b);
	if (!old)
		return;
	if (munmap(old->at, old->size))
		die("munmap");
	free(old);
}

static void *work(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	size_t page = page_size();
	for (int i = 1; rounds ? i <= rounds : !atomic_load(&stopped); i++) {
		size_t size = (1 + next(&seed) % 8) * page;
		if (i % 64 == 0) {
			keep(reuse_kept(size));
			atomic_fetch_add(&kept, size);
			continue;
		}
		struct block *b = malloc(sizeof *b);
		if (!b)
			die("malloc");
		b->at = reuse_passed(size);
		b->size = size;
		if (next(&seed) % 2) { /* grows where it is or elsewhere, or shrinks */
			b->size = (1 + next(&seed) % 12) * page;
			b->at = mremap(b->at, size, b->size, MREMAP_MAYMOVE);
			if (b->at == MAP_FAILED)
				die("mremap");
		}
		pass(b, next(&seed) % SLOTS);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4;
	pthread_t th[64];
	rounds = argc > 2 ? atoi(argv[2]) : 20000;
	if (n > 64)
		n = 64;
	ready();
	for (int i = 0; i < n; i++) {
		errno = pthread_create(&th[i], NULL, work, (void *)(uintptr_t)(i + 1));
		if (errno)
			die("pthread_create");
	}
	if (!rounds)
		await("stop");
	atomic_store(&stopped, 1);
	for (int i = 0; i < n; i++)
		pthread_join(th[i], NULL);
	size_t passed = 0;
	for (int i = 0; i < SLOTS; i++)
		passed += slots[i] ? slots[i]->size : 0;
	say("truth reuse_kept %zu", atomic_load(&kept));
	say("truth reuse_passed %zu", passed);
	finish();
	return 0;
}
