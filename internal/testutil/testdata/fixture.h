/* The line protocol of the fixtures, without stdio: no buffer of the C library
 * maps memory behind the back of a test.
 *
 * A fixture calls ready(), does its work, says its truths and calls finish().
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A planted function is the direct caller of what it calls, at every -O level:
 * never inlined, cloned or left by a tail call. */
#if defined(__clang__)
#define PLANTED __attribute__((noinline, disable_tail_calls, used))
#else
#define PLANTED __attribute__((noinline, noipa, used))
#endif

/* keep makes a value used, so that the call it came from is not the last thing
 * that a function does. */
#define keep(x) __asm__ volatile("" : : "r"(x) : "memory")

/* say writes one line to stdout in a single write(2). */
__attribute__((format(printf, 1, 2), unused)) static void say(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(buf, sizeof buf - 1, fmt, ap);
	va_end(ap);
	if (n < 0 || n > (int)sizeof buf - 2)
		n = sizeof buf - 2;
	buf[n++] = '\n';
	if (write(1, buf, n) != n)
		_exit(3);
}

__attribute__((unused, noreturn)) static void die(const char *what)
{
	char buf[256];
	int n = snprintf(buf, sizeof buf, "fixture: %s: %s\n", what, strerror(errno));
	if (write(2, buf, n) != n)
		_exit(4);
	_exit(1);
}

/* hear reads one line from stdin into buf, without its newline. It returns 0 at
 * the end of the input. */
__attribute__((unused)) static int hear(char *buf, size_t size)
{
	size_t n = 0;
	for (;;) {
		char c;
		ssize_t got = read(0, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		if (c == '\n')
			break;
		if (n + 1 < size)
			buf[n++] = c;
	}
	buf[n] = 0;
	return 1;
}

/* await blocks until stdin says word; the end of the input ends the fixture. */
__attribute__((unused)) static void await(const char *word)
{
	char buf[64];
	do {
		if (!hear(buf, sizeof buf))
			_exit(0);
	} while (strcmp(buf, word) != 0);
}

__attribute__((unused)) static void ready(void)
{
	say("ready");
	await("go");
}

/* finish says "done" and returns when stdin says "exit" or ends. */
__attribute__((unused)) static void finish(void)
{
	char buf[64];
	say("done");
	while (hear(buf, sizeof buf) && strcmp(buf, "exit") != 0)
		;
}

__attribute__((unused)) static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

#endif
