/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A growing byte buffer with a cap.
 *
 * Invariants: data[len] is NUL whenever data is not NULL; len <= cap; after a failed append the
 * contents are what they were. Bytes may be any, NUL among them.
 * Threads: each buffer belongs to one thread at a time.
 */
#ifndef EBB_CORE_BUF_H
#define EBB_CORE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct ebb_buf {
	char *data;	/* NULL while empty and unallocated */
	size_t len;	/* bytes in use, without the NUL */
	size_t size;	/* bytes allocated */
	size_t cap;	/* most bytes ever in use; fixed at init, never 0 */
};

/* Prepare an empty buffer that holds at most @cap bytes. Allocates nothing yet. */
void ebb_buf_init(struct ebb_buf *b, size_t cap);

/* Static initialiser with the same meaning. */
#define EBB_BUF_INIT(c) ((struct ebb_buf){.cap = (c)})

/* Free the memory; the buffer is unusable until the next init. A zeroed buffer is accepted. */
void ebb_buf_release(struct ebb_buf *b);

/* Empty it, keep the memory. */
void ebb_buf_clear(struct ebb_buf *b);

/*
 * Make room for @extra more bytes, so that adding that many cannot fail. Also with 0 it allocates,
 * so that data is a C string. Returns 0 or -EBB_ENOMEM (memory or cap).
 */
int ebb_buf_reserve(struct ebb_buf *b, size_t extra);

/*
 * Append bytes, a string, one byte, formatted text. What is appended must not lie in the buffer
 * itself.
 *
 * @return  0 or -EBB_ENOMEM (memory or cap).
 */
int ebb_buf_add(struct ebb_buf *b, const void *p, size_t len);
int ebb_buf_adds(struct ebb_buf *b, const char *s);
int ebb_buf_addc(struct ebb_buf *b, char c);
int ebb_buf_addf(struct ebb_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int ebb_buf_vaddf(struct ebb_buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/*
 * Hand the memory (NUL-terminated, never NULL) to the caller, who frees it; the buffer is empty
 * after and keeps its cap. NULL on no memory.
 */
char *ebb_buf_detach(struct ebb_buf *b);

#endif
