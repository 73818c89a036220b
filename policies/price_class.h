/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a price book: a document (core/tree.h) of this form. The reader itself is
 * ebb_price_books_add() of price.h.
 *
 *   version: 1
 *   name: aws
 *   provider: aws                     # left out in books of a site of one's own
 *   date: 2026-11-23
 *   currency: USD
 *   source: list                      # a word of `sources`, or text
 *   confidence: list                  # contract, list, sample or low
 *   sources:
 *     list: {title: "...", url: "...", date: 2026-08-18, confidence: list}
 *   month: calendar                   # or 30d, 730h: how long a price's month is
 *   classes:                          # what holds in every region
 *     STANDARD: {retrieval: 0}
 *     GLACIER: {min_days: 90, overhead: 32KiB, overhead_standard: 8KiB, offline: true}
 *   regions:
 *     us-east-1:
 *       GLACIER: {storage: 0.0036/GiB-month, put: 0.03/1k, ...}
 *   egress: [...]                     # price_egress.h
 *   services: {inventory: 0.0025/1M, cpu: 0.0425/h}
 *   discounts: [...]  waivers: [...]  # price_adjust.h
 *   rates: [...]                      # price_rate.h
 *
 * Members of a class: the items of price.h and how they are written, price_figure.h;
 * storage_gib_month (a plain number: the same as storage in GiB-months); min_days, min_bytes,
 * overhead, overhead_standard, standard (the class whose rate that is, STANDARD unless said),
 * monitored_from, moves_free_early, offline; restore: {bulk: {request: ..., retrieval: ...,
 * hours: 12}}; sinks: [{after: 30d, storage: ..., opt_in: false}]; source, confidence.
 *
 * Services that ebb asks for: cpu (an hour of one core), inventory (an object listed),
 * batch_object, batch_job.
 *
 * `source` and `confidence` hold for everything below them, so that each figure has both.
 */
#ifndef EBB_POLICIES_PRICE_CLASS_H
#define EBB_POLICIES_PRICE_CLASS_H

#include "policies/price_set.h"

/* `classes:` and `regions:` of a book; either may be NULL. Returns 0, -EBB_ECONFIG, -EBB_ENOMEM. */
int ebb_price_class_read(const struct ebb_price_book *book, const struct ebb_tree_node *classes,
			 const struct ebb_tree_node *regions, struct ebb_err *err);

#endif
