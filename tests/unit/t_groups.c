/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/groups.h"

#include <stdio.h>
#include <string.h>

#include "core/learn.h"
#include "core/merge.h"
#include "tests/support/scratch.h"
#include "tests/support/unit.h"

static struct ebb_err err;
static char dir[4096];
static struct ebb_app app = {.index_dir = dir};

/* A store with objects as the arrays say; digest and etag 0: none. */
struct object {
	const char *key;
	int64_t size;
	uint8_t digest;
	const char *etag;
	int64_t ino, nlink, alloc;
};

static struct ebb_index *fresh(void)
{
	struct ebb_index *ix;

	snprintf(dir, sizeof(dir), "%s", ebb_scratch_new());
	ck_assert_int_eq(ebb_index_open(dir, &(struct ebb_index_opts){0}, &ix, &err), 0);
	return ix;
}

static void scan(struct ebb_index *ix, const char *store, const struct object *o, size_t n)
{
	struct ebb_merge_opts opts = {.store = store, .now = 1};
	struct ebb_merge_facts facts = {.finished = 2};
	struct ebb_merge_stats stats;
	struct ebb_merge *m;

	ck_assert_int_eq(ebb_merge_begin(ix, &opts, &m, &err), 0);
	for (size_t i = 0; i < n; i++) {
		struct ebb_record r = {.key = o[i].key, .key_len = (uint32_t)strlen(o[i].key)};

		ebb_record_set(&r, EBB_F_KIND, EBB_KIND_FILE);
		ebb_record_set(&r, EBB_F_SIZE, o[i].size);
		if (o[i].alloc)
			ebb_record_set(&r, EBB_F_ALLOC, o[i].alloc);
		if (o[i].nlink) {
			ebb_record_set(&r, EBB_F_DEV, 1);
			ebb_record_set(&r, EBB_F_INO, o[i].ino);
			ebb_record_set(&r, EBB_F_NLINK, o[i].nlink);
		}
		if (o[i].etag)
			ebb_record_etag(&r, o[i].etag, strlen(o[i].etag));
		if (o[i].digest) {
			r.known |= EBB_KNOWN_DIGEST;
			memset(r.digest, o[i].digest, sizeof(r.digest));
		}
		ck_assert_msg(ebb_merge_put(m, &r, &err) == 0, "%s", err.msg);
	}
	ck_assert_int_eq(ebb_merge_finish(m, &stats, &err), 0);
	ck_assert_int_eq(ebb_merge_publish(m, &facts, &err), 0);
}

