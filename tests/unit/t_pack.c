/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <archive.h>
#include <archive_entry.h>
#include <check.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "compress/digest.h"
#include "compress/pack_format.h"
#include "compress/pack_read.h"
#include "compress/pack_recover.h"
#include "compress/pack_write.h"
#include "core/buf.h"
#include "core/le.h"
#include "tests/support/prng.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

#define CAP ((size_t)64 << 20)
#define ODD_NAME "caf\xc3\xa9/\xff\xfe odd\nname"

static int buf_sink(void *ctx, const void *p, size_t len, struct ebb_err *err)
{
	(void)err;
	return ebb_buf_add(ctx, p, len);
}

struct object {
	const struct ebb_buf *buf;
	int reads;
	int64_t len;	/* read so, when not 0 */
};

static int64_t object_read(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	struct object *o = ctx;
	int64_t size = o->len ? o->len : (int64_t)o->buf->len;
	size_t left = off < size ? (size_t)(size - off) : 0;

	(void)err;
	len = len < left ? len : left;
	memcpy(buf, o->buf->data + off, len);
	o->reads++;
	return (int64_t)len;
}

/* --- Members ------------------------------------------------------------------------------------------ */

static const uint8_t acl[] = {
	2, 0, 0, 0,				/* version */
	1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,	/* owner: rw */
	2, 0, 4, 0, 0x39, 0x30, 0,    0,	/* user 12345: r */
	2, 0, 6, 0, 0x3a, 0x30, 0,    0,	/* user 12346: rw */
	4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff,	/* group: r */
	16, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,	/* mask: rw */
	32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,	/* others: none */
};
static const struct ebb_pack_xattr xattrs[] = {
	{"system.posix_acl_access", acl, sizeof(acl)},
	{"user.binary", "\0\1\n=\xff", 5},
	{"user.empty", "", 0},
	{"user.owner", "research", 8},
};
static const struct ebb_pack_extent extents[] = {{65536, 4096}, {3000000, 1000}};
static char long_name[3000];

/* A set that has everything in it. */
static const struct ebb_pack_entry entries[] = {
	{.key = "a/plain.txt", .size = 5000, .mode = 0644, .mtime = 1700000000123456789, .atime = 5},
	{.key = "a/empty", .size = 0, .mode = 0600, .mtime = -1, .atime = -1500000001},
	{.key = ODD_NAME, .size = 100, .mode = 04711, .uid = 4000000000, .gid = 3000000000},
	{.key = long_name, .size = 77777, .mode = 0400},
	{.key = "attrs", .size = 10, .mode = 0660, .xattrs = xattrs, .nxattrs = EBB_ARRAY_LEN(xattrs)},
	{.key = "holes", .size = 4000000, .mode = 0644, .extents = extents,
	 .nextents = EBB_ARRAY_LEN(extents)},
	{.key = "large", .size = 9500000, .mode = 0644},
	{.key = "z", .size = 1, .mode = 0644},
};

static void long_name_make(void)
{
	for (size_t i = 0; i < sizeof(long_name) - 1; i++)
		long_name[i] = i % 200 == 199 ? '/' : (char)('a' + i % 26);
}

/* Byte @i of a member's content; zero in holes. */
static uint8_t content(const struct ebb_pack_entry *e, int64_t i)
{
	bool data = e->nextents == 0;

	for (size_t k = 0; k < e->nextents; k++)
		data |= i >= e->extents[k].off && i < e->extents[k].off + e->extents[k].len;
	uint64_t x = (uint64_t)(i + 1) * UINT64_C(0x9e3779b97f4a7c15) + (uint8_t)e->key[0];
	return data ? (uint8_t)(x >> 40) % 50 + 'A' : 0;
}

static void add(struct ebb_pack_writer *w, const struct ebb_pack_entry *e, struct ebb_pack_member *ret)
{
	static uint8_t p[100000];

	struct ebb_err err = {0};

	ck_assert_msg(ebb_pack_write_begin(w, e, &err) == 0, "'%s': %s", e->key, err.msg);
	for (int64_t at = 0; at < e->size;) {
		size_t n = e->size - at < (int64_t)sizeof(p) ? (size_t)(e->size - at) : sizeof(p);

		for (size_t i = 0; i < n; i++)
			p[i] = content(e, at + (int64_t)i);
		ck_assert_int_eq(ebb_pack_write_data(w, p, n, NULL), 0);
		at += (int64_t)n;
	}
	ck_assert_int_eq(ebb_pack_write_end(w, ret, NULL), 0);
}

