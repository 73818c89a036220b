/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Little-endian numbers in bytes of any alignment, as file formats have them.
 *
 * Threads: pure functions.
 */
#ifndef EBB_CORE_LE_H
#define EBB_CORE_LE_H

#include <stdint.h>

static inline uint16_t ebb_le_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t ebb_le_get32(const uint8_t *p)
{
	return ebb_le_get16(p) | (uint32_t)ebb_le_get16(p + 2) << 16;
}

static inline uint64_t ebb_le_get64(const uint8_t *p)
{
	return ebb_le_get32(p) | (uint64_t)ebb_le_get32(p + 4) << 32;
}

static inline void ebb_le_put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static inline void ebb_le_put64(uint8_t *p, uint64_t v)
{
	ebb_le_put32(p, (uint32_t)v);
	ebb_le_put32(p + 4, (uint32_t)(v >> 32));
}

#endif
