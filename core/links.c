/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/links.h"

#include <stdlib.h>

void ebb_links_release(struct ebb_links *l)
{
	free(l->slots);
	*l = (struct ebb_links){0};
}

static size_t home(const struct ebb_links *l, uint64_t dev, uint64_t ino)
{
	uint64_t h = (ino ^ (dev << 32 | dev >> 32)) * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(h ^ h >> 32) & (l->size - 1);
}

/* Slot of the inode, or the free one where it belongs. */
static size_t find(const struct ebb_links *l, uint64_t dev, uint64_t ino)
{
	size_t i = home(l, dev, ino);

	while (l->slots[i].left && (l->slots[i].ino != ino || l->slots[i].dev != dev))
		i = (i + 1) & (l->size - 1);
	return i;
}

static int grow(struct ebb_links *l)
{
	struct ebb_links bigger = {.size = l->size ? l->size * 2 : 256, .used = l->used};

	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -EBB_ENOMEM;
	for (size_t i = 0; i < l->size; i++)
		if (l->slots[i].left)
			bigger.slots[find(&bigger, l->slots[i].dev, l->slots[i].ino)] = l->slots[i];
	free(l->slots);
	*l = bigger;
	return 0;
}

/* Free slot @i and move up what probing would no longer find (Knuth, TAOCP 3, 6.4, algorithm R). */
static void drop(struct ebb_links *l, size_t i)
{
	size_t mask = l->size - 1;

	l->used--;
	for (size_t j = (i + 1) & mask; l->slots[j].left; j = (j + 1) & mask) {
		size_t h = home(l, l->slots[j].dev, l->slots[j].ino);
		if (((j - h) & mask) >= ((j - i) & mask)) {
			l->slots[i] = l->slots[j];
			i = j;
		}
	}
	l->slots[i].left = 0;
}

int ebb_links_meet(struct ebb_links *l, uint64_t dev, uint64_t ino, uint64_t nlink,
		   struct ebb_err *err)
{
	size_t i;

	if (l->used >= l->size / 4 * 3 && grow(l) < 0)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for %zu inodes with several names",
				   l->used);
	i = find(l, dev, ino);
	if (!l->slots[i].left) {
		l->slots[i] = (struct ebb_links_slot){dev, ino, nlink - 1};
		l->used++;
		return 1;
	}
	if (--l->slots[i].left == 0)
		drop(l, i);
	return 0;
}