static void pack(struct ebb_buf *out, const struct ebb_pack_entry *e, size_t n)
{
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;

	ck_assert_int_eq(ebb_pack_write_new(0, buf_sink, out, &w, NULL), 0);
	for (size_t i = 0; i < n; i++)
		add(w, &e[i], NULL);
	ck_assert_int_eq(ebb_pack_write_finish(w, NULL), 0);
	ck_assert_int_eq(ebb_pack_write_size(w), (int64_t)out->len);
}

/* @n members of @size bytes, m0000 and on. */
static void pack_small(struct ebb_buf *out, size_t n, int64_t size, struct ebb_pack_member *rows)
{
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;
	char key[32];

	ck_assert_int_eq(ebb_pack_write_new(0, buf_sink, out, &w, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		struct ebb_pack_entry e = {.key = key, .size = size, .mode = 0644};

		snprintf(key, sizeof(key), "m%04zu", i);
		add(w, &e, rows ? &rows[i] : NULL);
	}
	ck_assert_int_eq(ebb_pack_write_finish(w, NULL), 0);
}

struct check {
	const struct ebb_pack_entry *want;
	int64_t at;
	int holes;
};

static int check_begin(void *ctx, const struct ebb_pack_entry *e, struct ebb_err *err)
{
	const struct ebb_pack_entry *w = ((struct check *)ctx)->want;

	(void)err;
	ck_assert_str_eq(e->key, w->key);
	ck_assert_int_eq(e->size, w->size);
	ck_assert_uint_eq(e->mode, w->mode);
	ck_assert_uint_eq(e->uid, w->uid);
	ck_assert_uint_eq(e->gid, w->gid);
	ck_assert_int_eq(e->mtime, w->mtime);
	ck_assert_int_eq(e->atime, w->atime);
	ck_assert_uint_eq(e->nxattrs, w->nxattrs);
	for (size_t i = 0; i < e->nxattrs; i++) {
		ck_assert_str_eq(e->xattrs[i].name, w->xattrs[i].name);
		ck_assert_uint_eq(e->xattrs[i].len, w->xattrs[i].len);
		ck_assert(memcmp(e->xattrs[i].value, w->xattrs[i].value, w->xattrs[i].len) == 0);
	}
	return 0;
}

static int check_data(void *ctx, const void *p, size_t len, struct ebb_err *err)
{
	struct check *c = ctx;

	(void)err;
	for (size_t i = 0; i < len; i++, c->at++) {
		if (((const uint8_t *)p)[i] != content(c->want, c->at))
			ck_abort_msg("'%s' differs at %lld", c->want->key, (long long)c->at);
	}
	return 0;
}

static int check_hole(void *ctx, int64_t len, struct ebb_err *err)
{
	struct check *c = ctx;

	(void)err;
	c->at += len;
	c->holes++;
	return 0;
}

START_TEST(everything_comes_back)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf again = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	struct object o = {.buf = &p};

	long_name_make();
	pack(&p, entries, EBB_ARRAY_LEN(entries));
	pack(&again, entries, EBB_ARRAY_LEN(entries));
	ck_assert_uint_eq(p.len, again.len);
	ck_assert_mem_eq(p.data, again.data, p.len);

	ck_assert_int_eq(ebb_pack_read_index(object_read, &o, (int64_t)p.len, &x, NULL), 0);
	ck_assert_uint_eq(x.n, EBB_ARRAY_LEN(entries));
	for (size_t i = 0; i < x.n; i++) {
		struct check c = {.want = &entries[i]};
		const struct ebb_pack_sink s = {check_begin, check_data, check_hole, &c};
		const struct ebb_pack_member *m = ebb_pack_read_find(&x, entries[i].key);
		struct ebb_err err = {0};

		ck_assert_ptr_eq(m, &x.members[i]);
		int r = ebb_pack_read_member(object_read, &o, m, m->digest, &s, &err);
		ck_assert_msg(r == 0, "%s: %s", m->key, err.msg);
		ck_assert_int_eq(c.at, entries[i].size);
		ck_assert_int_eq(c.holes > 0, entries[i].nextents > 0);
	}
	ck_assert_ptr_null(ebb_pack_read_find(&x, "a"));
}
END_TEST

