/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Promises: P1 P12 */
#include "scanners/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compress/codec.h"
#include "compress/digest.h"
#include "compress/pipe.h"
#include "scanners/store_faulty.h"
#include "scanners/store_memory.h"
#include "tests/support/scratch.h"
#include "tests/support/store_suite.h"
#include "tests/support/unit.h"

#define expect ebb_store_suite_expect
#define STORE EBB_CLEANUP(ebb_store_closep) struct ebb_store
#define PROOF EBB_CLEANUP(ebb_proof_freep) struct ebb_proof

static struct ebb_store *memory(const char *name)
{
	const struct ebb_store_config cfg = {.name = name, .type = "memory"};
	struct ebb_store *s = NULL;
	struct ebb_err err = {0};

	expect(ebb_store_open(&cfg, &s, &err), 0, &err);
	return s;
}

static void put(struct ebb_store *s, const char *key, const void *data, size_t len)
{
	struct ebb_err err = {0};

	expect(ebb_store_memory_put(s, key, data, len, &err), 0, &err);
}

static char text[20000];

/* A source "a" of some text, and what to verify about a copy "b" of it. */
static struct ebb_proof_copy fixture(struct ebb_store *src, struct ebb_store *dst,
				     struct ebb_record *rec)
{
	struct ebb_proof_copy c = {.src = src, .src_key = "a", .src_rec = rec, .dst = dst,
				   .dst_key = "b"};
	struct ebb_err err = {0};

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)("tide and ebb "[i % 13] + (i % 997 == 0));
	put(src, "a", text, sizeof(text));
	put(dst, "b", text, sizeof(text));
	expect(ebb_store_head(src, "a", rec, &err), 0, &err);
	expect(ebb_digest_of(&ebb_digest_xxh128, text, sizeof(text), c.src_digest, &err), 0, &err);
	return c;
}

/* The proof is refused with @code, and nothing comes out. */
static void refused(const struct ebb_proof_copy *c, int code)
{
	struct ebb_proof *p = NULL;
	struct ebb_err err = {0};

	expect(ebb_proof_verified(c, &p, &err), code, &err);
	ck_assert_ptr_null(p);
}

START_TEST(p1_a_verified_copy_lets_the_source_go)
{
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	PROOF *p = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	const struct ebb_proof_copy c = fixture(src, dst, &rec);

	expect(ebb_proof_verified(&c, &p, &err), 0, &err);
	ck_assert_ptr_eq(ebb_proof_store(p), src);
	ck_assert_str_eq(ebb_proof_key(p), "a");
	ck_assert(ebb_record_same_content(ebb_proof_record(p), &rec));
	expect(ebb_store_remove(dst, "b", p, &err), EBB_EINVAL, &err);
	expect(ebb_store_remove(src, "a", p, &err), 0, &err);
	ebb_store_suite_keys(src, NULL, NULL, "");
	ebb_store_suite_keys(dst, NULL, NULL, "b ");
}
END_TEST

START_TEST(one_wrong_byte_proves_nothing)
{
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	struct ebb_record rec;
	const struct ebb_proof_copy c = fixture(src, dst, &rec);

	text[17777] ^= 1;
	put(dst, "b", text, sizeof(text));
	refused(&c, EBB_EMISMATCH);
	text[17777] ^= 1;
	put(dst, "b", text, sizeof(text) - 1);
	refused(&c, EBB_EMISMATCH);
	put(dst, "b", "", 0);
	refused(&c, EBB_EMISMATCH);
	ck_assert_int_eq(ebb_store_memory_drop(dst, "b", NULL), 0);
	refused(&c, EBB_ENOENT);
}
END_TEST

START_TEST(a_source_that_changed_stays)
{
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	PROOF *p = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	const struct ebb_proof_copy c = fixture(src, dst, &rec);

	expect(ebb_proof_verified(&c, &p, &err), 0, &err);
	put(src, "a", text, sizeof(text));
	expect(ebb_store_remove(src, "a", p, &err), EBB_ECHANGED, &err);
	refused(&c, EBB_ECHANGED);
	ebb_store_suite_keys(src, NULL, NULL, "a ");
}
END_TEST

