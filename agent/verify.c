/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/verify.h"

#include <string.h>

#include "compress/codec.h"
#include "compress/digest.h"
#include "compress/pack_read.h"
#include "compress/pipe.h"

static const char *const hows[EBB_VERIFY_HOWS] = {"nothing", "digest", "pack", "coded", "etag"};

const char *ebb_verify_how_name(enum ebb_verify_how how)
{
	return hows[how];
}

static bool ends_in(const struct ebb_record *rec, const char *suffix)
{
	size_t n = strlen(suffix);

	return rec->key_len > n && memcmp(rec->key + rec->key_len - n, suffix, n) == 0;
}

enum ebb_verify_how ebb_verify_by(const struct ebb_store *s, const struct ebb_record *rec)
{
	static const char packs[] = ".ebb-packs/";

	if (rec->known & EBB_KNOWN_DIGEST)
		return EBB_VERIFY_DIGEST;
	if (ebb_record_key_has_prefix(rec->key, rec->key_len, packs, strlen(packs)) && ends_in(rec, EBB_PACK_SUFFIX) &&
	    (ebb_store_caps(s) & EBB_CAP_RANGE))
		return EBB_VERIFY_PACK;
	if (ebb_codec_of_key(rec->key, rec->key_len))
		return EBB_VERIFY_CODED;
	if (ebb_record_has(rec, EBB_F_ETAG_HI) && ebb_record_has(rec, EBB_F_PARTS) && rec->f[EBB_F_PARTS] == 0)
		return EBB_VERIFY_ETAG;
	return EBB_VERIFY_NOTHING;
}

/* An object that is read from its beginning to its end, or by ranges. */
struct source {
	struct ebb_store *s;
	const struct ebb_record *rec;
	struct ebb_store_reader *in;
	struct ebb_digest md5;
	bool hashes;			/* it is in use */
	int64_t hole;
	const atomic_bool *cancel;
};

static int cancelled(const struct source *x, struct ebb_err *err)
{
	return x->cancel && atomic_load(x->cancel) ? ebb_err_set(err, EBB_ECANCELLED, "interrupted") : 0;
}

static int64_t read_next(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	struct source *x = ctx;
	int64_t n = cancelled(x, err);

	if (n < 0 || (x->hole == 0 && (n = ebb_store_read_hole(x->in, &x->hole, err)) < 0))
		return n;
	if (x->hole) {
		n = (int64_t)len < x->hole ? (int64_t)len : x->hole;
		memset(buf, 0, (size_t)n);
		x->hole -= n;
	} else {
		n = ebb_store_read(x->in, buf, len, err);
	}
	if (n > 0 && x->hashes)
		ebb_digest_update(&x->md5, buf, (size_t)n);
	return n;
}

static int64_t read_range(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	struct source *x = ctx;
	int64_t size = x->rec->f[EBB_F_SIZE], left = off < size ? size - off : 0;
	int r = cancelled(x, err);

	len = (int64_t)len < left ? len : (size_t)left;
	if (r == 0 && len)
		r = ebb_store_read_range(x->s, x->rec->key, x->rec, off, buf, len, err);
	return r < 0 ? r : (int64_t)len;
}

/* Read all of it, decoded by @codec if given. */
static int read_all(struct source *x, const struct ebb_codec *codec, struct ebb_pipe_result *ret, struct ebb_err *err)
{
	const struct ebb_pipe p = {.read = read_next, .read_ctx = x, .mode = codec ? EBB_PIPE_DECODE : EBB_PIPE_COPY,
				   .codec = codec, .raw_size = -1};
	int r = ebb_store_read_open(x->s, x->rec->key, x->rec, &x->in, err);

	if (r < 0)
		return r;
	r = ebb_pipe_run(&p, ret, err);
	if (r == 0)
		r = ebb_store_read_verify(x->in, err);
	ebb_store_read_close(x->in);
	x->in = NULL;
	return r;
}

static int differs(const struct ebb_record *rec, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_EMISMATCH, "'%s' holds other bytes than it did, although its size and times are the same", rec->key);
}

static int by_digest(struct ebb_content *c, const struct source *x, struct ebb_err *err)
{
	uint8_t digest[EBB_DIGEST_LEN];
	int r = ebb_content_digest(c, x->s, x->rec, x->cancel, digest, err);

	return r == 0 && memcmp(digest, x->rec->digest, EBB_DIGEST_LEN) != 0 ? differs(x->rec, err) : r;
}