/* The index in one read, a member in one. */
START_TEST(one_range_fetches_a_member)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	struct object o = {.buf = &p};

	pack_small(&p, 500, 2000, NULL);
	ck_assert_int_eq(ebb_pack_read_index(object_read, &o, (int64_t)p.len, &x, NULL), 0);
	ck_assert_int_eq(o.reads, 1);
	const struct ebb_pack_member *m = ebb_pack_read_find(&x, "m0321");
	ck_assert_int_eq(ebb_pack_read_member(object_read, &o, m, m->digest, NULL, NULL), 0);
	ck_assert_int_eq(o.reads, 2);
}
END_TEST

START_TEST(an_empty_pack_is_one)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	struct object o = {.buf = &p};

	pack(&p, NULL, 0);
	ck_assert_int_eq(ebb_pack_read_index(object_read, &o, (int64_t)p.len, &x, NULL), 0);
	ck_assert_uint_eq(x.n, 0);
}
END_TEST

START_TEST(writers_refuse_what_cannot_be)
{
	static const char *const bad[] = {"", "/etc/passwd", "a/../b", "..", "./a", "a//b", "a/", "."};
	static const struct ebb_pack_xattr equals = {"user.a=b", "", 0};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;

	ck_assert_int_eq(ebb_pack_write_new(20, buf_sink, &p, &w, NULL), -EBB_EINVAL);
	ck_assert_int_eq(ebb_pack_write_new(0, buf_sink, &p, &w, NULL), 0);
	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++) {
		struct ebb_pack_entry e = {.key = bad[i], .size = 1};

		ck_assert_int_eq(ebb_pack_write_begin(w, &e, NULL), -EBB_EINVAL);
	}
	struct ebb_pack_entry e = {.key = "a", .size = 3, .xattrs = &equals, .nxattrs = 1};
	ck_assert_int_eq(ebb_pack_write_begin(w, &e, NULL), -EBB_ENOTSUP);
	e.nxattrs = 0;
	ck_assert_int_eq(ebb_pack_write_begin(w, &e, NULL), 0);
	ck_assert_int_eq(ebb_pack_write_data(w, "ab", 2, NULL), 0);
	ck_assert_int_eq(ebb_pack_write_data(w, "cd", 2, NULL), -EBB_EMISMATCH);
	ck_assert_int_eq(ebb_pack_write_end(w, NULL, NULL), -EBB_EMISMATCH);
}
END_TEST

static int no_sink(void *ctx, const void *p, size_t len, struct ebb_err *err)
{
	(void)p;
	return (*(int64_t *)ctx -= (int64_t)len) < 0 ? ebb_err_set(err, EBB_ENOSPC, "full") : 0;
}

START_TEST(what_the_sink_says_is_passed_on)
{
	for (int64_t room = 0; room < 9000000; room += 1499999) {
		EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;
		static uint8_t noise[9000000];
		struct ebb_pack_entry e = {.key = "a", .size = sizeof(noise)};
		struct ebb_prng r = {1};
		int64_t left = room;

		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)ebb_prng_next(&r);
		ck_assert_int_eq(ebb_pack_write_new(1, no_sink, &left, &w, NULL), 0);
		ck_assert_int_eq(ebb_pack_write_begin(w, &e, NULL), 0);
		int x = ebb_pack_write_data(w, noise, sizeof(noise), NULL);
		if (x == 0)
			x = ebb_pack_write_end(w, NULL, NULL);
		ck_assert_int_eq(x, -EBB_ENOSPC);
	}
}
END_TEST

