/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bucket scanner against a simulated server: whatever the keys look like, wherever ranges are cut, in whatever order answers
 * come, and while the bucket changes, every object that stands is delivered once, in order; requests stay within their bound; a
 * listing that is stopped goes on where it was; flat, skewed and deep buckets are listed in few rounds.
 */
#include "scanners/list.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scanners/list_split.h"
#include "tests/support/seed.h"

enum { MAX_KEYS = 120000, KEY = 80 };

/* An object, with versions below it where a bucket has them. */
struct object {
	char key[KEY];
	bool there;		/* now */
	bool stable;		/* it was there all the time, and will be */
	unsigned versions;	/* beside the current one */
	unsigned seen;		/* times delivered; versions are counted too */
};

struct server {
	struct object *o;
	size_t n;
	size_t page;		/* objects on a page */
	bool changes, versions;
	struct ebb_prng *rand;
	pthread_mutex_t lock;
	pthread_cond_t asked;
	struct ebb_list_page *pending[256];
	size_t npending;
	bool over;
	bool rounds;		/* answer all that is asked for, then look again */
	uint64_t nrounds;
	struct ebb_record upload;	/* of the last object, once */
	char upload_key[EBB_KEY_MAX];
	bool upload_told;
};

#define die(what) ebb_seed_fail(__FILE__, __LINE__, "%s", (what))

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct object *)a)->key, ((const struct object *)b)->key);
}

static void add_record(struct ebb_list_page *p, const char *key, size_t len, int64_t kind, int64_t size)
{
	struct ebb_record rec = {.key = key, .key_len = (uint32_t)len};

	ebb_record_set(&rec, EBB_F_KIND, kind);
	ebb_record_set(&rec, EBB_F_SIZE, size);
	if (ebb_list_page_add(p, &rec) < 0)
		die("memory");
}

/* Versions of one object come newest first, as ids that fall. */
static void answer(struct server *s, struct ebb_list_page *p)
{
	size_t i = 0, n = 0;
	unsigned from = 0;
	char hidden[EBB_KEY_MAX], id[16];

	while (i < s->n && strcmp(s->o[i].key, p->after) < 0)
		i++;
	if (i < s->n && strcmp(s->o[i].key, p->after) == 0) {
		if (*p->after_id)
			from = (unsigned)atoi(p->after_id);
		else
			i++;
	}
	for (; i < s->n; i++, from = 0) {
		const struct object *o = &s->o[i];

		if (!o->there)
			continue;
		for (unsigned v = from; v <= (s->versions ? o->versions : 0); v++) {
			if (n == s->page) {
				p->more = true;
				return;
			}
			snprintf(id, sizeof(id), "%u", v + 1);
			size_t len = v ? ebb_record_hidden_key(o->key, strlen(o->key), 1000 - v, id, hidden) : strlen(o->key);
			add_record(p, v ? hidden : o->key, len, v ? EBB_KIND_VERSION : EBB_KIND_FILE, (int64_t)i);
			n++;
			ebb_buf_clear(&p->next);
			ebb_buf_clear(&p->next_id);
			ebb_buf_adds(&p->next, o->key);
			if (s->versions)
				ebb_buf_adds(&p->next_id, id);
		}
	}
}

static void change(struct server *s)
{
	struct object *o = &s->o[ebb_prng_below(s->rand, s->n)];

	if (s->changes && !o->stable)
		o->there = !o->there;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct ebb_list_page *batch[256];

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!s->npending && !s->over)
			pthread_cond_wait(&s->asked, &s->lock);
		if (!s->npending)
			break;
		size_t n = s->rounds ? s->npending : 1;
		for (size_t i = 0; i < n; i++) {
			size_t k = s->rounds ? 0 : ebb_prng_below(s->rand, s->npending);

			batch[i] = s->pending[k];
			memmove(&s->pending[k], &s->pending[k + 1], (--s->npending - k) * sizeof(*s->pending));
		}
		s->nrounds++;
		pthread_mutex_unlock(&s->lock);
		for (size_t i = 0; i < n; i++) {
			change(s);
			answer(s, batch[i]);
			batch[i]->done(batch[i]);
		}
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void start(void *ctx, struct ebb_list_page *page)
{
	struct server *s = ctx;

	pthread_mutex_lock(&s->lock);
	if (s->npending == sizeof(s->pending) / sizeof(*s->pending))
		die("too many requests at once");
	s->pending[s->npending++] = page;
	pthread_cond_signal(&s->asked);
	pthread_mutex_unlock(&s->lock);
}

