/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/mix_kit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent/apply.h"
#include "agent/lower.h"
#include "agent/packname.h"
#include "agent/recover.h"
#include "agent/replace.h"
#include "agent/thaw.h"
#include "agent/undo.h"
#include "compress/codec.h"
#include "compress/pack_write.h"
#include "scanners/store_fs.h"
#include "scanners/store_memory_bucket.h"
#include "tests/support/scratch.h"
#include "tests/support/snapshot.h"

#define NOW INT64_C(1795460400000000000)
#define DAY (86400 * INT64_C(1000000000))
#define PACKED_AT INT64_C(1600000000123456789)

enum { B, D, E, NOWHERE };
static const char *const names[] = {"b", "d", "e", NULL};

/* --- Objects --------------------------------------------------------------------------------------------- */

/* Packs that stand already; what is packed anew does not come back. */
#define AGAIN EBB_MIX_KIT_AGAIN "20250101T000000Z/"
#define STRUCK ".ebb-packs/struck/20250101T000000Z/"

enum {
	PLAIN, XATTR = 1, SPARSE = 2, TENSOR = 4, PURGE = 8, RELAY = 16, SIZE = 32, CHECKSUM = 64, BYTES = 128,
	PACK = 256,	/* a pack of all items that are packed and have its key in to_key */
	PACKED = 512,	/* not an object of its own */
	PAST = 1024,	/* struck off it, and past its time */
	LATER = 2048,	/* struck off it, and not yet past its time */
	IN_PLACE = 4096,
};