START_TEST(stock_tools_unpack_it)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	char cmd[600];

	long_name_make();
	pack(&p, entries, EBB_ARRAY_LEN(entries));
	snprintf(cmd, sizeof(cmd), "%s/p.tar.zst", ebb_scratch_new());
	FILE *f = fopen(cmd, "wb");
	ck_assert(f && fwrite(p.data, 1, p.len, f) == p.len && fclose(f) == 0);
	ck_assert_int_eq(chdir(dirname(cmd)), 0);
	if (system("zstd --version >said 2>&1 && tar --version >said 2>&1") != 0) {
		fprintf(stderr, "skipped: no zstd or tar here\n");
		return;
	}
	ck_assert_int_eq(system("zstd -tq p.tar.zst && mkdir x && tar --zstd -xf p.tar.zst -C x 2>said"), 0);
	/* GNU tar does not know how pax marks names that are not UTF-8, and takes them as they are. */
	ck_assert_int_eq(system("! grep -vE 'hdrcharset|old time stamp' said"), 0);
	for (size_t i = 0; i < EBB_ARRAY_LEN(entries); i++) {
		char name[4000];

		snprintf(name, sizeof(name), "x/%s", entries[i].key);
		f = fopen(name, "rb");
		ck_assert_ptr_nonnull(f);
		for (int64_t at = 0; at < entries[i].size; at++) {
			if (fgetc(f) != content(&entries[i], at))
				ck_abort_msg("'%s' differs at %lld", name, (long long)at);
		}
		ck_assert_int_eq(fgetc(f), EOF);
		fclose(f);
	}
	ck_assert_int_eq(system("test \"$(stat -c '%a %.9Y' x/a/plain.txt)\" = '644 1700000000.123456789'"),
			 0);
}
END_TEST

/* --- Damage ------------------------------------------------------------------------------------------- */

struct seen {
	const struct ebb_buf *pack;
	char keys[5000];	/* of the intact ones, one after the other */
	int intact, lost;
};

static int on_member(void *ctx, const struct ebb_pack_member *m, bool intact, struct ebb_err *err)
{
	struct seen *s = ctx;

	(void)err;
	if (intact) {
		struct object o = {.buf = s->pack};

		strcat(strcat(s->keys, m->key), " ");
		ck_assert_int_eq(ebb_pack_read_member(object_read, &o, m, m->digest, NULL, NULL), 0);
	}
	s->intact += intact;
	s->lost += !intact;
	return 0;
}

static struct ebb_pack_recovered recover(const struct ebb_buf *p, int64_t len, struct seen *ret)
{
	struct object o = {.buf = p, .len = len};
	struct ebb_pack_recovered got;

	*ret = (struct seen){.pack = p};
	ck_assert_int_eq(ebb_pack_recover(object_read, &o, len, on_member, ret, &got, NULL), 0);
	ck_assert_int_eq(got.intact, ret->intact);
	return got;
}

/* Members go over as they are, and are read as before; what is no member of a pack does not. */
START_TEST(members_are_taken_over)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf q = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index x = {0};
	EBB_CLEANUP(ebb_pack_read_release) struct ebb_pack_index y = {0};
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;
	struct object o = {.buf = &p}, other = {.buf = &q};
	struct seen seen = {0};

	long_name_make();
	pack(&p, entries, EBB_ARRAY_LEN(entries));
	ck_assert_int_eq(ebb_pack_read_index(object_read, &o, (int64_t)p.len, &x, NULL), 0);
	ck_assert_int_eq(ebb_pack_write_new(0, buf_sink, &q, &w, NULL), 0);
	for (size_t i = 1; i < x.n; i++)
		ck_assert_int_eq(ebb_pack_write_copy(w, &x.members[i], object_read, &o, NULL, NULL), 0);
	ck_assert_int_eq(ebb_pack_write_finish(w, NULL), 0);
	ck_assert_int_eq(ebb_pack_read_index(object_read, &other, (int64_t)q.len, &y, NULL), 0);
	ck_assert_uint_eq(y.n, x.n - 1);
	for (size_t i = 0; i < y.n; i++) {
		const struct ebb_pack_entry *e = &entries[i + 1];
		struct check c = {.want = e};
		const struct ebb_pack_sink s = {check_begin, check_data, check_hole, &c};

		ck_assert_str_eq(y.members[i].key, e->key);
		ck_assert_int_eq(y.members[i].mtime, e->mtime);
		ck_assert_int_eq(ebb_pack_read_member(object_read, &other, &y.members[i], x.members[i + 1].digest, &s, NULL), 0);
		ck_assert_int_eq(c.at, e->size);
	}
	/* its markers stand where they say */
	ck_assert_int_eq(recover(&q, (int64_t)q.len - 20, &seen).intact, (int64_t)y.n);

	struct ebb_pack_member m = x.members[1];
	m.coded--;
	ck_assert_int_eq(ebb_pack_write_copy(w, &m, object_read, &o, NULL, NULL), -EBB_ECORRUPT);
	m = x.members[1];
	m.offset++;
	ck_assert_int_eq(ebb_pack_write_copy(w, &m, object_read, &o, NULL, NULL), -EBB_ECORRUPT);
	m = x.members[1];
	m.raw++;
	ck_assert_int_eq(ebb_pack_write_copy(w, &m, object_read, &o, NULL, NULL), -EBB_ECORRUPT);
}
END_TEST