/* Groups as text: "size copies/names redundant: key key ...;" */
static void groups(struct ebb_index *ix, bool links, char *out, size_t room)
{
	EBB_CLEANUP(ebb_reach_release) struct ebb_reach reach = {0};
	EBB_CLEANUP(ebb_snap_closep) struct ebb_snap *snap = NULL;
	EBB_CLEANUP(ebb_place_closep) struct ebb_place *places = NULL;
	EBB_CLEANUP(ebb_groups_freep) struct ebb_groups *g = NULL;
	struct ebb_group_member m;
	struct ebb_group s;
	size_t at = 0;

	app.err = stderr;
	ck_assert_msg(ebb_reach_open(&app, ix, NULL, false, &reach, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(ebb_snap_open(ix, &snap, &err), 0);
	ck_assert_int_eq(ebb_place_open(snap, &places, &err), 0);
	ck_assert_msg(ebb_groups_find(&app, snap, &reach, 0, links, &g, &err) == 0, "%s", err.msg);
	out[0] = '\0';
	while (ebb_groups_next(g, &s, &err) == 1) {
		at += (size_t)snprintf(out + at, room - at, "%lld %llu/%llu %lld:", (long long)s.size,
				       (unsigned long long)s.inodes, (unsigned long long)s.members,
				       (long long)s.redundant);
		while (ebb_groups_member(g, &m)) {
			const char *key;
			size_t len;

			ck_assert_int_eq(ebb_place_key(places, &reach.v[m.store].st, m.place, &key, &len, &err), 0);
			at += (size_t)snprintf(out + at, room - at, " %s", key);
		}
		at += (size_t)snprintf(out + at, room - at, ";");
	}
}

#define MD5_A "0123456789abcdef0123456789abcdef"
#define MD5_B "fedcba9876543210fedcba9876543210"

START_TEST(groups_are_by_size_and_digest_over_stores)
{
	struct ebb_index *ix = fresh();
	char text[4096];
	scan(ix, "a", (struct object[]){{"1", 10, 7, NULL, 0, 0, 4096}, {"2", 10, 8, NULL, 0, 0, 0},
					{"3", 11, 7, NULL, 0, 0, 0}, {"4", 10, 0, NULL, 0, 0, 0}}, 4);
	scan(ix, "b", (struct object[]){{"5", 10, 7, NULL, 0, 0, 0}, {"6", 0, 9, NULL, 0, 0, 0},
					{"7", 0, 9, NULL, 0, 0, 0}}, 3);
	groups(ix, false, text, sizeof(text));
	ck_assert_str_eq(text, "10 2/2 10: 1 5;");
	ebb_index_close(ix);
}
END_TEST

START_TEST(names_of_one_inode_are_one_copy)
{
	struct ebb_index *ix = fresh();
	char text[4096];
	scan(ix, "a", (struct object[]){{"a", 10, 1, NULL, 5, 2, 100}, {"b", 10, 1, NULL, 6, 1, 100},
					{"c", 10, 0, NULL, 5, 2, 100}, {"d", 20, 2, NULL, 9, 2, 100},
					{"e", 20, 0, NULL, 9, 2, 100}}, 5);
	groups(ix, false, text, sizeof(text));
	ck_assert_str_eq(text, "10 2/3 100: a c b;");
	groups(ix, true, text, sizeof(text));
	ck_assert_str_eq(text, "10 2/3 100: a c b;20 1/2 0: d e;");
	ebb_index_close(ix);
}
END_TEST

START_TEST(buckets_are_compared_by_entity_tags)
{
	struct ebb_index *ix = fresh();
	char text[4096];
	scan(ix, "s", (struct object[]){{"a", 10, 0, MD5_A, 0, 0, 0}, {"b", 10, 0, MD5_A, 0, 0, 0},
					{"c", 10, 0, MD5_A "-2", 0, 0, 0}, {"d", 10, 0, MD5_B, 0, 0, 0},
					{"e", 10, 0, "opaque", 0, 0, 0}, {"f", 10, 0, "opaque", 0, 0, 0},
					{"g", 11, 0, MD5_A, 0, 0, 0}}, 7);
	groups(ix, false, text, sizeof(text));
	ck_assert_str_eq(text, "10 2/2 10: a b;");
	ebb_index_close(ix);
}
END_TEST

/* A version that nobody sees is paid for like the object above it; a delete marker holds nothing. */
START_TEST(noncurrent_versions_are_copies)
{
	struct ebb_index *ix = fresh();
	struct ebb_merge_opts opts = {.store = "s", .now = 1};
	struct ebb_merge_facts facts = {.finished = 2};
	static const int64_t kinds[] = {EBB_KIND_FILE, EBB_KIND_MARKER, EBB_KIND_VERSION, EBB_KIND_UPLOAD};
	struct ebb_merge_stats stats;
	struct ebb_merge *m;
	char key[EBB_KEY_MAX], text[4096];

	ck_assert_int_eq(ebb_merge_begin(ix, &opts, &m, &err), 0);
	for (int i = 0; i < 4; i++) {
		struct ebb_record r = {.key = "a", .key_len = 1};

		if (i) {
			r.key = key;
			r.key_len = (uint32_t)ebb_record_hidden_key("a", 1, 100 - i, "id", key);
		}
		ebb_record_set(&r, EBB_F_KIND, kinds[i]);
		ebb_record_set(&r, EBB_F_SIZE, 10);
		ebb_record_etag(&r, MD5_A, strlen(MD5_A));
		ck_assert_msg(ebb_merge_put(m, &r, &err) == 0, "%s", err.msg);
	}
	ck_assert_int_eq(ebb_merge_finish(m, &stats, &err), 0);
	ck_assert_int_eq(ebb_merge_publish(m, &facts, &err), 0);
	groups(ix, false, text, sizeof(text));
	ck_assert_str_eq(text, "10 2/2 10: a a;");
	ebb_index_close(ix);
}
END_TEST

EBB_UNIT_MAIN("groups", groups_are_by_size_and_digest_over_stores, names_of_one_inode_are_one_copy,
	      buckets_are_compared_by_entity_tags, noncurrent_versions_are_copies)
