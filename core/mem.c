/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void ebb_mem_freep(void *pointer_to_pointer)
{
	int saved = errno;
	void *p;

	/* Pointers of any type come here, and only a void * may be read as void *: hence memcpy. */
	memcpy(&p, pointer_to_pointer, sizeof(p));
	free(p);
	errno = saved;
}

void ebb_mem_closep(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}
