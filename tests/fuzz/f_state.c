/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: a byte that says which small file of the index folder the rest is: facts, a verify log, an order of thawing, savings, a plan that waits, the
 * agent's beat; or a key below .ebb-packs/. They are read or refused with words, whatever they hold.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/beat.h"
#include "agent/factbook.h"
#include "agent/packname.h"
#include "agent/pending.h"
#include "agent/savings.h"
#include "agent/thaw_order.h"
#include "agent/verify_log.h"
#include "tests/support/scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795460400000000000)

static const char *dir;
static struct ebb_err err;

static void put(const char *name, const uint8_t *data, size_t size)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	if (!f || (size && fwrite(data, size, 1, f) != 1) || fclose(f))
		abort();
}

static void told(int r)
{
	if (r < 0 && !*err.msg)
		abort();
}

static void facts(const uint8_t *data, size_t size)
{
	struct ebb_arena arena;
	struct ebb_facts all = {0};

	ebb_arena_init(&arena, 0);
	put("facts/s.jsonl", data, size);
	told(ebb_factbook_load(dir, "s", INT64_MIN, &arena, &all, &err));
	ebb_arena_release(&arena);
}

static void verified(const uint8_t *data, size_t size)
{
	struct ebb_verify_log l, again;
	struct ebb_record rec = {.key = "m", .key_len = 1};

	put("verify/s.jsonl", data, size);
	int r = ebb_verify_log_read(dir, "s", &l, &err);
	told(r);
	if (r == 0) {
		(void)ebb_verify_log_at(&l);
		(void)ebb_verify_log_newest(&l, &rec, 0);
		/* what is written of it can be read */
		if (ebb_verify_log_write(dir, "s", &l, NOW, &err) == 0) {
			if (ebb_verify_log_read(dir, "s", &again, &err) < 0)
				abort();
			ebb_verify_log_release(&again);
		}
	}
	ebb_verify_log_release(&l);
}

static int order(void *ctx, const struct ebb_thaw_order *o, struct ebb_err *e)
{
	(void)ctx;
	(void)e;
	(void)ebb_thaw_order_ready(o);
	(void)ebb_thaw_order_gone(o);
	if (!ebb_thaw_order_state_name(o->state) || !memchr(o->cost.currency, 0, sizeof(o->cost.currency)))
		abort();
	return 0;
}

static int store(void *ctx, const char *name, struct ebb_err *e)
{
	(void)ctx;
	(void)e;
	if (!name)
		abort();
	return 0;
}

static void thaws(const uint8_t *data, size_t size)
{
	put("thaws/20261123T190000Z.jsonl", data, size);
	told(ebb_thaw_order_each(dir, order, NULL, &err));
	told(ebb_thaw_order_stores(dir, "20261123T190000Z", store, NULL, &err));
}

static void saved(const uint8_t *data, size_t size)
{
	struct ebb_savings_row by[EBB_SAVINGS_ACTIONS];
	struct ebb_savings_list l = {0};

	put("history/savings-2026-11.jsonl", data, size);
	told(ebb_savings_load(dir, NOW - INT64_C(40) * 86400 * 1000000000, NOW, &l, &err));
	for (size_t i = 0; i < l.n; i++)
		(void)ebb_savings_sum(&l.all[i]);
	(void)ebb_savings_actions(&l, "USD", by);
	(void)ebb_savings_next(&l);
	ebb_savings_release(&l);
}

static void waiting(const uint8_t *data, size_t size)
{
	struct ebb_pendings p = {0};

	put("pending/0123456789ab.json", data, size);
	told(ebb_pending_list(dir, &p, &err));
	ebb_pending_free(&p);
}

static void beat(const uint8_t *data, size_t size)
{
	struct ebb_beat b;

	put("agent/status.json", data, size);
	if (ebb_beat_read(dir, &b) == 1) {
		(void)ebb_beat_alive(&b, NOW);
		if (!memchr(b.error, 0, sizeof(b.error)) || !memchr(b.config, 0, sizeof(b.config)))
			abort();
	}
}

static void packname(const uint8_t *data, size_t size)
{
	char *key = malloc(size ? size : 1);
	struct ebb_packname n, again;
	struct ebb_arena arena;

	if (size)
		memcpy(key, data, size);
	ebb_arena_init(&arena, 0);
	if (!memchr(key, 0, size) && ebb_packname_parse(key, size, &n)) {
		if (n.line > size || n.store < key || n.store + n.store_len > key + size)
			abort();
		const char *next = n.kind == EBB_PACKNAME_PACK ? ebb_packname_pack(&arena, key, n.line, n.generation) : NULL;
		if (next && (!ebb_packname_parse(next, strlen(next), &again) || again.generation != n.generation || again.line != n.line))
			abort();
	}
	ebb_arena_release(&arena);
	free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const uint8_t *, size_t) = {facts, verified, thaws, saved, waiting, beat, packname};
	static const char *const folders[] = {"facts", "verify", "thaws", "history", "pending", "agent"};
	char path[4200];

	if (!dir) {
		dir = ebb_scratch_new();
		for (size_t i = 0; i < EBB_ARRAY_LEN(folders); i++) {
			snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
			mkdir(path, 0700);
		}
	}
	err = (struct ebb_err){0};
	if (size)
		readers[data[0] % EBB_ARRAY_LEN(readers)](data + 1, size - 1);
	return 0;
}