/* One bit flipped anywhere: at most one member is lost, and it is named when the index stands. */
START_TEST(a_flipped_bit_costs_one_member)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	struct ebb_pack_member rows[10];
	struct seen s;

	pack_small(&p, 10, 300, rows);
	for (size_t at = 0; at < p.len; at += 1 + at % 3) {
		p.data[at] ^= (char)(1 << at % 8);
		struct ebb_pack_recovered got = recover(&p, (int64_t)p.len, &s);
		bool in_member = false;

		for (size_t i = 0; i < 10; i++)
			in_member |= (int64_t)at >= rows[i].offset &&
				     (int64_t)at < rows[i].offset + rows[i].coded;
		ck_assert_msg(got.intact >= 9 && (got.intact == 10 || in_member), "byte %zu: %d", at,
			      (int)got.intact);
		ck_assert(!got.indexed || got.intact + got.lost == 10);
		p.data[at] ^= (char)(1 << at % 8);
	}
	struct ebb_pack_recovered got = recover(&p, (int64_t)p.len, &s);
	ck_assert(got.indexed && got.intact == 10 && got.lost == 0);
	ck_assert_str_eq(s.keys, "m0000 m0001 m0002 m0003 m0004 m0005 m0006 m0007 m0008 m0009 ");
}
END_TEST

/* Cut anywhere: every member whose frames are whole is there. */
START_TEST(a_cut_tail_costs_what_was_cut)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	struct ebb_pack_member rows[10];
	struct seen s;

	pack_small(&p, 10, 300, rows);
	for (int64_t len = 1; len < (int64_t)p.len; len += 7) {
		struct ebb_pack_recovered got = recover(&p, len, &s);
		int whole = 0;

		for (size_t i = 0; i < 10; i++)
			whole += rows[i].offset + rows[i].coded <= len;
		ck_assert(!got.indexed);
		ck_assert_msg(got.intact == whole, "%lld bytes: %d of %d", (long long)len,
			      (int)got.intact, whole);
	}
}
END_TEST

/* The index is gone, a member and another one's marker are damaged. */
START_TEST(a_missing_footer_and_more_damage)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	struct ebb_pack_member rows[10];
	struct seen s;

	pack_small(&p, 10, 300, rows);
	p.data[p.len - 3] ^= 1;
	p.data[rows[4].offset + rows[4].coded / 2] ^= 1;
	p.data[rows[6].offset + rows[6].coded + 20] ^= 1;
	struct ebb_pack_recovered got = recover(&p, (int64_t)p.len, &s);
	ck_assert(!got.indexed);
	ck_assert_int_eq(got.lost, 1);
	ck_assert_str_eq(s.keys, "m0000 m0001 m0002 m0003 m0005 m0006 m0007 m0008 m0009 ");
}
END_TEST

/* A pack stored in a pack, not compressible: its members are not taken for the outer one's. */
START_TEST(a_pack_within_a_pack)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf inner = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;
	struct ebb_pack_entry small = {.key = "a", .size = 10, .mode = 0644};
	struct ebb_pack_member m;
	struct seen s;

	pack_small(&inner, 10, 300, NULL);
	ck_assert_int_eq(ebb_pack_write_new(0, buf_sink, &p, &w, NULL), 0);
	add(w, &small, NULL);
	struct ebb_pack_entry e = {.key = "inner.tar.zst", .size = (int64_t)inner.len, .mode = 0644};
	ck_assert_int_eq(ebb_pack_write_begin(w, &e, NULL), 0);
	ck_assert_int_eq(ebb_pack_write_data(w, inner.data, inner.len, NULL), 0);
	ck_assert_int_eq(ebb_pack_write_end(w, &m, NULL), 0);
	ck_assert_int_eq(ebb_pack_write_finish(w, NULL), 0);
	p.data[p.len - 1] ^= 1;
	recover(&p, (int64_t)p.len, &s);
	ck_assert_str_eq(s.keys, "a inner.tar.zst ");
	p.data[m.offset + 12] ^= 1; /* the inner pack's holder is damaged as well */
	recover(&p, (int64_t)p.len, &s);
	ck_assert_str_eq(s.keys, "a ");
}
END_TEST

