/* Loaded by signals.c: maps while it is being loaded, and when it is called. */
#include <sys/mman.h>

static void use(unsigned long pages)
{
	void *p = mmap(0, pages * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(p, pages * 4096);
}

__attribute__((constructor)) static void begin(void)
{
	use(7);
}

void called(void)
{
	use(9);
	__asm__ volatile("");
}