static int upload(void *ctx, struct ebb_record *ret, struct ebb_err *err)
{
	struct server *s = ctx;

	(void)err;
	if (!s->versions || s->upload_told)
		return 0;
	s->upload_told = true;
	const char *key = s->o[s->n - 1].key;
	size_t len = ebb_record_hidden_key(key, strlen(key), 5, "upload", s->upload_key);
	*ret = (struct ebb_record){.key = s->upload_key, .key_len = (uint32_t)len};
	ebb_record_set(ret, EBB_F_KIND, EBB_KIND_UPLOAD);
	return 1;
}

/* --- Checking -------------------------------------------------------------------------------------------- */

struct check {
	struct server *s;
	char last[EBB_KEY_MAX];
	size_t last_len;
	uint64_t told, stop_after;	/* 0: never */
	unsigned uploads;
};

static int on_record(void *ctx, const struct ebb_record *rec, struct ebb_err *err)
{
	struct check *c = ctx;
	struct server *s = c->s;

	if (c->last_len && ebb_record_key_cmp(rec->key, rec->key_len, c->last, c->last_len) <= 0)
		die("keys do not ascend");
	memcpy(c->last, rec->key, rec->key_len);
	c->last_len = rec->key_len;
	if (rec->f[EBB_F_KIND] == EBB_KIND_UPLOAD)
		c->uploads++;
	else
		s->o[rec->f[EBB_F_SIZE]].seen++;
	c->told++;
	return c->told == c->stop_after ? ebb_err_set(err, EBB_ELIMIT, "enough") : 0;
}

static uint64_t pages(const struct server *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += 1 + (s->versions ? s->o[i].versions : 0);
	return n / s->page + 1;
}

static void list(struct server *s, unsigned parallel, uint64_t stop_after, struct ebb_list_stats *ret)
{
	const struct ebb_list_source source = {.ctx = s, .start = start, .upload = upload};
	struct ebb_list_opts opts = {.requests = parallel};
	struct check c = {.s = s, .stop_after = stop_after};
	struct ebb_err err = {0};
	char after[EBB_KEY_MAX];
	pthread_t thread;
	int r;

	for (size_t i = 0; i < s->n; i++)
		s->o[i].seen = 0;
	s->over = s->upload_told = false;
	s->nrounds = 0;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->asked, NULL);
	pthread_create(&thread, NULL, serve, s);
	while ((r = ebb_list_run(&source, &opts, on_record, &c, ret, &err)) == -EBB_ELIMIT && c.stop_after) {
		/* what a scan does that was stopped: go on behind the last record */
		memcpy(after, c.last, c.last_len);
		opts.after = after;
		opts.after_len = c.last_len;
		c.stop_after = 0;
		s->upload_told = false;
		ebb_err_clear(&err);
	}
	pthread_mutex_lock(&s->lock);
	s->over = true;
	pthread_cond_signal(&s->asked);
	pthread_mutex_unlock(&s->lock);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->asked);
	if (r < 0)
		die(err.msg);
	for (size_t i = 0; i < s->n; i++) {
		unsigned want = 1 + (s->versions ? s->o[i].versions : 0);

		if (s->o[i].seen > want || (s->o[i].stable && s->o[i].seen != want))
			die(s->o[i].key);
	}
	if (s->versions && c.uploads != 1)
		die("the upload was not delivered once");
	if (ret->requests > pages(s) + ret->cuts + 1 ||
	    ret->cuts > EBB_LIST_CUTS + ret->requests / EBB_LIST_PAGES_PER_CUT)
		die("too many requests");
}

/* --- Spaces of keys -------------------------------------------------------------------------------------- */

static void random_key(struct ebb_prng *r, char *key)
{
	static const char *const words[] = {"a/", "logs/", "run-", "0", "9", "\xc3\xa9", "\xf0\x9f\x98\x80", "//", "/", "..", " ", "zz", "\x7f", "\n"};
	size_t parts = 1 + ebb_prng_below(r, 6);

	*key = 0;
	for (size_t i = 0; i < parts && strlen(key) < KEY - 24; i++) {
		if (ebb_prng_below(r, 3) == 0)
			sprintf(key + strlen(key), "%0*d", (int)ebb_prng_below(r, 6) + 1, (int)ebb_prng_below(r, 1000));
		else
			strcat(key, words[ebb_prng_below(r, sizeof(words) / sizeof(*words))]);
	}
}

