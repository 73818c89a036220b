/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/digest.h"

#include <string.h>

#include "core/mem.h"

static const struct ebb_digest_algo *const table[] = {
	&ebb_digest_xxh128,
	&ebb_digest_sha256, &ebb_digest_md5,
};

const struct ebb_digest_algo *ebb_digest_find(const char *name)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(table); i++) {
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	}
	return NULL;
}

int ebb_digest_init(struct ebb_digest *d, const struct ebb_digest_algo *algo, struct ebb_err *err)
{
	void *state = algo->open();

	if (!state)
		return ebb_err_set(err, EBB_ENOMEM, "cannot start a %s digest", algo->name);
	*d = (struct ebb_digest){.algo = algo, .state = state};
	ebb_digest_clear(d);
	return 0;
}

void ebb_digest_release(struct ebb_digest *d)
{
	if (d->state)
		d->algo->close(d->state);
	*d = (struct ebb_digest){0};
}

void ebb_digest_clear(struct ebb_digest *d)
{
	d->failed = d->algo->reset(d->state);
}

void ebb_digest_update(struct ebb_digest *d, const void *p, size_t len)
{
	if (len && !d->failed)
		d->failed = d->algo->update(d->state, p, len);
}

int ebb_digest_final(struct ebb_digest *d, uint8_t *ret, struct ebb_err *err)
{
	uint8_t out[EBB_DIGEST_MAX];

	if (!d->failed)
		d->failed = d->algo->final(d->state, out);
	if (d->failed)
		return ebb_err_set(err, EBB_EIO, "the %s digest failed", d->algo->name);
	memcpy(ret, out, d->algo->len);
	return 0;
}

static int cannot_go_on(const struct ebb_digest *d, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOTSUP, "a %s digest cannot go on from there", d->algo->name);
}

int ebb_digest_save(const struct ebb_digest *d, uint8_t ret[EBB_DIGEST_STATE], struct ebb_err *err)
{
	if (d->failed)
		return ebb_err_set(err, EBB_EIO, "the %s digest failed", d->algo->name);
	if (!d->algo->save)
		return cannot_go_on(d, err);
	memset(ret, 0, EBB_DIGEST_STATE);
	d->algo->save(d->state, ret);
	return 0;
}

int ebb_digest_load(struct ebb_digest *d, const uint8_t state[EBB_DIGEST_STATE], struct ebb_err *err)
{
	return d->algo->load && d->algo->load(d->state, state) == 0 ? 0 : cannot_go_on(d, err);
}

int ebb_digest_of(const struct ebb_digest_algo *algo, const void *p, size_t len, uint8_t *ret,
		  struct ebb_err *err)
{
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	int r = ebb_digest_init(&d, algo, err);

	if (r < 0)
		return r;
	ebb_digest_update(&d, p, len);
	return ebb_digest_final(&d, ret, err);
}

void ebb_digest_hex(const uint8_t *p, size_t len, char *ret)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digits[p[i] >> 4];
		ret[2 * i + 1] = digits[p[i] & 15];
	}
	ret[2 * len] = '\0';
}

/* Value of a hex digit, or -1. */
static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_hex(const char *hex, size_t digits)
{
	if (strlen(hex) != digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (nibble(hex[i]) < 0)
			return false;
	}
	return true;
}

int ebb_digest_unhex(const char *hex, size_t len, uint8_t *ret, struct ebb_err *err)
{
	if (!is_hex(hex, ebb_mem_mul(len, 2)))
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not a digest of %zu hex digits", hex,
				   ebb_mem_mul(len, 2));
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
	return 0;
}
