/* The program whose report is in the README: a server that loads images into
 * buffers, and forgets those of requests that fail.
 *
 *	cc -g -O2 -o imgserver docs/example.c && ./imgserver &
 *	sudo mmtrace -p $!
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (512 << 10)

static __attribute__((noinline)) char *load_image(void)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		_exit(1);
	memset(p, 1, SIZE);
	return p;
}

static __attribute__((noinline)) void handle_request(int n)
{
	char *image = load_image();
	if (n % 7 == 0)
		return; /* an error: the image is lost */
	munmap(image, SIZE);
}

int main(void)
{
	for (int n = 1;; n++) {
		handle_request(n);
		usleep(20000);
	}
}