START_TEST(metadata_must_have_come_along)
{
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	PROOF *p = NULL;
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta meta = {0};
	struct ebb_record rec;
	struct ebb_err err = {0};
	struct ebb_proof_copy c = fixture(src, dst, &rec);

	expect(ebb_store_get_meta(src, "a", &meta, &err), 0, &err);
	expect(ebb_store_set_meta(dst, "b", &meta, EBB_META_ALL, &err), 0, &err);
	c.meta = EBB_META_ALL;
	expect(ebb_proof_verified(&c, &p, &err), 0, &err);
	meta.atime++;	/* somebody read the copy */
	expect(ebb_store_set_meta(dst, "b", &meta, EBB_META_TIMES, &err), 0, &err);
	ebb_proof_free(p);
	p = NULL;
	expect(ebb_proof_verified(&c, &p, &err), 0, &err);
	meta.mtime++;
	expect(ebb_store_set_meta(dst, "b", &meta, EBB_META_TIMES, &err), 0, &err);
	refused(&c, EBB_EMISMATCH);
	c.meta = EBB_META_MODE;
	ebb_proof_free(p);
	p = NULL;
	expect(ebb_proof_verified(&c, &p, &err), 0, &err);
}
END_TEST

/* A bit flips at rest in a copy that was committed: each level says what it sees of that, and of a cut. */
START_TEST(p1_each_level_catches_what_it_says)
{
	static const struct {
		enum ebb_proof_level level;
		bool checked;		/* the store compares checksums */
		int flipped, cut, fine;	/* what is said of such copies, in place of a proof */
	} row[] = {
		{EBB_PROOF_DIGEST, false, EBB_EMISMATCH, EBB_EMISMATCH, 0},
		{EBB_PROOF_BYTES, false, EBB_EMISMATCH, EBB_EMISMATCH, 0},
		{EBB_PROOF_SIZE, false, 0, EBB_EMISMATCH, 0},
		{EBB_PROOF_CHECKED, true, 0, EBB_EMISMATCH, 0},
		{EBB_PROOF_CHECKED, false, EBB_EINVAL, EBB_EINVAL, EBB_EINVAL},
	};

	for (size_t i = 0; i < EBB_ARRAY_LEN(row); i++) {
		STORE *src = memory("src");
		STORE *dst = memory("dst");
		struct ebb_record rec, copy;
		struct ebb_err err = {0};
		struct ebb_proof_copy c = fixture(src, dst, &rec);
		const int want[] = {row[i].fine, row[i].flipped, row[i].cut};

		c.level = row[i].level;
		c.dst_rec = &copy;
		dst->caps |= row[i].checked ? EBB_CAP_CHECKED : 0;
		for (size_t how = 0; how < EBB_ARRAY_LEN(want); how++) {
			PROOF *p = NULL;

			text[777] ^= how == 1;
			put(dst, "b", text, sizeof(text) - (how == 2));
			text[777] ^= how == 1;
			expect(ebb_store_head(dst, "b", &copy, &err), 0, &err);
			expect(ebb_proof_verified(&c, &p, &err), want[how], &err);
			ck_assert_int_eq(p != NULL, want[how] == 0);
		}
		/* and a copy that is another than the one committed */
		put(dst, "b", text, sizeof(text));
		expect(ebb_store_head(dst, "b", &copy, &err), 0, &err);
		put(dst, "b", text, sizeof(text));
		if (row[i].level == EBB_PROOF_SIZE)
			refused(&c, EBB_ECHANGED);
		c.dst_rec = NULL;
		if (row[i].level == EBB_PROOF_SIZE)
			refused(&c, EBB_EINVAL);
	}
}
END_TEST

/* The first reading was wrong, and so the copy and its digest: only who reads the original again can know. */
START_TEST(p1_bytes_are_compared_with_a_second_reading)
{
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	PROOF *p = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	struct ebb_proof_copy c = fixture(src, dst, &rec);

	text[19999] ^= 1;
	put(dst, "b", text, sizeof(text));
	expect(ebb_digest_of(&ebb_digest_xxh128, text, sizeof(text), c.src_digest, &err), 0, &err);
	expect(ebb_proof_verified(&c, &p, &err), 0, &err);
	c.level = EBB_PROOF_BYTES;
	refused(&c, EBB_EMISMATCH);
}
END_TEST

/* P12: what was transformed is decoded and compared, whatever is asked for. */
START_TEST(p12_no_level_spares_decoding)
{
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	struct ebb_record rec, copy;
	struct ebb_err err = {0};
	struct ebb_proof_copy c = fixture(src, dst, &rec);

	expect(ebb_store_head(dst, "b", &copy, &err), 0, &err);
	dst->caps |= EBB_CAP_CHECKED;
	c.dst_rec = &copy;
	c.codec = ebb_codec_find("zstd");
	c.level = EBB_PROOF_SIZE;
	refused(&c, EBB_EINVAL);
	c.level = EBB_PROOF_CHECKED;
	refused(&c, EBB_EINVAL);
	c.level = EBB_PROOF_BYTES;
	refused(&c, EBB_ECORRUPT);
}
END_TEST

