/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Orders of thawing on disk: what was asked for, when, how fast and at what price, so that asking goes on after a crash and temporary copies
 * are known until they expire. INDEX/thaws/ID.jsonl, written whole: before the first request with the state "asking", again when all
 * are asked for ("asked") and when the store said that all can be read ("ready").
 *
 *   {"schema":"ebb.thaw/1","state":"asked","speed":"bulk","days":2,"asked_ns":..,"hours":48,"objects":3,"bytes":..,
 *    "cost_nano":..,"currency":"USD","expires_ns":0}
 *   {"store":"lake","path":"old/a.bin","class":"DEEP_ARCHIVE","size":4096}              one for each object
 *
 * Losing one loses that knowledge and nothing else. Threads: main thread.
 */
#ifndef EBB_AGENT_THAW_ORDER_H
#define EBB_AGENT_THAW_ORDER_H

#include "agent/thaw.h"

#define EBB_THAW_ORDER_ID_MAX 32

enum ebb_thaw_order_state {
	EBB_THAW_ORDER_ASKING,	/* some may not be asked for yet */
	EBB_THAW_ORDER_ASKED,
	EBB_THAW_ORDER_READY,	/* all could be read when the store was asked last */
	EBB_THAW_ORDER_STATES
};

struct ebb_thaw_order {
	char id[EBB_THAW_ORDER_ID_MAX];	/* time of asking, 20261123T190000Z */
	enum ebb_thaw_order_state state;
	enum ebb_price_speed speed;
	int64_t days, asked;		/* asked: ns since the epoch */
	int64_t hours;			/* until the last is ready, at most; 0: not known */
	int64_t objects, bytes;
	struct ebb_money cost;		/* currency "": not known */
	int64_t expires;		/* READY: when the first copy goes; 0: not known */
};

/* "asking", "asked", "ready". Constant. */
const char *ebb_thaw_order_state_name(enum ebb_thaw_order_state s);

/* Latest time at which an order is ready; from when on all its copies are gone, ns since the epoch. */
int64_t ebb_thaw_order_ready(const struct ebb_thaw_order *o);
int64_t ebb_thaw_order_gone(const struct ebb_thaw_order *o);

/*
 * Write an order with the objects of @t that are not awake, durably; gives it an id when it has none, and counts objects and bytes then.
 *
 * @return  0; -EBB_ENOSPC and its kin; -EBB_ENOMEM.
 */
int ebb_thaw_order_write(const char *index, struct ebb_thaw_order *o, const struct ebb_thaw *t, struct ebb_err *err);

/* The objects of an order, into an empty @ret; their stores must be open, others are passed over. */
int ebb_thaw_order_read(const char *index, const char *id, const struct ebb_storeset *stores, struct ebb_thaw *ret,
			struct ebb_err *err);

/* Names of stores that an order has objects in, each once, to @fn. */
typedef int ebb_thaw_order_store_fn(void *ctx, const char *store, struct ebb_err *err);
int ebb_thaw_order_stores(const char *index, const char *id, ebb_thaw_order_store_fn *fn, void *ctx, struct ebb_err *err);

/* Each order, oldest first. No orders is fine; -EBB_EJOURNAL for a file that is none. */
typedef int ebb_thaw_order_fn(void *ctx, const struct ebb_thaw_order *o, struct ebb_err *err);
int ebb_thaw_order_each(const char *index, ebb_thaw_order_fn *fn, void *ctx, struct ebb_err *err);

/* Forget an order. */
int ebb_thaw_order_remove(const char *index, const char *id, struct ebb_err *err);

#endif
