/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/ckpt_keep.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void doubt(struct ebb_ckpt *k, const char *why)
{
	if (!(k->kept & (EBB_CKPT_DOUBT | EBB_CKPT_LIVE)))
		snprintf(k->doubt, sizeof(k->doubt), "%s", why);
	k->kept |= EBB_CKPT_DOUBT;
}

/* How many of the family have exactly that many files of weights. */
static size_t same(struct ebb_ckpt *const *k, size_t n, int64_t weights)
{
	size_t c = 0;

	for (size_t i = 0; i < n; i++)
		c += k[i]->weights == weights;
	return c;
}

/* The number that more than half of the family has, or -1. Boyer and Moore's vote, then a count. */
static int64_t usual(struct ebb_ckpt *const *k, size_t n)
{
	int64_t candidate = -1;
	size_t votes = 0;

	for (size_t i = 0; i < n; i++) {
		if (votes == 0)
			candidate = k[i]->weights;
		votes += k[i]->weights == candidate ? 1 : (size_t)-1;
	}
	return 2 * same(k, n, candidate) > n ? candidate : -1;
}

void ebb_ckpt_keep_siblings(struct ebb_ckpt *const *k, size_t n)
{
	int64_t most = usual(k, n);

	for (size_t i = 0; i < n && most > 0; i++) {
		if (k[i]->by_index || k[i]->state == EBB_CKPT_INCOMPLETE || k[i]->weights >= most)
			continue;
		k[i]->state = EBB_CKPT_INCOMPLETE;
		snprintf(k[i]->state_why, sizeof(k[i]->state_why), "has %lld of %lld files of weights that others of its run have",
			 (long long)k[i]->weights, (long long)most);
	}
}

static const char *last_component(const struct ebb_ckpt *k)
{
	const char *slash = strrchr(k->path, '/');

	return slash ? slash + 1 : k->path;
}

/* What speaks for one checkpoint whatever the others are. */
static void judge_one(struct ebb_ckpt *k, const struct ebb_rules_retain *rule, int64_t now, int64_t latest, const char *best)
{
	if (k->live)
		k->kept |= EBB_CKPT_LIVE;
	if (k->foreign)
		doubt(k, "other rules meet a part of it");
	if (k->unsure)
		doubt(k, "a part of it may not be changed, or is not known well enough");
	if (k->state == EBB_CKPT_UNKNOWN)
		doubt(k, k->state_why);
	if (now - k->newest < rule->min_age_ns)
		k->kept |= EBB_CKPT_YOUNG;
	if (rule->keep_every && k->step % rule->keep_every == 0)
		k->kept |= EBB_CKPT_EVERY;
	if (k->tagged)
		k->kept |= EBB_CKPT_TAGGED;
	if (latest >= 0 && k->step == latest)
		k->kept |= EBB_CKPT_LATEST;
	if (latest >= 0 && k->step > latest)
		k->kept |= EBB_CKPT_WRITING;
	if (rule->keep_best && best && strcmp(best, last_component(k)) == 0)
		k->kept |= EBB_CKPT_BEST;
}

static bool rated(const struct ebb_ckpt *k)
{
	return k->has_figure && k->state == EBB_CKPT_COMPLETE;
}

/* The best complete ones, and all that are as good as the last of them: rank after rank, until there are enough. */
static void keep_best(struct ebb_ckpt *const *k, size_t n, const struct ebb_rules_retain *rule)
{
	double sign = rule->best_is_max ? -1 : 1, at = 0;
	int64_t best = 0;
	bool any = false;

	for (bool more = true; more && best < rule->best_count;) {
		double next = 0;

		more = false;
		for (size_t i = 0; i < n; i++)
			if (rated(k[i]) && (!any || sign * k[i]->figure > at) && (!more || sign * k[i]->figure < next)) {
				next = sign * k[i]->figure;
				more = true;
			}
		for (size_t i = 0; more && i < n; i++)
			if (rated(k[i]) && sign * k[i]->figure <= next && !(k[i]->kept & EBB_CKPT_BEST)) {
				k[i]->kept |= EBB_CKPT_BEST;
				best++;
			}
		any |= more;
		at = next;
	}
	for (size_t i = 0; i < n; i++)
		if (!k[i]->has_figure && (!k[i]->figure_missing || !any) && k[i]->state != EBB_CKPT_INCOMPLETE)
			doubt(k[i], any ? "its figure is not known" : "no figure is known of any checkpoint of its run");
}

/* Order within the family. Returns the newest complete one's number, or @n. */
static size_t keep_newest(struct ebb_ckpt *const *k, size_t n, const struct ebb_rules_retain *rule)
{
	int64_t complete = 0;
	size_t newest = n, written = 0;

	/* by step, and by time: a run that was set back goes on with smaller steps */
	for (size_t i = 0; i < n; i++)
		written = k[i]->newest >= k[written]->newest ? i : written;
	k[written]->kept |= EBB_CKPT_NEWEST;
	for (size_t i = 0; i < n; i++)
		if (k[i]->step == k[n - 1]->step)
			k[i]->kept |= EBB_CKPT_NEWEST;
	for (size_t i = n; i-- > 0;) {
		if (k[i]->state == EBB_CKPT_COMPLETE && newest == n)
			newest = i;
		if (k[i]->state == EBB_CKPT_COMPLETE && complete++ < rule->keep_last)
			k[i]->kept |= EBB_CKPT_LAST;
		if (k[i]->state != EBB_CKPT_COMPLETE && newest == n)
			k[i]->kept |= EBB_CKPT_WRITING;
	}
	if (newest < n)
		k[newest]->kept |= EBB_CKPT_NEWEST;
	return newest;
}

void ebb_ckpt_keep_family(struct ebb_ckpt *const *k, size_t n, const struct ebb_rules_retain *rule, int64_t now, int64_t latest,
			  const char *best)
{
	for (size_t i = 0; i < n; i++) {
		k[i]->kept = 0;
		judge_one(k[i], rule, now, latest, best);
	}
	size_t newest = keep_newest(k, n, rule);
	if (rule->keep_best)
		keep_best(k, n, rule);
	/* nothing to fall back on: whatever is there may be all that there is */
	for (size_t i = 0; i < n && newest == n; i++)
		k[i]->kept |= EBB_CKPT_ALONE;
}