struct bytes {
	const char *in;
	size_t in_len;
	struct ebb_buf out;
};

static int64_t take(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	struct bytes *b = ctx;

	(void)err;
	if (len > b->in_len)
		len = b->in_len;
	memcpy(buf, b->in, len);
	b->in += len;
	b->in_len -= len;
	return (int64_t)len;
}

static int give(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	struct bytes *b = ctx;

	(void)err;
	return ebb_buf_add(&b->out, buf, len);
}

static void encode(const struct ebb_codec *codec, const char *data, size_t len, struct ebb_buf *ret)
{
	struct bytes b = {.in = data, .in_len = len, .out = EBB_BUF_INIT(1 << 20)};
	const struct ebb_pipe pipe = {.read = take, .read_ctx = &b, .write = give, .write_ctx = &b,
				      .mode = EBB_PIPE_ENCODE, .codec = codec, .raw_size = -1};
	struct ebb_pipe_result result;
	struct ebb_err err = {0};

	expect(ebb_pipe_run(&pipe, &result, &err), 0, &err);
	*ret = b.out;
}

START_TEST(p12_encoded_copies_are_decoded)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = {0};
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	PROOF *p = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	struct ebb_proof_copy c = fixture(src, dst, &rec);

	encode(&ebb_codec_zstd, text, sizeof(text), &coded);
	put(dst, "b", coded.data, coded.len);
	refused(&c, EBB_EMISMATCH);
	c.codec = &ebb_codec_zstd;
	expect(ebb_proof_verified(&c, &p, &err), 0, &err);
	put(dst, "b", coded.data, coded.len - 1);
	refused(&c, EBB_ECORRUPT);
	c.codec = &ebb_codec_lz4;
	put(dst, "b", coded.data, coded.len);
	refused(&c, EBB_ECORRUPT);
}
END_TEST

START_TEST(a_copy_that_decodes_to_more_is_stopped)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = {0};
	EBB_CLEANUP(ebb_mem_freep) char *zeroes = calloc(1, 10 << 20);
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	struct ebb_record rec;
	struct ebb_proof_copy c = fixture(src, dst, &rec);

	encode(&ebb_codec_zstd, zeroes, 10 << 20, &coded);
	put(dst, "b", coded.data, coded.len);
	c.codec = &ebb_codec_zstd;
	refused(&c, EBB_EMISMATCH);
}
END_TEST

/* The other way round: the source is encoded, the copy is what it decodes to. */
START_TEST(decoded_copies_are_proven_by_their_content)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf coded = {0};
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	PROOF *p = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	struct ebb_proof_copy c = fixture(src, dst, &rec);

	encode(&ebb_codec_zstd, text, sizeof(text), &coded);
	put(src, "a", coded.data, coded.len);
	expect(ebb_store_head(src, "a", &rec, &err), 0, &err);
	expect(ebb_proof_verified(&c, &p, &err), 0, &err);
}
END_TEST

START_TEST(a_copy_is_not_the_source_itself)
{
	const char *dir = ebb_scratch_new();
	const struct ebb_store_config cfg = {.name = "one", .type = "fs", .path = dir},
				      twin = {.name = "two", .type = "fs", .path = dir};
	STORE *one = NULL;
	STORE *two = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};
	char a[4200], l[4200];

	expect(ebb_store_open(&cfg, &one, &err), 0, &err);
	expect(ebb_store_open(&twin, &two, &err), 0, &err);
	ebb_store_suite_write(one, "a", "abc", 3, &rec);
	struct ebb_proof_copy c = {.src = one, .src_key = "a", .src_rec = &rec, .dst = one,
				   .dst_key = "a"};
	expect(ebb_digest_of(&ebb_digest_xxh128, "abc", 3, c.src_digest, &err), 0, &err);
	refused(&c, EBB_EINVAL);
	c.dst = two;	/* two stores over one directory */
	refused(&c, EBB_EMISMATCH);
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(l, sizeof(l), "%s/l", dir);
	ck_assert_int_eq(link(a, l), 0);
	c.dst_key = "l";
	expect(ebb_store_head(one, "a", &rec, &err), 0, &err);
	refused(&c, EBB_EMISMATCH);
}
END_TEST

static void change_source(void *ctx)
{
	put(ctx, "a", "new", 3);
}

static void change_copy(void *ctx)
{
	put(ctx, "b", "new", 3);
}

