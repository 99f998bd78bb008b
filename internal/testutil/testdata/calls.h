/* The calls that map memory, by their libc wrappers or, with -DRAW, as bare
 * system call instructions in the caller's own body. */
#ifndef CALLS_H
#define CALLS_H

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef RAW

__attribute__((always_inline)) static inline long raw6(long nr, long a, long b, long c, long d,
						       long e, long f)
{
	long ret;
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	ret = x0;
#else
#error "no bare system call for this machine"
#endif
	if (ret < 0 && ret > -4096) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}

#define do_mmap(a, n, p, f, fd, o) ((char *)raw6(SYS_mmap, (long)(a), n, p, f, fd, o))
#define do_munmap(a, n) ((int)raw6(SYS_munmap, (long)(a), n, 0, 0, 0, 0))
#define do_mremap(a, o, n, f) ((char *)raw6(SYS_mremap, (long)(a), o, n, f, 0, 0))
#define do_shmat(id, a, f) ((char *)raw6(SYS_shmat, id, (long)(a), f, 0, 0, 0))
#define do_brk(a) ((char *)raw6(SYS_brk, (long)(a), 0, 0, 0, 0, 0))
#define do_syscall6(nr, a, b, c, d, e, f) raw6(nr, (long)(a), b, c, d, e, f)

#else

#define do_mmap(a, n, p, f, fd, o) ((char *)mmap(a, n, p, f, fd, o))
#define do_munmap(a, n) munmap(a, n)
#define do_mremap(a, o, n, f) ((char *)mremap(a, o, n, f))
#define do_shmat(id, a, f) ((char *)shmat(id, a, f))
#define do_syscall6(nr, a, b, c, d, e, f) syscall(nr, a, b, c, d, e, f)
#ifdef __GLIBC__
#define do_brk(a) (brk(a) ? (char *)-1 : (char *)(a))
#else /* musl refuses brk */
#define do_brk(a) ((char *)syscall(SYS_brk, a))
#endif

#endif
#endif
