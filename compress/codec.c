/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "compress/codec.h"

#include <inttypes.h>
#include <string.h>

static const struct ebb_codec *const table[] = {
	&ebb_codec_zstd,
	&ebb_codec_lz4,
	&ebb_codec_tensor,
};

const struct ebb_codec *ebb_codec_at(size_t i)
{
	return i < EBB_ARRAY_LEN(table) ? table[i] : NULL;
}

const struct ebb_codec *ebb_codec_find(const char *name)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(table); i++) {
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	}
	return NULL;
}

const struct ebb_codec *ebb_codec_of_key(const char *key, size_t len)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(table); i++) {
		size_t n = strlen(table[i]->suffix);

		if (len > n && memcmp(key + len - n, table[i]->suffix, n) == 0)
			return table[i];
	}
	return NULL;
}

int64_t ebb_codec_memory(int level, int window)
{
	const int64_t mib = INT64_C(1) << 20;
	int64_t base = level <= 4 ? 54 * mib : level <= 12 ? 123 * mib : 290 * mib;

	return window ? base + (INT64_C(1) << window) : base;
}

int ebb_codec_encoder_new(const struct ebb_codec *c, const struct ebb_codec_params *p,
			  struct ebb_codec_stream **ret, struct ebb_err *err)
{
	struct ebb_codec_params params = *p;
	struct ebb_codec_stream *s = NULL;

	if (params.level == 0)
		params.level = c->level_default;
	if (params.level < c->level_min || params.level > c->level_max)
		return ebb_err_set(err, EBB_EINVAL, "%s has no level %d: say %d to %d", c->name,
				   params.level, c->level_min, c->level_max);
	if (params.window && (c != &ebb_codec_zstd || params.window < 10 || params.window > EBB_CODEC_WINDOW_LOG_MAX))
		return ebb_err_set(err, EBB_EINVAL, "%s has no window of 2^%d bytes", c->name, params.window);
	if (params.threads < 1)
		params.threads = 1;
	if (params.threads > EBB_CODEC_THREADS_MAX)
		params.threads = EBB_CODEC_THREADS_MAX;
	if (params.size < 0)
		params.size = -1;

	int r = c->encoder(&params, &s, err);
	if (r < 0)
		return r;
	s->size = params.size;
	*ret = s;
	return 0;
}

int ebb_codec_decoder_new(const struct ebb_codec *c, struct ebb_codec_stream **ret,
			  struct ebb_err *err)
{
	struct ebb_codec_stream *s = NULL;
	int r = c->decoder(&s, err);

	if (r < 0)
		return r;
	s->size = -1;
	*ret = s;
	return 0;
}

/* Does the input keep to the announced size, so far and with what is pushed now? */
static int check_size(const struct ebb_codec_stream *s, size_t coming, bool end,
		      struct ebb_err *err)
{
	if (s->size < 0)
		return 0;
	uint64_t left = (uint64_t)(s->size - s->taken);
	if (coming > left || (end && coming < left))
		return ebb_err_set(err, EBB_EMISMATCH,
				   "%s than the %" PRId64 " bytes announced to the encoder",
				   coming > left ? "more" : "fewer", s->size);
	return 0;
}

int ebb_codec_step(struct ebb_codec_stream *s, struct ebb_codec_io *io, bool end,
		   struct ebb_err *err)
{
	if (s->state < 0)
		return ebb_err_set(err, -s->state, "the stream failed before");
	if (s->state > 0)
		return ebb_err_set(err, EBB_EINVAL, "the stream has ended");

	int r = check_size(s, io->in_len, end, err);
	if (r == 0) {
		size_t before = io->in_len;

		r = s->step(s, io, end, err);
		s->taken += (int64_t)(before - io->in_len);
	}
	s->state = r;
	return r;
}

void ebb_codec_stream_free(struct ebb_codec_stream *s)
{
	if (s)
		s->free(s);
}
