/* Maps in signal handlers, also on a stack of their own, in eight threads, and in
 * a library's constructor while it is being loaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void use(size_t pages)
{
	void *p = mmap(0, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED)
		munmap(p, pages * 4096);
}

static void handler(int sig)
{
	use(sig);
}

static __attribute__((noinline)) int deep(int n)
{
	volatile char block[512];
	memset((void *)block, n, sizeof block);
	if (n)
		return deep(n - 1) + block[n];
	raise(SIGUSR1);
	use(3);
	return block[0];
}

static void *work(void *library)
{
	char own[65536];
	stack_t s = {.ss_sp = own, .ss_size = sizeof own};
	sigaltstack(&s, 0);
	for (int i = 0; getppid() != 1; i++) {
		deep(i % 100);
		if (library && i % 4 == 0) {
			void *h = dlopen(library, RTLD_NOW);
			if (h) {
				void (*f)(void) = (void (*)(void))dlsym(h, "called");
				if (f)
					f();
				dlclose(h);
			}
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction a = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};
	sigaction(SIGUSR1, &a, 0);
	puts("ready");
	fflush(stdout);
	pthread_t t[8];
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], 0, work, i == 0 && argc > 1 ? argv[1] : 0);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], 0);
}
