#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int rounds = 10;
static void *shared[1024];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *arg)
{
	unsigned seed = (unsigned)(unsigned long)arg * 7919 + 1;
	for (int i = 0; i < rounds * 100; i++) {
		unsigned size = 1u << (rand_r(&seed) % (rand_r(&seed) % 50 ? 14 : 22));
		char *p = malloc(size), *old;
		memset(p, 1, size < 8192 ? size : 8192);
		pthread_mutex_lock(&lock);
		int at = rand_r(&seed) % 1024;
		old = shared[at];
		shared[at] = p;
		pthread_mutex_unlock(&lock);
		free(old);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4;
	rounds = argc > 2 ? atoi(argv[2]) : rounds;
	pthread_t th[64];
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < n && i < 64; i++)
			pthread_create(&th[i], 0, work, (void *)(long)(i + 100 * round));
		for (int i = 0; i < n && i < 64; i++)
			pthread_join(th[i], 0);
	}
	for (int i = 0; i < 1024; i++)
		free(shared[i]);
	return 0;
}