/* Either side is changed while the copy is read back. */
static void changed_meanwhile(void (*change)(void *ctx), bool source)
{
	STORE *src = memory("src");
	struct ebb_store *inner = memory("dst");
	STORE *dst = NULL;
	struct ebb_record rec;
	struct ebb_proof_copy c = fixture(src, inner, &rec);
	const struct ebb_store_faulty_fault fault = {.op = EBB_FAULTY_READ, .nth = 2, .hook = change,
						     .hook_ctx = source ? src : inner};
	const struct ebb_store_faulty_script script = {.faults = &fault, .nfaults = 1};

	ck_assert_int_eq(ebb_store_faulty_wrap(inner, &script, &dst, NULL), 0);
	c.dst = dst;
	refused(&c, EBB_ECHANGED);
}

START_TEST(nothing_may_change_during_the_reading)
{
	changed_meanwhile(change_source, true);
	changed_meanwhile(change_copy, false);
}
END_TEST

START_TEST(empty_records_prove_nothing)
{
	STORE *src = memory("src");
	STORE *dst = memory("dst");
	struct ebb_record rec, none = {0};
	struct ebb_proof *p = NULL;
	struct ebb_err err = {0};
	struct ebb_proof_copy c = fixture(src, dst, &rec);

	c.src_rec = &none;
	refused(&c, EBB_EINVAL);
	ebb_record_set(&none, EBB_F_SIZE, 1);
	refused(&c, EBB_EINVAL);
	expect(ebb_proof_purge(src, "a", &none, EBB_PROOF_PURGE_WORDS, &p, &err), EBB_EINVAL, &err);
	expect(ebb_proof_purge(src, "a", NULL, EBB_PROOF_PURGE_WORDS, &p, &err), EBB_EINVAL, &err);
	expect(ebb_proof_expired(src, ".ebb-trash/a", &none, 1, 2, &p, &err), EBB_EINVAL, &err);
	ck_assert_ptr_null(p);
}
END_TEST

START_TEST(a_purge_takes_the_words)
{
	STORE *s = memory("s");
	PROOF *p = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};

	put(s, "a", "abc", 3);
	expect(ebb_store_head(s, "a", &rec, &err), 0, &err);
	expect(ebb_proof_purge(s, "a", &rec, NULL, &p, &err), EBB_EINVAL, &err);
	expect(ebb_proof_purge(s, "a", &rec, "", &p, &err), EBB_EINVAL, &err);
	expect(ebb_proof_purge(s, "a", &rec, "can not be undone", &p, &err), EBB_EINVAL, &err);
	ck_assert_ptr_null(p);
	expect(ebb_proof_purge(s, "a", &rec, "cannot be undone", &p, &err), 0, &err);
	expect(ebb_store_remove(s, "a", p, &err), 0, &err);
}
END_TEST

START_TEST(trash_goes_when_its_time_is_over)
{
	STORE *s = memory("s");
	PROOF *p = NULL;
	struct ebb_record rec;
	struct ebb_err err = {0};

	put(s, ".ebb-trash/run/a", "abc", 3);
	put(s, "a", "abc", 3);
	expect(ebb_store_head(s, ".ebb-trash/run/a", &rec, &err), 0, &err);
	expect(ebb_proof_expired(s, "a", &rec, 10, 20, &p, &err), EBB_EINVAL, &err);
	expect(ebb_proof_expired(s, ".ebb-trash", &rec, 10, 20, &p, &err), EBB_EINVAL, &err);
	expect(ebb_proof_expired(s, ".ebb-trash/../a", &rec, 10, 20, &p, &err), EBB_EINVAL, &err);
	expect(ebb_proof_expired(s, ".ebb-trash/run/a", &rec, 10, 9, &p, &err), EBB_EINVAL, &err);
	ck_assert_ptr_null(p);
	expect(ebb_proof_expired(s, ".ebb-trash/run/a", &rec, 10, 10, &p, &err), 0, &err);
	expect(ebb_store_remove(s, ".ebb-trash/run/a", p, &err), 0, &err);
	ebb_store_suite_keys(s, NULL, NULL, ".ebb-trash/ .ebb-trash/run/ a ");
	ebb_proof_free(NULL);
}
END_TEST

EBB_UNIT_MAIN("proof", p1_a_verified_copy_lets_the_source_go, one_wrong_byte_proves_nothing,
	      a_source_that_changed_stays, metadata_must_have_come_along,
	      p1_each_level_catches_what_it_says, p1_bytes_are_compared_with_a_second_reading, p12_no_level_spares_decoding,
	      p12_encoded_copies_are_decoded, a_copy_that_decodes_to_more_is_stopped,
	      decoded_copies_are_proven_by_their_content, a_copy_is_not_the_source_itself,
	      nothing_may_change_during_the_reading, empty_records_prove_nothing,
	      a_purge_takes_the_words, trash_goes_when_its_time_is_over)