static int by_pack(struct source *x, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index index = {0};
	struct ebb_err why = {0};
	int r = ebb_pack_read_index(read_range, x, x->rec->f[EBB_F_SIZE], &index, err);

	for (size_t i = 0; r == 0 && i < index.n; i++) {
		const struct ebb_pack_member *m = &index.members[i];

		r = ebb_pack_read_member(read_range, x, m, m->digest, NULL, &why);
		if (r < 0)
			ebb_err_set(err, -r, "member '%s': %s", m->key, why.msg);
	}
	return r;
}

static int by_etag(struct source *x, struct ebb_err *err)
{
	struct ebb_pipe_result got;
	struct ebb_record now = {0};
	uint8_t sum[16];
	char hex[33];
	int r = ebb_digest_init(&x->md5, &ebb_digest_md5, err);

	if (r < 0)
		return r;
	x->hashes = true;
	if ((r = read_all(x, NULL, &got, err)) == 0)
		r = ebb_digest_final(&x->md5, sum, err);
	ebb_digest_release(&x->md5);
	if (r < 0)
		return r;
	ebb_digest_hex(sum, sizeof(sum), hex);
	ebb_record_etag(&now, hex, strlen(hex));
	if (now.f[EBB_F_ETAG_HI] == x->rec->f[EBB_F_ETAG_HI] && now.f[EBB_F_ETAG_LO] == x->rec->f[EBB_F_ETAG_LO])
		return 0;
	/* a store whose tags are checksums has found that out while it was read (store_s3_read.c); others are no MD5: SSE-KMS */
	return ebb_err_set(err, EBB_ENOTSUP, "its entity tag is no checksum of its bytes");
}

int ebb_verify_object(struct ebb_content *c, struct ebb_store *s, const struct ebb_record *rec, enum ebb_verify_how how,
		      const atomic_bool *cancel, struct ebb_err *err)
{
	struct source x = {.s = s, .rec = rec, .cancel = cancel};
	struct ebb_pipe_result got;

	switch (how) {
	case EBB_VERIFY_DIGEST:
		return by_digest(c, &x, err);
	case EBB_VERIFY_PACK:
		return by_pack(&x, err);
	case EBB_VERIFY_CODED:
		return read_all(&x, ebb_codec_of_key(rec->key, rec->key_len), &got, err);
	case EBB_VERIFY_ETAG:
		return by_etag(&x, err);
	default:
		return ebb_err_set(err, EBB_EINVAL, "nothing is known of the content of '%s'", rec->key);
	}
}

/* --- Copies --- */

static int copy_content(struct source *x, const struct ebb_op *back, struct ebb_err *err)
{
	const struct ebb_pack_member row = {.key = back->to_key, .offset = back->member.at, .coded = back->member.coded,
					    .raw = back->member.raw, .size = back->member.size};
	const struct ebb_codec *codec = back->codec ? ebb_codec_find(back->codec) : NULL;
	struct ebb_pipe_result got;

	if (back->member.coded)
		return ebb_pack_read_member(read_range, x, &row, back->digest, NULL, err);
	if (back->codec && !codec)
		return ebb_err_set(err, EBB_ENOTSUP, "codec '%s' is not built in", back->codec);
	int r = read_all(x, codec, &got, err);
	return r == 0 && memcmp(got.raw_digest, back->digest, EBB_DIGEST_LEN) != 0 ? differs(x->rec, err) : r;
}

static int copy_metadata(struct ebb_store *from, const struct ebb_op *back, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta now = {0};
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta want = {0};
	bool dirs = ebb_store_caps(from) & EBB_CAP_DIRS, bare = ebb_meta_bare(&back->meta);

	ebb_meta_init(&now);
	int r = ebb_store_get_meta(from, back->key, &now, err);
	if (r == 0)
		r = ebb_meta_for(&want, &back->meta, dirs, err);
	if (r < 0)
		return r;
	want.atime = now.atime; /* reading moves it */
	return ebb_meta_compare(&want, &now, bare ? EBB_META_ALL & ~(EBB_META_OWNER | EBB_META_MODE) : EBB_META_ALL, err);
}

int ebb_verify_copy(struct ebb_store *from, const struct ebb_op *back, bool content, bool metadata, const atomic_bool *cancel,
		    struct ebb_verify_copied *ret, struct ebb_err *err)
{
	struct ebb_record rec = back->obj;
	struct source x = {.s = from, .rec = &rec, .cancel = cancel};
	int r = ebb_store_check(from, back->key, &back->obj, err);

	rec.key = back->key;
	rec.key_len = (uint32_t)strlen(back->key);
	*ret = (struct ebb_verify_copied){
		.content = content && back->has_digest,
		.metadata = metadata && back->has_meta && !back->member.coded && (ebb_store_caps(from) & EBB_CAP_META),
	};
	if (r == 0 && ret->metadata)
		r = copy_metadata(from, back, err);
	return r == 0 && ret->content ? copy_content(&x, back, err) : r;
}
