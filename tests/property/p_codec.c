/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P12
 *
 * Codecs against themselves: however input and output are cut, encoding gives the same bytes and
 * decoding gives back the content; and one damaged byte, anywhere, gives an error or the content,
 * never other bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compress/codec.h"
#include "core/buf.h"

#define ROUNDS 150
#define CAP ((size_t)16 << 20)
#define ALL SIZE_MAX /* cut nothing */

static uint64_t state;

static uint64_t rnd(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * UINT64_C(0x2545F4914F6CDD1D) % below;
}

static void die(const char *what, const struct ebb_codec *c)
{
	printf("FAILED: %s: %s\n", c->name, what);
	exit(1);
}

/* Stretches of noise, repetition and runs. */
static void content(struct ebb_buf *out, size_t len)
{
	ebb_buf_clear(out);
	if (ebb_buf_reserve(out, len) < 0)
		exit(1);
	while (out->len < len) {
		size_t n = 1 + rnd(rnd(8) ? 300 : 20000), kind = rnd(3);
		size_t from = out->len ? rnd(out->len) : 0;

		for (size_t i = 0; i < n && out->len < len; i++) {
			char run = out->len ? out->data[from] : 'x';

			if (kind == 1 && from + i < out->len)
				run = out->data[from + i];
			ebb_buf_addc(out, kind ? run : (char)rnd(256));
		}
	}
}

/* Push all of @in, at most @most bytes at a time in and out; 1 or the error. */
static int push(struct ebb_codec_stream *s, const struct ebb_buf *in, size_t most,
		struct ebb_buf *out)
{
	static uint8_t room[1 << 17];
	size_t at = 0;
	int r = 0;

	ebb_buf_clear(out);
	while (r == 0) {
		size_t left = in->len - at, space = sizeof(room);
		bool all = most == ALL || rnd(4) == 0;

		if (most != ALL) {
			left = rnd((left < most ? left : most) + 1);
			space = 1 + rnd(most < space ? most : space);
		}
		struct ebb_codec_io io = {(const uint8_t *)in->data + at, left, room, space};
		bool end = all && at + left == in->len;
		do {
			r = ebb_codec_step(s, &io, end, NULL);
			if (ebb_buf_add(out, room, (size_t)(io.out - room)) < 0)
				return -EBB_ENOMEM;
			at = in->len ? (size_t)(io.in - (const uint8_t *)in->data) : 0;
			io.out = room;
			io.out_len = space;
		} while (r == 0 && (end || io.in_len));
	}
	return r;
}

static int decode(const struct ebb_codec *c, const struct ebb_buf *in, size_t most,
		  struct ebb_buf *out)
{
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;

	if (ebb_codec_decoder_new(c, &s, NULL) < 0)
		exit(1);
	return push(s, in, most, out);
}

static void encode(const struct ebb_codec *c, const struct ebb_codec_params *p,
		   const struct ebb_buf *in, size_t most, struct ebb_buf *out)
{
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;

	if (ebb_codec_encoder_new(c, p, &s, NULL) < 0 || push(s, in, most, out) != 1)
		die("encoding fails", c);
}

static bool same(const struct ebb_buf *a, const struct ebb_buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Put each wrong byte in place @at of the encoded bytes (or a random one) and decode. */
static void damage(const struct ebb_codec *c, struct ebb_buf *coded, const struct ebb_buf *raw,
		   size_t at, bool each)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf back = EBB_BUF_INIT(CAP);
	char was = coded->data[at];

	for (int x = each ? 1 : (int)rnd(255) + 1; x < 256; x++) {
		coded->data[at] = (char)(was ^ x);
		if (decode(c, coded, ALL, &back) == 1 && !same(&back, raw))
			die("a damaged byte passed for good", c);
		if (!each)
			break;
	}
	coded->data[at] = was;
}

static void one_round(int round)
{
	static const size_t mosts[] = {10, 1000, 70000, 1000000};
	static struct ebb_buf raw = EBB_BUF_INIT(CAP), a = EBB_BUF_INIT(CAP), b = EBB_BUF_INIT(CAP);
	const struct ebb_codec *c = ebb_codec_at((size_t)round % 3);
	size_t most = mosts[rnd(4)];
	size_t len = rnd(most == 10 ? 20000 : rnd(5) ? 200000 : 3000000);
	struct ebb_codec_params p = {.threads = 1 + (unsigned)rnd(3), .size = -1};

	p.level = (int)rnd(9) + (rnd(3) && c->level_min < 0 ? c->level_min : 1);
	content(&raw, len);
	if (rnd(2))
		p.size = (int64_t)raw.len;
	encode(c, &p, &raw, ALL, &a);
	p.threads = 1 + (unsigned)rnd(3);
	encode(c, &p, &raw, most, &b);
	if (!same(&a, &b))
		die("other pieces give other bytes", c);
	if (decode(c, &a, most, &b) != 1 || !same(&raw, &b))
		die("the content does not come back", c);
	if (len > 200000)
		return;
	for (int i = 0; i < 20; i++)
		damage(c, &a, &raw, rnd(a.len), false);
	for (size_t at = 0; round < 12 && at < 24 && at < a.len; at++)
		damage(c, &a, &raw, at, true);
}

int main(void)
{
	const char *seed = getenv("EBB_SEED");

	state = seed ? strtoull(seed, NULL, 0) : 20261124;
	printf("seed %llu\n", (unsigned long long)state);
	if (state == 0)
		state = 1;
	for (int round = 0; round < ROUNDS; round++)
		one_round(round);
	printf("%d rounds\n", ROUNDS);
	return 0;
}