static const struct item {
	int store;
	const char *key;
	enum ebb_action_id action;
	size_t size;
	int what;
	int to;
	const char *to_class, *to_key, *codec;
	const char *with;		/* of the same store: the same content and metadata */
	enum ebb_action_how how;
	const char *class;		/* of the bucket; NULL: STANDARD. Archives sleep */
} items[] = {
	{D, "arch/one", EBB_ACTION_ARCHIVE, 9000, XATTR, B, "DEEP_ARCHIVE", ".ebb-packs/d/20260101T000000Z/b.tar.zst", NULL, NULL, 0, NULL},
	{D, "arch/two\xff", EBB_ACTION_ARCHIVE, 70, PLAIN, B, "DEEP_ARCHIVE", ".ebb-packs/d/20260101T000000Z/b.tar.zst", NULL, NULL, 0, NULL},
	{D, "arch2/one", EBB_ACTION_ARCHIVE, 3000, PLAIN, E, NULL, ".ebb-packs/d/20260101T000000Z/e.tar.zst", NULL, NULL, 0, NULL},
	{D, "arch2/empty", EBB_ACTION_ARCHIVE, 0, XATTR, E, NULL, ".ebb-packs/d/20260101T000000Z/e.tar.zst", NULL, NULL, 0, NULL},
	{D, "copy/relay", EBB_ACTION_COPY, 40, RELAY, E, NULL, "relay", NULL, NULL, 0, NULL},
	{D, "copy/to-b", EBB_ACTION_COPY, 5000, XATTR, B, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "copy/to-e", EBB_ACTION_COPY, 6000, XATTR, E, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "del/a", EBB_ACTION_DELETE, 10, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "del/sub/b\xff\n", EBB_ACTION_DELETE, 33, XATTR, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "dup/drop", EBB_ACTION_DEDUP, 4000, PLAIN, NOWHERE, NULL, NULL, NULL, "dup/stays", EBB_ACTION_DROP, NULL},
	{D, "dup/link", EBB_ACTION_DEDUP, 4000, PLAIN, NOWHERE, NULL, NULL, NULL, "dup/stays", EBB_ACTION_HARDLINK, NULL},
	{D, "dup/share", EBB_ACTION_DEDUP, 4000, PLAIN, NOWHERE, NULL, NULL, NULL, "dup/stays", EBB_ACTION_REFLINK, NULL},
	{D, "dup/stays", EBB_ACTION_KEEP, 4000, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "keep", EBB_ACTION_KEEP, 9, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "log.lz", EBB_ACTION_COMPRESS, 7000, PLAIN, NOWHERE, NULL, NULL, "lz4", NULL, 0, NULL},
	{D, "log.z", EBB_ACTION_COMPRESS, 20000, XATTR | BYTES, NOWHERE, NULL, NULL, "zstd", NULL, 0, NULL},
	{D, "m.safetensors", EBB_ACTION_COMPRESS, 20000, TENSOR, NOWHERE, NULL, NULL, "tensor", NULL, 0, NULL},
	{D, "purge/x", EBB_ACTION_DELETE, 12, PURGE, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "tier/holes", EBB_ACTION_TIER, 300000, SPARSE, E, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "tier/to-b", EBB_ACTION_TIER, 8000, XATTR | CHECKSUM, B, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "tier/to-e", EBB_ACTION_TIER, 70000, XATTR | BYTES, E, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "runs/7/step-1/model", EBB_ACTION_DELETE, 500, XATTR, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "runs/7/step-1/state", EBB_ACTION_DELETE, 300, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{D, "runs/7/step-2/model", EBB_ACTION_KEEP, 501, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{B, "//\n", EBB_ACTION_DELETE, 5, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{B, "a/../b", EBB_ACTION_DELETE, 17, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{B, "class", EBB_ACTION_TIER, 700, PLAIN, NOWHERE, "GLACIER", NULL, NULL, NULL, 0, NULL},
	{B, "copied", EBB_ACTION_COPY, 900, PLAIN, D, NULL, NULL, NULL, NULL, 0, NULL},
	{B, "copied-in", EBB_ACTION_COPY, 901, PLAIN, B, NULL, "copied-in-2", NULL, NULL, 0, NULL},
	{B, "dup1", EBB_ACTION_KEEP, 2000, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{B, "dup2", EBB_ACTION_DEDUP, 2000, PLAIN, NOWHERE, NULL, NULL, NULL, "dup1", EBB_ACTION_DROP, NULL},
	{B, "log", EBB_ACTION_COMPRESS, 9000, PLAIN, NOWHERE, NULL, NULL, "zstd", NULL, 0, NULL},
	{B, "log-stays", EBB_ACTION_COMPRESS, 9000, IN_PLACE, NOWHERE, NULL, NULL, "zstd", NULL, 0, NULL},
	{B, "log-stays-too", EBB_ACTION_COMPRESS, 70000, IN_PLACE | BYTES, NOWHERE, NULL, NULL, "zstd", NULL, 0, "GLACIER_IR"},
	{B, "pack/x", EBB_ACTION_ARCHIVE, 3000, PLAIN, B, "DEEP_ARCHIVE", ".ebb-packs/b/20260101T000000Z/x.tar.zst", NULL, NULL, 0, NULL},
	{B, "pack/y", EBB_ACTION_ARCHIVE, 80, PLAIN, B, "DEEP_ARCHIVE", ".ebb-packs/b/20260101T000000Z/x.tar.zst", NULL, NULL, 0, NULL},
	{B, "purged", EBB_ACTION_DELETE, 11, PURGE, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{B, "tiered", EBB_ACTION_TIER, 3000, SIZE, D, NULL, NULL, NULL, NULL, 0, NULL},
	{B, "rare/tiered", EBB_ACTION_TIER, 710, PLAIN, E, NULL, NULL, NULL, NULL, 0, "STANDARD_IA"},
	{B, "tiered-sum", EBB_ACTION_TIER, 3100, CHECKSUM, E, NULL, NULL, NULL, NULL, 0, NULL},
	{B, "sleeps/bytes", EBB_ACTION_TIER, 2500, BYTES, D, NULL, NULL, NULL, NULL, 0, "DEEP_ARCHIVE"},
	{B, "sleeps/class", EBB_ACTION_TIER, 600, PLAIN, NOWHERE, "DEEP_ARCHIVE", NULL, NULL, NULL, 0, "GLACIER"},
	{B, "sleeps/copy", EBB_ACTION_COPY, 610, PLAIN, E, NULL, NULL, NULL, NULL, 0, "GLACIER"},
	{B, "sleeps/del", EBB_ACTION_DELETE, 41, PLAIN, NOWHERE, NULL, NULL, NULL, NULL, 0, "DEEP_ARCHIVE"},
	{B, "sleeps/log", EBB_ACTION_COMPRESS, 5000, PLAIN, NOWHERE, NULL, NULL, "zstd", NULL, 0, "GLACIER"},
	{B, "rare/pack", EBB_ACTION_ARCHIVE, 700, PLAIN, E, NULL, ".ebb-packs/b/20260101T000000Z/s.tar.zst", NULL, NULL, 0, "STANDARD_IA"},
	{E, AGAIN "p.tar.zst", EBB_ACTION_REPACK, 0, PACK, E, NULL, AGAIN "p.r1.tar.zst", NULL, NULL, 0, NULL},
	{E, "p/gone", EBB_ACTION_KEEP, 700, PACKED | PAST, NOWHERE, NULL, AGAIN "p.tar.zst", NULL, NULL, 0, NULL},
	{E, "p/later", EBB_ACTION_KEEP, 710, PACKED | LATER, NOWHERE, NULL, AGAIN "p.tar.zst", NULL, NULL, 0, NULL},
	{E, "p/stays", EBB_ACTION_KEEP, 720, PACKED, NOWHERE, NULL, AGAIN "p.tar.zst", NULL, NULL, 0, NULL},
	{E, AGAIN "n.tar.zst", EBB_ACTION_REPACK, 0, PACK, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{E, "n/gone", EBB_ACTION_KEEP, 730, PACKED | PAST, NOWHERE, NULL, AGAIN "n.tar.zst", NULL, NULL, 0, NULL},
	{E, STRUCK "s.tar.zst", EBB_ACTION_KEEP, 0, PACK, NOWHERE, NULL, NULL, NULL, NULL, 0, NULL},
	{E, "s/one\xff", EBB_ACTION_STRIKE, 740, PACKED, NOWHERE, NULL, STRUCK "s.tar.zst", NULL, NULL, 0, NULL},
	{E, "s/two", EBB_ACTION_KEEP, 750, PACKED, NOWHERE, NULL, STRUCK "s.tar.zst", NULL, NULL, 0, NULL},
	{B, AGAIN "q.tar.zst", EBB_ACTION_REPACK, 0, PACK, B, NULL, AGAIN "q.r1.tar.zst", NULL, NULL, 0, "DEEP_ARCHIVE"},
	{B, "q/gone", EBB_ACTION_KEEP, 760, PACKED | PAST, NOWHERE, NULL, AGAIN "q.tar.zst", NULL, NULL, 0, NULL},
	{B, "q/stays", EBB_ACTION_KEEP, 770, PACKED, NOWHERE, NULL, AGAIN "q.tar.zst", NULL, NULL, 0, NULL},
	{B, STRUCK "t.tar.zst", EBB_ACTION_KEEP, 0, PACK, NOWHERE, NULL, NULL, NULL, NULL, 0, "DEEP_ARCHIVE"},
	{B, "t/one", EBB_ACTION_STRIKE, 780, PACKED, NOWHERE, NULL, STRUCK "t.tar.zst", NULL, NULL, 0, NULL},
	{B, "t/two", EBB_ACTION_KEEP, 790, PACKED, NOWHERE, NULL, STRUCK "t.tar.zst", NULL, NULL, 0, NULL},
};

#define ITEMS EBB_ARRAY_LEN(items)

/* Key of the object that item @i is, or is in. */
static const char *key_of(size_t i)
{
	return items[i].what & PACKED ? items[i].to_key : items[i].key;
}

static void die(const char *what, const struct ebb_err *err)
{
	fprintf(stderr, "mix_kit: %s: %s\n", what, err ? err->msg : "");
	abort();
}

/* Number of the item whose content item @i has. */
static size_t model_of(size_t i)
{
	size_t k = 0;

	while (items[i].with && (items[k].store != items[i].store || strcmp(items[k].key, items[i].with) != 0))
		k++;
	return items[i].with ? k : i;
}

#define TENSOR_HEAD "{\"w\":{\"dtype\":\"BF16\",\"shape\":[8192],\"data_offsets\":[0,16384]}}"

static size_t size_of(size_t i)
{
	if (items[i].what & PACK)
		return 0;	/* its items have the content */
	return items[i].what & TENSOR ? 8 + sizeof(TENSOR_HEAD) - 1 + 16384 : items[i].size;
}

/* Content of an item: no other has it, nor a part of another. Freed by the caller. */
static char *content_of(size_t i)
{
	size_t size = size_of(i), n = 0;
	char *data = calloc(1, size + 96), line[96];

	if (!data)
		die("content", NULL);
	if (items[i].what & TENSOR) {
		data[0] = sizeof(TENSOR_HEAD) - 1;
		memcpy(data + 8, TENSOR_HEAD, sizeof(TENSOR_HEAD) - 1);
		for (n = size - 16384; n < size; n += 2) {
			data[n] = (char)(n * 2654435761u >> 7);
			data[n + 1] = 0x3f;
		}
		return data;
	}
	if (items[i].what & SPARSE)
		n = size - 40;
	for (int k = 0; n < size; k++) {
		int len = snprintf(line, sizeof(line), "%c%02zu %d\n", items[i].store == B ? 'b' : items[i].store == E ? 'e' : 'f', model_of(i), k);

		memcpy(data + n, line, (size_t)len < size - n ? (size_t)len : size - n);
		n += (size_t)len;
	}
	return data;
}

/* --- Stores ---------------------------------------------------------------------------------------------- */

/* By which objects sleep and thaw. */
static struct ebb_clock archive;

static void stay_open(struct ebb_store *s)
{
	(void)s;
}

static void make_dirs(char *path)
{
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		mkdir(path, 0750);
		*p = '/';
	}
}

static void set_times(const char *path, long s)
{
	const struct timespec t[2] = {{s + 5, 77}, {s, 123456789}};

	if (utimensat(AT_FDCWD, path, t, 0) < 0)
		abort();
}

static void make_file(const struct ebb_mix_kit *k, size_t i)
{
	char path[8192], *data = content_of(i);
	size_t size = size_of(i), skip = items[i].what & SPARSE ? size - 40 : 0;

	snprintf(path, sizeof(path), "%s/d/%s", k->dir, items[i].key);
	make_dirs(path);
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	if (fd < 0 || pwrite(fd, data + skip, size - skip, (off_t)skip) < 0 || fchmod(fd, (mode_t)(0600 + 8 * (model_of(i) % 8))) < 0)
		abort();
	if (items[i].what & XATTR)
		fsetxattr(fd, "user.note", "caf\xc3\xa9\0x", 7, 0); /* where it is supported */
	close(fd);
	set_times(path, 1600000000 + (long)model_of(i));
	free(data);
}

static void put_file(const struct ebb_mix_kit *k, const char *key, const void *data, size_t size)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/e/%s", k->dir, key);
	make_dirs(path);
	int fd = open(path, O_CREAT | O_WRONLY | O_EXCL, 0640);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	set_times(path, 1450000000);
}

static void put(const struct ebb_mix_kit *k, size_t i, const char *key, const void *data, size_t size)
{
	struct ebb_err err = {0};

	if (items[i].store == E)
		put_file(k, key, data, size);
	else if (ebb_store_memory_bucket_put(k->stores[B], key, data, size, items[i].class, &err) < 0)
		die(key, &err);
}

static int to_buf(void *ctx, const void *p, size_t len, struct ebb_err *err)
{
	(void)err;
	return ebb_buf_add(ctx, p, len);
}

/* Key of the tombstone of a packed item that is past its time, or will be; in @arena. */
static const char *tombstone_of(size_t i, struct ebb_arena *arena)
{
	const char *pack = items[i].to_key;

	return ebb_packname_tombstone(arena, pack, strlen(pack) - strlen(".tar.zst"), items[i].key, strlen(items[i].key),
				      items[i].what & PAST ? NOW - DAY : NOW + DAY);
}

static void put_pack(const struct ebb_mix_kit *k, size_t pack)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 20);
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	struct ebb_pack_writer *w = NULL;
	struct ebb_err err = {0};

	ebb_arena_init(&arena, 0);
	if (ebb_pack_write_new(0, to_buf, &out, &w, &err) < 0)
		die("pack", &err);
	for (size_t i = 0; i < ITEMS; i++) {
		const struct ebb_pack_entry e = {
			.key = items[i].key, .size = (int64_t)size_of(i), .mode = 0640, .mtime = PACKED_AT,
		};

		if (!(items[i].what & PACKED) || items[i].store != items[pack].store || strcmp(items[i].to_key, items[pack].key) != 0)
			continue;
		char *data = content_of(i);
		if (ebb_pack_write_begin(w, &e, &err) < 0 || ebb_pack_write_data(w, data, size_of(i), &err) < 0 ||
		    ebb_pack_write_end(w, NULL, &err) < 0)
			die(e.key, &err);
		free(data);
		if (items[i].what & (PAST | LATER))
			put(k, i, tombstone_of(i, &arena), "", 0);
	}
	if (ebb_pack_write_finish(w, &err) < 0)
		die("pack", &err);
	ebb_pack_write_free(w);
	put(k, pack, items[pack].key, out.data, out.len);
}

static void fill(struct ebb_mix_kit *k)
{
	static const char *const dirs[] = {
		"d/arch", "d/arch2", "d/copy", "d/del/sub", "d/del", "d/dup", "d/purge", "d/runs/7/step-1", "d/runs/7/step-2",
		"d/runs/7", "d/runs", "d/tier", "d", "e/.ebb-packs/struck/20250101T000000Z", "e/.ebb-packs/struck", "e/.ebb-packs",
	};
	char path[8192];

	for (size_t i = 0; i < ITEMS; i++) {
		if (items[i].what & PACK) {
			put_pack(k, i);
		} else if (items[i].store == D) {
			make_file(k, i);
		} else if (!(items[i].what & PACKED)) {
			char *data = content_of(i);

			put(k, i, items[i].key, data, size_of(i));
			free(data);
		}
	}
	for (size_t i = 0; i < EBB_ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", k->dir, dirs[i]);
		set_times(path, 1500000000 + (long)i);
	}
	snprintf(path, sizeof(path), "%s/e", k->dir);
	set_times(path, 1400000000);
}

static void open_stores(struct ebb_mix_kit *k)
{
	struct ebb_err err = {0};
	char path[8192];

	for (int i = 0; i < EBB_MIX_KIT_STORES; i++) {
		const struct ebb_store_config cfg = {
			.name = names[i], .type = i == B ? "memory-bucket" : "fs", .path = i == B ? NULL : path,
		};

		snprintf(path, sizeof(path), "%s/%s", k->dir, names[i]);
		if (ebb_store_open(&cfg, &k->stores[i], &err) < 0)
			die(path, &err);
		k->ops[i] = *k->stores[i]->ops;
		k->ops[i].close = stay_open;
		k->stores[i]->ops = &k->ops[i];
	}
	archive = ebb_clock_fixed(NOW);
	ebb_store_memory_bucket_archive(k->stores[B], &archive);
	if (!k->versions)
		k->stores[B]->caps &= ~(uint32_t)EBB_CAP_VERSIONS;
}

struct ebb_storeset *ebb_mix_kit_set(const struct ebb_mix_kit *k, ebb_mix_kit_scripts scripts)
{
	struct ebb_storeset *set = ebb_storeset_new(NULL);
	struct ebb_err err = {0};

	for (int i = 0; i < EBB_MIX_KIT_STORES; i++) {
		struct ebb_store *s = k->stores[i];

		if ((scripts && scripts[i] && ebb_store_faulty_wrap(s, scripts[i], &s, &err) < 0) ||
		    ebb_storeset_add(set, s, &err) < 0)
			die("stores", &err);
	}
	return set;
}

/* --- The plan -------------------------------------------------------------------------------------------- */

/* Records as the plan saw them; keys are those of items. */
static struct ebb_record planned[ITEMS];
static int64_t numbers[ITEMS];		/* of their actions, 0: none */

static bool in_plan(const struct ebb_mix_kit *k, size_t i)
{
	bool share = items[i].action == EBB_ACTION_DEDUP && items[i].how == EBB_ACTION_REFLINK;

	return items[i].action != EBB_ACTION_KEEP && !(share && !(ebb_store_caps(k->stores[items[i].store]) & EBB_CAP_REFLINK));
}

static void put_row(const struct ebb_mix_kit *k, struct ebb_planfile_writer *w, size_t i, int64_t n)
{
	const struct item *it = &items[i];
	struct ebb_planrow row = {
		.n = n, .rule = "r", .store = names[it->store], .action = it->action, .payback_days = -1, .why = "test",
		.trash_ns = it->what & PURGE ? 0 : DAY, .purge = it->what & PURGE, .to_store = names[it->to], .to_class = it->to_class,
		.class = it->store != B ? NULL : it->class ? it->class : "STANDARD", .codec = it->codec, .obj = planned[i], .how = it->how,
		.relay = it->what & RELAY, .keep_key = it->what & IN_PLACE,
		.verify = it->what & SIZE ? EBB_ACTION_SIZE : it->what & CHECKSUM ? EBB_ACTION_CHECKSUM : it->what & BYTES ? EBB_ACTION_BYTES : EBB_ACTION_DIGEST,
		.with_store = it->with ? names[it->store] : NULL,
	};
	struct ebb_arena arena;
	struct ebb_err err = {0};

	ebb_arena_init(&arena, 0);
	if (it->with && ebb_store_head(k->stores[it->store], it->with, &row.with, &err) < 0)
		die(it->with, &err);
	row.with.known &= ~EBB_KNOWN(EBB_F_CTIME);
	row.to_key = it->to_key;
	if (it->action == EBB_ACTION_STRIKE) {
		row.with_store = "d";
		row.with = (struct ebb_record){.key = it->key, .key_len = (uint32_t)strlen(it->key)};
		ebb_record_set(&row.with, EBB_F_KIND, EBB_KIND_FILE);
		ebb_record_set(&row.with, EBB_F_SIZE, (int64_t)it->size);
		ebb_record_set(&row.with, EBB_F_MTIME, PACKED_AT);
		row.to_key = NULL;
	} else if (!it->to_key && !(it->what & IN_PLACE) && it->action != EBB_ACTION_REPACK && !(it->action == EBB_ACTION_TIER && it->to == NOWHERE))
		row.to_key = ebb_lower_of(it->action)->target(&arena, it->key, it->codec);
	if (ebb_planfile_put(w, &row, &err) < 0)
		die("put", &err);
	ebb_arena_release(&arena);
}

static void make_plan(struct ebb_mix_kit *k)
{
	static const struct ebb_planhead_limits unlimited = {-1, -1, -1, -1, -1, -1, NULL};
	struct ebb_planhead_store heads[EBB_MIX_KIT_STORES];
	struct ebb_store_identity is[EBB_MIX_KIT_STORES];
	struct ebb_planhead head = {
		.currency = "USD", .stores = heads, .nstores = EBB_MIX_KIT_STORES, .limits = unlimited,
	};
	struct ebb_planfile_writer *w = NULL;
	struct ebb_err err = {0};
	char path[8192], id[EBB_PLANFILE_ID_LEN];

	snprintf(path, sizeof(path), "%s/plan", k->dir);
	if (ebb_planfile_create(path, &w, &err) < 0)
		die("plan", &err);
	for (int i = 0; i < EBB_MIX_KIT_STORES; i++) {
		if (ebb_store_identify(k->stores[i], &is[i], &err) < 0)
			die("identify", &err);
		heads[i] = (struct ebb_planhead_store){.name = names[i], .generation = 1, .dev = is[i].dev, .ino = is[i].ino,
						       .fsid = i == B ? is[i].fsid : "", .objects = 100};
	}
	for (size_t i = 0; i < ITEMS; i++) {
		if (ebb_store_head(k->stores[items[i].store], key_of(i), &planned[i], &err) < 0)
			die(key_of(i), &err);
		numbers[i] = in_plan(k, i) ? ++k->actions : 0;
		if (numbers[i])
			put_row(k, w, i, numbers[i]);
	}
	if (ebb_planfile_commit(w, &head, id, &err) < 0)
		die("commit", &err);
}

void ebb_mix_kit_init(struct ebb_mix_kit *k, bool versions)
{
	static const char *base;
	static int kits;
	char path[4200];

	*k = (struct ebb_mix_kit){.versions = versions};
	umask(022);
	if (!base)
		base = ebb_scratch_new();
	snprintf(k->dir, sizeof(k->dir), "%.4000s/%d", base, ++kits);
	for (const char *const *d = (const char *const[]){"", "d", "e", "index", NULL}; *d; d++) {
		snprintf(path, sizeof(path), "%s/%s", k->dir, *d);
		if (mkdir(path, 0755) < 0)
			die(path, NULL);
	}
	open_stores(k);
	fill(k);
	make_plan(k);
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void ebb_mix_kit_release(struct ebb_mix_kit *k)
{
	k->ops[B].close = ebb_store_memory_bucket_ops.close;
	for (int i = 0; i < EBB_MIX_KIT_STORES; i++) {
		if (i != B)
			k->ops[i].close = ebb_store_fs_ops.close;
		ebb_store_close(k->stores[i]);
	}
	nftw(k->dir, take_away, 16, FTW_DEPTH | FTW_PHYS);
	*k = (struct ebb_mix_kit){0};
}

/* --- Runs ------------------------------------------------------------------------------------------------ */

/* What a command will read that may sleep. */
struct sleepers {
	struct ebb_thaw thaw;
	struct ebb_storeset *set;
};

static void forget(struct sleepers *s)
{
	ebb_thaw_release(&s->thaw);
}

static int recover(const char *index, struct ebb_storeset *set, int64_t now, struct ebb_run *r, struct ebb_err *err)
{
	struct ebb_recover told;
	int rc = ebb_run_find(index, "last", r, err);

	if (rc == 0 && (rc = ebb_recover_run(r, set, now, &told, err)) == 1) {
		ebb_run_release(r);
		rc = ebb_run_find(index, "last", r, err);
	}
	return rc;
}

static void days_pass(void *ctx, int64_t ns)
{
	(void)ctx;
	(void)ns;
	archive.fixed += 3 * DAY;
}

static int add_sleeper(void *ctx, const struct ebb_op *op, struct ebb_err *err)
{
	struct sleepers *s = ctx;

	return ebb_thaw_add_op(&s->thaw, s->set, op, err);
}

static int add_sleeper_back(void *ctx, const struct ebb_op *did, const struct ebb_op *back, struct ebb_err *err)
{
	(void)did;
	return add_sleeper(ctx, back, err);
}

/* Have what sleeps thawed, and wait for it. */
static int wake(struct sleepers *s, struct ebb_err *err)
{
	int rc = ebb_thaw_look(&s->thaw, s->set, NULL, err);

	if (rc == 0)
		rc = ebb_thaw_ask(&s->thaw, s->set, "bulk", 9, NULL, err);
	return rc < 0 ? rc : ebb_thaw_wait(&s->thaw, s->set, days_pass, NULL, NULL, err);
}

static int go_on(const struct ebb_mix_kit *k, const char *index, struct ebb_storeset *set, struct ebb_run *r, bool known,
		 struct ebb_err *err)
{
	struct ebb_clock clock = ebb_clock_fixed(NOW);
	const struct ebb_apply a = {.stores = set, .limits = {-1, -1, -1, -1, -1, -1, NULL}, .clock = &clock, .jobs = 1};
	EBB_CLEANUP(ebb_planfile_closep) struct ebb_planfile *plan = NULL;
	EBB_CLEANUP(forget) struct sleepers s = {.set = set};
	struct ebb_journal *j = NULL;
	struct ebb_apply_done done;
	char path[8192];

	if (known && r->closed && strcmp(r->outcome, "complete") == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/plan", k->dir);
	int rc = ebb_planfile_open(known ? r->plan_path : path, &plan, err);
	if (rc == 0)
		rc = ebb_apply_each(&a, plan, add_sleeper, &s, err);
	if (rc == 0)
		rc = wake(&s, err);
	if (rc == 0)
		rc = known ? ebb_journal_append_to(r->journal, &j, err) : ebb_run_create(index, plan, NOW, r, &j, err);
	if (rc == 0)
		rc = ebb_apply_run(&a, r, plan, j, &done, err);
	ebb_journal_close(j);
	return rc;
}

static int take_back(const struct ebb_undo *u, const struct ebb_run *r, struct ebb_err *err)
{
	EBB_CLEANUP(forget) struct sleepers s = {.set = u->stores};
	struct ebb_journal_counts counts;
	int rc = ebb_undo_each(u, r, add_sleeper_back, &s, err);

	if (rc == 0)
		rc = wake(&s, err);
	return rc < 0 ? rc : ebb_undo_run(u, r, &counts, err);
}

int ebb_mix_kit_run(const struct ebb_mix_kit *k, enum ebb_mix_kit_phase phase, ebb_mix_kit_scripts scripts,
		    struct ebb_err *err)
{
	struct ebb_clock clock = ebb_clock_fixed(phase == EBB_MIX_KIT_EXPIRE ? NOW + 366 * DAY : NOW);
	EBB_CLEANUP(ebb_storeset_freep) struct ebb_storeset *set = ebb_mix_kit_set(k, scripts);
	EBB_CLEANUP(ebb_run_release) struct ebb_run r = {0};
	const struct ebb_undo u = {.stores = set, .clock = &clock, .jobs = 1};
	struct ebb_journal_counts counts;
	char index[8192];

	snprintf(index, sizeof(index), "%s/index", k->dir);
	struct ebb_err none = {0};
	int rc = recover(index, set, ebb_clock_now(&clock), &r, &none);
	if (rc < 0 && rc != -EBB_ENOENT)
		return ebb_err_set(err, -rc, "%s", none.msg);
	switch (phase) {
	case EBB_MIX_KIT_APPLY:
		return go_on(k, index, set, &r, rc == 0, err);
	case EBB_MIX_KIT_UNDO:
		return rc < 0 ? 0 : take_back(&u, &r, err);
	default:
		return rc < 0 ? 0 : ebb_undo_expire(&u, &r, &counts, err);
	}
}

/* --- What stands ----------------------------------------------------------------------------------------- */

/* Run ids differ, and packs have times of their own. */
static void even_out(char *text)
{
	static const char trash[] = ".ebb-trash/", packs[] = ".ebb-packs/";

	for (char *p = text; (p = strstr(p, trash)); ) {
		p += sizeof(trash) - 1;
		size_t id = strcspn(p, "/ \n");

		memmove(p, p + id, strlen(p + id) + 1);
	}
	for (char *line = text, *end; line && *line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (strncmp(line, packs, sizeof(packs) - 1) != 0)
			continue;
		for (char *p = strchr(line, ' '); p && p < end; p++)
			*p = '-';	/* a pack's bytes hold the times of its members, which every kit has of its own */
	}
}

static int describe(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	char etag[EBB_RECORD_ETAG_TEXT] = "";
	bool pack = strstr(rec->key, ".ebb-packs/");

	ebb_record_etag_text(rec, etag);
	return ebb_buf_addf(ctx, "b:%s %lld %lld %s\n", rec->key, pack ? 0 : (long long)rec->f[EBB_F_SIZE],
			    (long long)rec->f[EBB_F_CLASS], pack ? "" : etag) < 0
		       ? ebb_err_set(err, EBB_ENOMEM, "out of memory") : 0;
}

static void add_tree(const struct ebb_mix_kit *k, int i, bool dirs, struct ebb_buf *out)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/%s", k->dir, names[i]);
	char *text = ebb_snapshot_of(path);
	even_out(text);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		const char *mode = memchr(line, ' ', (size_t)(end - line));

		if (dirs || !mode || mode[1] != '4')
			ebb_buf_addf(out, "%s:%.*s\n", names[i], (int)(end - line), line);
	}
	free(text);
}

char *ebb_mix_kit_snapshot(const struct ebb_mix_kit *k, bool dirs)
{
	struct ebb_buf text = EBB_BUF_INIT(1 << 20);
	struct ebb_err err = {0};

	if (ebb_store_list(k->stores[B], NULL, NULL, describe, &text, &err) < 0)
		die("list", &err);
	if (text.data) {
		even_out(text.data);
		text.len = strlen(text.data);
	}
	for (size_t i = 0; i < ITEMS; i++)
		if (items[i].what & IN_PLACE)
			ebb_buf_addf(&text, "b: versions %s %zu\n", items[i].key,
				     ebb_store_memory_bucket_versions(k->stores[B], items[i].key));
	for (size_t i = 0; i < ITEMS; i++)
		if (items[i].store == B && ebb_store_hidden(k->stores[B], items[i].key, &planned[i], NULL) == 1)
			ebb_buf_addf(&text, "b: hidden %s\n", items[i].key);
	add_tree(k, D, dirs, &text);
	add_tree(k, E, dirs, &text);
	return ebb_buf_detach(&text);
}

char *ebb_mix_kit_returning(char *text)
{
	char *to = text;

	for (char *line = text, *end; *line; line = end) {
		end = strchr(line, '\n') + 1;
		if (memmem(line, (size_t)(end - line), ":purge", 6) ||
		    memmem(line, (size_t)(end - line), ":" EBB_MIX_KIT_AGAIN, strlen(":" EBB_MIX_KIT_AGAIN)))
			continue;
		memmove(to, line, (size_t)(end - line));
		to += end - line;
	}
	*to = 0;
	return text;
}

/* Decode what a codec has encoded, at its first @len bytes of garbage: nothing. */
static void decode(const struct ebb_codec *c, const struct ebb_buf *in, struct ebb_buf *out)
{
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;
	struct ebb_codec_io io = {.in = (const uint8_t *)in->data, .in_len = in->len};
	static uint8_t room[1 << 16];
	int r = ebb_codec_decoder_new(c, &s, NULL);

	while (r == 0) {
		io.out = room;
		io.out_len = sizeof(room);
		r = ebb_codec_step(s, &io, true, NULL);
		ebb_buf_add(out, room, sizeof(room) - io.out_len);
	}
	if (r < 0)
		ebb_buf_clear(out);
}

struct search {
	struct ebb_store *store;
	const char *data;
	size_t size;
	bool found;
};

static bool slurp(struct ebb_store *s, const char *key, struct ebb_buf *out)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *r = NULL;
	static char room[1 << 16];
	int64_t n = 0, hole = 0;

	if (ebb_store_read_open(s, key, NULL, &r, NULL) < 0)
		return false;
	do {
		if ((ebb_store_caps(s) & EBB_CAP_SPARSE) && ebb_store_read_hole(r, &hole, NULL) == 0 && hole) {
			static const char zeros[4096];

			for (int64_t i = 0; i < hole; i += 4096)
				ebb_buf_add(out, zeros, (size_t)(hole - i < 4096 ? hole - i : 4096));
		}
		n = ebb_store_read(r, room, sizeof(room), NULL);
		if (n > 0)
			ebb_buf_add(out, room, (size_t)n);
	} while (n > 0);
	return n == 0;
}

/* What the object itself says of how it is encoded. */
static const struct ebb_codec *coding(struct ebb_store *s, const char *key)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
	char name[64];

	ebb_meta_init(&m);
	if ((ebb_store_caps(s) & EBB_CAP_DIRS) || ebb_store_get_meta(s, key, &m, NULL) < 0)
		return NULL;
	return ebb_codec_find(ebb_replace_encoding(&m, name, sizeof(name)));
}

static int look_in(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf data = EBB_BUF_INIT(1 << 24);
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf plain = EBB_BUF_INIT(1 << 24);
	struct search *s = ctx;
	const struct ebb_codec *c = ebb_codec_of_key(rec->key, rec->key_len);
	bool pack = strstr(rec->key, ".tar.zst");

	(void)err;
	if (!c)
		c = coding(s->store, rec->key);
	if (s->found || rec->key[rec->key_len - 1] == '/' || strstr(rec->key, EBB_STORE_TMP) || !slurp(s->store, rec->key, &data))
		return 0;
	if (c)
		decode(c, &data, &plain);
	const struct ebb_buf *b = c ? &plain : &data;
	if (pack)
		s->found = b->len >= s->size && memmem(b->data, b->len, s->data, s->size);
	else
		s->found = b->len == s->size && memcmp(b->data, s->data, s->size) == 0;
	return 0;
}

static bool stands(const struct ebb_mix_kit *k, size_t i)
{
	char *data = content_of(i);
	struct search s = {.data = data, .size = size_of(i), .store = k->stores[items[i].store]};
	struct ebb_record rec = {.key = items[i].key, .key_len = (uint32_t)strlen(items[i].key)};
	struct ebb_err err = {0};

	ebb_store_memory_bucket_archive(k->stores[B], NULL); /* whoever waits can read it */
	look_in(&s, &rec, &err);
	if (!s.found && items[i].store == B)
		s.found = ebb_store_hidden(k->stores[B], items[i].key, &planned[i], NULL) == 1;
	for (int n = 0; !s.found && n < EBB_MIX_KIT_STORES; n++) {
		s.store = k->stores[n];
		if (ebb_store_list(s.store, NULL, NULL, look_in, &s, &err) < 0)
			die("list", &err);
	}
	ebb_store_memory_bucket_archive(k->stores[B], &archive);
	free(data);
	return s.found;
}

const char *ebb_mix_kit_lost(const struct ebb_mix_kit *k, bool expired)
{
	for (size_t i = 0; i < ITEMS; i++) {
		bool may_go = (items[i].what & (PURGE | PAST)) || (expired && items[i].action == EBB_ACTION_DELETE);

		if (!may_go && size_of(i) && !stands(k, i))
			return items[i].key;
	}
	return NULL;
}

/* --- What the journal says ------------------------------------------------------------------------------- */

/* Numbers of actions with an intent, as bits. */
static uint64_t announced(const struct ebb_mix_kit *k)
{
	EBB_CLEANUP(ebb_run_release) struct ebb_run r = {0};
	EBB_CLEANUP(ebb_journal_reader_closep) struct ebb_journal_reader *j = NULL;
	struct ebb_journal_rec rec;
	struct ebb_arena arena;
	char index[8192];
	uint64_t all = 0;

	snprintf(index, sizeof(index), "%s/index", k->dir);
	if (ebb_run_find(index, "last", &r, NULL) < 0 || ebb_journal_open(r.journal, &j, NULL) < 0)
		return 0;
	ebb_arena_init(&arena, 0);
	while (ebb_journal_next(j, &arena, &rec, NULL) == 1) {
		if (rec.type != EBB_JOURNAL_INTENT)
			continue;
		all |= UINT64_C(1) << rec.op->n;
		ebb_op_release(rec.op);
	}
	ebb_arena_release(&arena);
	return all;
}

struct strangers {
	const struct ebb_mix_kit *k;
	int store;
	uint64_t announced;
	const char *ret;
};

static bool ends(const char *key, const char *with)
{
	size_t a = strlen(key), b = strlen(with);

	return a >= b && strcmp(key + a - b, with) == 0;
}

/* What the plan makes of item @i there, be it only for a while. */
static bool made_of(size_t i, const char *key)
{
	const char *name = items[i].to_key ? items[i].to_key : items[i].key;

	if (strstr(key, EBB_STORE_TMP))
		return true;
	if (items[i].action == EBB_ACTION_ARCHIVE)
		return strncmp(key, name, strlen(".ebb-packs/d/")) == 0;
	if (items[i].action == EBB_ACTION_STRIKE || items[i].action == EBB_ACTION_REPACK) {
		const char *pack = key_of(i);

		return strncmp(key, pack, strlen(pack) - strlen("tar.zst")) == 0;
	}
	char staged[64];
	snprintf(staged, sizeof(staged), "/.encoded/%lld", (long long)numbers[i]);
	if (strncmp(key, EBB_PROOF_TRASH, strlen(EBB_PROOF_TRASH)) == 0)
		return ends(key, items[i].what & IN_PLACE ? staged : items[i].key);
	return strncmp(key, name, strlen(name)) == 0;	/* with a codec's suffix */
}

static bool is_tombstone(size_t i, const char *key)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;

	ebb_arena_init(&arena, 0);
	return (items[i].what & (PAST | LATER)) && strcmp(tombstone_of(i, &arena), key) == 0;
}