/* --- Hostile input ------------------------------------------------------------------------------------ */

static la_ssize_t tar_sink(struct archive *a, void *ctx, const void *p, size_t len)
{
	(void)a;
	return ebb_buf_add(ctx, p, len) < 0 ? -1 : (la_ssize_t)len;
}

/* A tar entry that no writer of ours makes, as one frame, and a row that fits it. */
static void craft(struct ebb_buf *out, struct archive_entry *e, struct ebb_pack_member *m)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf tar = EBB_BUF_INIT(CAP);
	struct archive *a = archive_write_new();

	archive_write_set_format_pax(a);
	archive_write_set_bytes_per_block(a, 0);
	archive_write_open(a, &tar, NULL, tar_sink, NULL);
	archive_entry_set_perm(e, 0644);
	ck_assert_int_eq(archive_write_header(a, e), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_finish_entry(a), ARCHIVE_OK);
	m->raw = (int64_t)tar.len;
	archive_write_free(a);
	ebb_buf_clear(out);
	ck_assert_int_eq(ebb_buf_reserve(out, ZSTD_compressBound(tar.len)), 0);
	out->len = ZSTD_compress(out->data, ZSTD_compressBound(tar.len), tar.data, (size_t)m->raw, 1);
	m->coded = (int64_t)out->len;
}

static int read_crafted(struct ebb_buf *p, struct ebb_pack_member *m, struct ebb_err *err)
{
	struct object o = {.buf = p};
	uint8_t none[EBB_DIGEST_LEN];

	ebb_digest_of(&ebb_digest_xxh128, "", 0, none, NULL);
	ebb_err_clear(err);
	return ebb_pack_read_member(object_read, &o, m, none, NULL, err);
}

START_TEST(crafted_tars_are_refused)
{
	static const char *const names[] = {"/etc/passwd", "../x", "a/../../x", "a/..", "./a", "a//b"};
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	struct archive_entry *e = archive_entry_new();
	struct ebb_err err = {0};

	for (size_t i = 0; i <= EBB_ARRAY_LEN(names); i++) {
		struct ebb_pack_member m = {.key = NULL};
		bool good = i == EBB_ARRAY_LEN(names);

		archive_entry_clear(e);
		archive_entry_set_pathname(e, good ? "good" : names[i]);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_size(e, 0);
		craft(&p, e, &m);
		ck_assert_int_eq(read_crafted(&p, &m, &err), good ? 0 : -EBB_ECORRUPT);
		m.key = "another";
		ck_assert_int_eq(read_crafted(&p, &m, &err), -EBB_ECORRUPT);
		m.key = "good";
		m.size = 1;
		ck_assert_int_eq(read_crafted(&p, &m, &err), -EBB_ECORRUPT);
	}
	for (int kind = 0; kind < 4; kind++) {
		struct ebb_pack_member m = {.key = "x"};

		archive_entry_clear(e);
		archive_entry_set_pathname(e, "x");
		archive_entry_set_filetype(e, kind == 0 ? AE_IFLNK : kind == 1 ? AE_IFCHR : AE_IFREG);
		archive_entry_set_size(e, 0);
		if (kind == 0)
			archive_entry_set_symlink(e, "/etc/passwd");
		if (kind == 2)
			archive_entry_set_hardlink(e, "../../etc/passwd");
		craft(&p, e, &m);
		ck_assert_int_eq(read_crafted(&p, &m, &err), kind == 3 ? 0 : -EBB_ECORRUPT);
		ck_assert(kind == 3 || strstr(err.msg, "no plain file"));
	}
	archive_entry_free(e);
}
END_TEST

