/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For valgrind alone, whose Debian release does not know openat2(2): preloaded, it opens by openat(2) what asks for openat2 through syscall(3),
 * without the promise to stay beneath a folder. Built as a shared object by `make valgrind`, part of no program.
 */
#ifdef EBB_OPENAT2_SHIM
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long number, ...)
{
	long a[6], r;
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_openat2) {
		const struct open_how *how = (const struct open_how *)a[2];

		return openat((int)a[0], (const char *)a[1], (int)how->flags | ((how->resolve & RESOLVE_NO_SYMLINKS) ? O_NOFOLLOW : 0), (mode_t)how->mode);
	}
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	__asm__ volatile("syscall" : "=a"(r) : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	if (r < 0 && r > -4096) {
		errno = (int)-r;
		return -1;
	}
	return r;
}
#else
extern int ebb_openat2_shim_is_not_built_in;
#endif