static bool known(const struct strangers *s, const char *key)
{
	for (size_t i = 0; i < ITEMS; i++)
		if (items[i].store == s->store && (strcmp(key_of(i), key) == 0 || is_tombstone(i, key)))
			return true;
	for (size_t i = 0; i < ITEMS; i++)
		if (numbers[i] && (s->announced >> numbers[i] & 1) && made_of(i, key))
			return true;
	return false;
}

static int check_known(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct strangers *s = ctx;

	(void)err;
	if (rec->key[rec->key_len - 1] != '/' && !known(s, rec->key))
		s->ret = "something new";
	return 0;
}

const char *ebb_mix_kit_unannounced(const struct ebb_mix_kit *k)
{
	uint64_t all = announced(k);
	struct ebb_err err = {0};

	for (size_t i = 0; i < ITEMS; i++)
		if (numbers[i] && !(all >> numbers[i] & 1) &&
		    ebb_store_check(k->stores[items[i].store], key_of(i), &planned[i], NULL) < 0)
			return items[i].key;
	for (int n = 0; n < EBB_MIX_KIT_STORES; n++) {
		struct strangers s = {k, n, all, NULL};

		if (ebb_store_list(k->stores[n], NULL, NULL, check_known, &s, &err) < 0)
			die("list", &err);
		if (s.ret)
			return s.ret;
	}
	return NULL;
}

static int count_tmp(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	(void)err;
	*(size_t *)ctx += strstr(rec->key, EBB_STORE_TMP) != NULL;
	return 0;
}

size_t ebb_mix_kit_temporaries(const struct ebb_mix_kit *k)
{
	struct ebb_err err = {0};
	size_t n = 0;

	for (int i = 0; i < EBB_MIX_KIT_STORES; i++)
		if (ebb_store_list(k->stores[i], NULL, NULL, count_tmp, &n, &err) < 0)
			die("list", &err);
	return n;
}