/* Frames that decode to far more than the row says, and such that want a window of 128 MiB. */
START_TEST(bombs_are_refused)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_mem_freep) void *zeros = calloc(1, 32 << 20);
	struct archive_entry *e = archive_entry_new();
	struct ebb_pack_member m = {.key = "x"};
	struct ebb_err err = {0};
	uint8_t coded[100000];
	ZSTD_CCtx *z = ZSTD_createCCtx();

	archive_entry_set_pathname(e, "x");
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_size(e, 0);
	craft(&p, e, &m);
	size_t n = ZSTD_compress(coded, sizeof(coded), zeros, 32 << 20, 1);
	ebb_buf_add(&p, coded, n);
	m.coded += (int64_t)n;
	ck_assert_int_eq(read_crafted(&p, &m, &err), -EBB_ECORRUPT);
	ck_assert_str_eq(err.msg, "pack: a member decodes to more than the index says");

	craft(&p, e, &m);
	ebb_buf_clear(&p);
	ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, 27);
	ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, 0);
	ZSTD_outBuffer out = {coded, sizeof(coded), 0};
	ZSTD_inBuffer in = {zeros, 32 << 20, 0};
	while (ZSTD_compressStream2(z, &out, &in, ZSTD_e_end) != 0)
		;
	ebb_buf_add(&p, coded, out.pos);
	m.coded = (int64_t)out.pos;
	ck_assert_int_eq(read_crafted(&p, &m, &err), -EBB_ECORRUPT);
	ZSTD_freeCCtx(z);
	archive_entry_free(e);
}
END_TEST

/* An index by hand, over @len bytes of nothing. */
static int read_index(const struct ebb_pack_member *rows, size_t n, size_t len, uint32_t claimed)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf r = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf p = EBB_BUF_INIT(CAP);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf seeks = EBB_BUF_INIT(CAP);
	struct ebb_pack_index x = {0};
	struct object o = {.buf = &p};

	for (size_t i = 0; i < len; i++)
		ebb_buf_addc(&p, 0);
	for (size_t i = 0; i < n; i++)
		ebb_pack_format_put_row(&r, &rows[i]);
	ck_assert_int_eq(ebb_pack_format_put_index(&p, &r, claimed, NULL), 0);
	ck_assert_int_eq(ebb_pack_format_put_seeks(&p, &seeks), 0);
	int e = ebb_pack_read_index(object_read, &o, (int64_t)p.len, &x, NULL);
	ebb_pack_read_release(&x);
	return e;
}

START_TEST(crafted_indexes_are_refused)
{
	static const struct ebb_pack_member bad[] = {
		{.key = "../a", .coded = 10, .raw = 512},
		{.key = "/a", .coded = 10, .raw = 512},
		{.key = "a", .coded = 101, .raw = 512},
		{.key = "a", .offset = 95, .coded = 10, .raw = 512},
		{.key = "a", .offset = INT64_MAX, .coded = 10, .raw = 512},
		{.key = "a", .offset = -1, .coded = 10, .raw = 512},
		{.key = "a", .coded = 0, .raw = 512},
		{.key = "a", .coded = 10, .raw = 512, .size = INT64_MAX},
	};
	struct ebb_pack_member two[] = {{.key = "a", .coded = 50, .raw = 512},
					{.key = "b", .offset = 50, .coded = 50, .raw = 512}};

	for (size_t i = 0; i < EBB_ARRAY_LEN(bad); i++)
		ck_assert_int_eq(read_index(&bad[i], 1, 100, 1), -EBB_ECORRUPT);
	ck_assert_int_eq(read_index(two, 2, 100, 2), 0);
	ck_assert_int_eq(read_index(two, 2, 100, 1), -EBB_ECORRUPT);
	ck_assert_int_eq(read_index(two, 2, 100, 3), -EBB_ECORRUPT);
	ck_assert_int_eq(read_index(two, 2, 100, EBB_PACK_MEMBERS_MAX), -EBB_ECORRUPT);
	two[1].offset = 49;
	ck_assert_int_eq(read_index(two, 2, 100, 2), -EBB_ECORRUPT);
}
END_TEST

EBB_UNIT_MAIN("pack", everything_comes_back, members_are_taken_over, one_range_fetches_a_member, an_empty_pack_is_one,
	      writers_refuse_what_cannot_be, what_the_sink_says_is_passed_on, stock_tools_unpack_it,
	      a_flipped_bit_costs_one_member, a_cut_tail_costs_what_was_cut,
	      a_missing_footer_and_more_damage, a_pack_within_a_pack, crafted_tars_are_refused,
	      bombs_are_refused, crafted_indexes_are_refused)