static void random_space(struct server *s)
{
	char stem[KEY];
	size_t n = 1 + ebb_prng_below(s->rand, 3000), same = 0;

	s->n = 0;
	for (size_t i = 0; i < n; i++) {
		char *key = s->o[i].key;

		if (same-- == 0) {
			random_key(s->rand, stem);
			same = ebb_prng_below(s->rand, 600);
		}
		snprintf(key, KEY, "%.60s%d", stem, (int)ebb_prng_below(s->rand, 5000));
	}
	qsort(s->o, n, sizeof(*s->o), by_key);
	for (size_t i = 0; i < n; i++) {
		if (s->n && strcmp(s->o[s->n - 1].key, s->o[i].key) == 0)
			continue;
		memmove(s->o[s->n].key, s->o[i].key, KEY);
		struct object *o = &s->o[s->n++];
		o->stable = !s->changes || ebb_prng_below(s->rand, 4);
		o->there = o->stable || ebb_prng_below(s->rand, 2);
		o->versions = ebb_prng_below(s->rand, 10) ? 0 : (unsigned)ebb_prng_below(s->rand, 40);
		if (!o->stable)
			o->versions = 0;
	}
}

static void fill(struct server *s, size_t n, void (*name)(size_t i, char *key))
{
	for (size_t i = 0; i < n; i++) {
		s->o[i] = (struct object){.there = true, .stable = true};
		name(i, s->o[i].key);
	}
	s->n = n;
	qsort(s->o, n, sizeof(*s->o), by_key);
}

static void flat(size_t i, char *key)
{
	snprintf(key, KEY, "obj-%08zu", i);
}

static void hashed(size_t i, char *key)
{
	snprintf(key, KEY, "%016llx", (unsigned long long)(i * 0x9e3779b97f4a7c15ULL));
}

static void skewed(size_t i, char *key)
{
	if (i % 20)
		snprintf(key, KEY, "warehouse/events/part-%07zu.parquet", i);
	else
		snprintf(key, KEY, "team-%c/notes/%zu.txt", (int)('a' + i % 26), i);
}

static void deep(size_t i, char *key)
{
	snprintf(key, KEY, "lake/team-%zu/project-%zu/run-%03zu/checkpoint-%zu/shard-%zu.bin", i % 5,
		 i / 5 % 8, i / 40 % 50, i / 2000 % 5, i / 10000);
}

static void dated(size_t i, char *key)
{
	snprintf(key, KEY, "logs/2026/%02zu/%02zu/%02zu/host-%zu.log.gz", i / 8000 + 1, i / 288 % 28 + 1, i / 12 % 24, i);
}

/* A hundred pages, 32 at a time: how many answers have to be waited for one after the other. */
static void count_rounds(struct server *s, const char *what, void (*name)(size_t i, char *key), uint64_t most)
{
	struct ebb_list_stats stats;

	fill(s, 100000, name);
	s->page = 1000;
	s->changes = s->versions = false;
	s->rounds = true;
	list(s, 32, 0, &stats);
	s->rounds = false;
	printf("%s: %llu requests, %llu cuts, %llu rounds, %llu pages waiting at most\n", what,
	       (unsigned long long)stats.requests, (unsigned long long)stats.cuts,
	       (unsigned long long)s->nrounds, (unsigned long long)stats.most_waiting);
	if (s->nrounds > most || stats.requests > 101 * 11 / 10 + 32)
		die("too slow");
}

int main(void)
{
	struct ebb_prng rand = ebb_seed_start();
	struct server s = {.o = calloc(MAX_KEYS, sizeof(*s.o)), .rand = &rand};
	struct ebb_list_stats stats;

	for (int i = 0; i < 300; i++) {
		s.changes = ebb_prng_below(&rand, 2);
		s.versions = ebb_prng_below(&rand, 2);
		s.page = 1 + ebb_prng_below(&rand, ebb_prng_below(&rand, 2) ? 10 : 300);
		random_space(&s);
		list(&s, 1 + (unsigned)ebb_prng_below(&rand, 40), ebb_prng_below(&rand, 3) ? 0 : 1 + ebb_prng_below(&rand, s.n), &stats);
	}
	count_rounds(&s, "flat", flat, 12);
	count_rounds(&s, "hashed", hashed, 12);
	count_rounds(&s, "skewed", skewed, 14);
	count_rounds(&s, "deep", deep, 18);
	count_rounds(&s, "dated", dated, 18);
	free(s.o);
	return 0;
}
