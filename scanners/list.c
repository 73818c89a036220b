/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/list.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scanners/list_split.h"

/* Pages that may wait to be delivered: of one range, and of all; some 100 KiB each. */
enum { WAITING = 16, WAITING_ALL = 256 };

/* A third of a record: a page of them is held for every request. */
struct ebb_list_entry {
	uint32_t key, len;	/* in the keys of the page */
	uint32_t known;
	int32_t kind;
	int64_t size, mtime, ctime, class, etag_hi, etag_lo, parts;
};

/* Keys greater than `begin` up to and including `end`; ranges stand in order, and each begins where the one before it ends. */
struct ebb_list_range {
	struct ebb_list_range *next;
	char *begin, *end;		/* end NULL: open */
	char *after, *after_id;		/* next page */
	char *first;			/* of the last page; NULL: there was none yet */
	struct ebb_list_split_seen seen;	/* in its pages */
	bool busy;			/* a page is asked for */
	bool done;			/* nothing more is to be asked */
	bool tried;			/* cuts were looked for since the last page */
	struct ebb_list_page *pages, **pages_end;
	unsigned waiting;
};

struct ebb_list {
	const struct ebb_list_source *source;
	const struct ebb_list_opts *opts;
	unsigned parallel;

	pthread_mutex_t lock;		/* all below, and ranges */
	pthread_cond_t changed;
	struct ebb_list_range *front;
	struct ebb_list_split_seen seen;
	unsigned busy;			/* requests on their way */
	uint64_t answers, waiting;
	struct ebb_list_stats stats;
	struct ebb_err err;		/* code not 0: no further requests */
};

/* --- Pages ----------------------------------------------------------------------------------------------- */

int ebb_list_page_add(struct ebb_list_page *p, const struct ebb_record *rec)
{
	if (p->n == p->size) {
		size_t size = p->size ? 2 * p->size : 256;
		struct ebb_list_entry *more = reallocarray(p->entries, size, sizeof(*more));

		if (!more)
			return -EBB_ENOMEM;
		p->entries = more;
		p->size = size;
	}
	p->entries[p->n] = (struct ebb_list_entry){
		.key = (uint32_t)p->keys.len, .len = rec->key_len, .known = rec->known,
		.kind = (int32_t)rec->f[EBB_F_KIND], .size = rec->f[EBB_F_SIZE],
		.mtime = rec->f[EBB_F_MTIME], .ctime = rec->f[EBB_F_CTIME],
		.class = rec->f[EBB_F_CLASS], .etag_hi = rec->f[EBB_F_ETAG_HI],
		.etag_lo = rec->f[EBB_F_ETAG_LO], .parts = rec->f[EBB_F_PARTS],
	};
	/* with a NUL each, so that plain keys are strings */
	if (ebb_buf_add(&p->keys, rec->key, rec->key_len) < 0 || ebb_buf_addc(&p->keys, 0) < 0)
		return -EBB_ENOMEM;
	p->n++;
	return 0;
}

void ebb_list_page_get(const struct ebb_list_page *p, size_t i, struct ebb_record *ret)
{
	static const uint32_t all = EBB_KNOWN(EBB_F_KIND) | EBB_KNOWN(EBB_F_SIZE) |
				    EBB_KNOWN(EBB_F_MTIME) | EBB_KNOWN(EBB_F_CTIME) |
				    EBB_KNOWN(EBB_F_CLASS) | EBB_KNOWN(EBB_F_ETAG_HI) |
				    EBB_KNOWN(EBB_F_ETAG_LO) | EBB_KNOWN(EBB_F_PARTS);
	const struct ebb_list_entry *e = &p->entries[i];

	*ret = (struct ebb_record){.key = p->keys.data + e->key, .key_len = e->len, .known = e->known & all};
	ret->f[EBB_F_KIND] = e->kind;
	ret->f[EBB_F_SIZE] = e->size;
	ret->f[EBB_F_MTIME] = e->mtime;
	ret->f[EBB_F_CTIME] = e->ctime;
	ret->f[EBB_F_CLASS] = e->class;
	ret->f[EBB_F_ETAG_HI] = e->etag_hi;
	ret->f[EBB_F_ETAG_LO] = e->etag_lo;
	ret->f[EBB_F_PARTS] = e->parts;
}

/* Plain key of entry @i: a hidden one ends it by its own NUL. */
static const char *plain(const struct ebb_list_page *p, size_t i)
{
	return p->keys.data + p->entries[i].key;
}

static void page_free(struct ebb_list_page *p)
{
	if (!p)
		return;
	ebb_buf_release(&p->next);
	ebb_buf_release(&p->next_id);
	ebb_buf_release(&p->keys);
	free(p->entries);
	free(p);
}

static struct ebb_list_page *page_new(struct ebb_list *l, struct ebb_list_range *r)
{
	struct ebb_list_page *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	ebb_buf_init(&p->next, EBB_KEY_MAX);
	ebb_buf_init(&p->next_id, EBB_RECORD_ID_MAX);
	ebb_buf_init(&p->keys, 256 * 1024 * 1024);
	p->list = l;
	p->range = r;
	return p;
}

/* --- Ranges ---------------------------------------------------------------------------------------------- */

static void range_free(struct ebb_list_range *r)
{
	if (!r)
		return;
	while (r->pages) {
		struct ebb_list_page *p = r->pages;

		r->pages = p->waiting;
		page_free(p);
	}
	free(r->begin);
	free(r->end);
	free(r->after);
	free(r->after_id);
	free(r->first);
	free(r);
}

/* Takes @end over. */
static struct ebb_list_range *range_new(const char *begin, char *end)
{
	struct ebb_list_range *r = calloc(1, sizeof(*r));

	if (!r) {
		free(end);
		return NULL;
	}
	*r = (struct ebb_list_range){
		.begin = strdup(begin), .end = end, .after = strdup(begin), .after_id = strdup(""),
		.pages_end = &r->pages,
	};
	if (r->begin && r->after && r->after_id)
		return r;
	range_free(r);
	return NULL;
}

static int set_text(char **to, const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		return -EBB_ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

/* --- Asking ---------------------------------------------------------------------------------------------- */

static void on_page(struct ebb_list_page *page);

/* Note the first failure; locked. */
static void fail(struct ebb_list *l, int code, const char *msg)
{
	if (!l->err.code)
		ebb_err_set(&l->err, code, "%s", msg);
}

/* A page of @r, to be asked for when the lock is gone: put in front of @starts. */
static void ask(struct ebb_list *l, struct ebb_list_range *r, struct ebb_list_page **starts)
{
	if (l->opts->max_requests && l->stats.requests >= l->opts->max_requests) {
		fail(l, EBB_ELIMIT, "stopped at the number of requests allowed");
		return;
	}
	struct ebb_list_page *p = page_new(l, r);
	if (!p) {
		fail(l, EBB_ENOMEM, "out of memory");
		return;
	}
	p->after = r->after;
	p->after_id = r->after_id;
	p->done = on_page;
	p->waiting = *starts;
	*starts = p;
	r->busy = true;
	l->busy++;
	l->stats.requests++;
}

static size_t cuts_allowed(const struct ebb_list *l)
{
	uint64_t all = EBB_LIST_CUTS + l->answers / EBB_LIST_PAGES_PER_CUT;

	return l->stats.cuts < all ? (size_t)(all - l->stats.cuts) : 0;
}

/* Cut @r at @at; what follows becomes a range of its own, asked for at once. */
static bool cut(struct ebb_list *l, struct ebb_list_range *r, const char *at,
		struct ebb_list_page **starts)
{
	char *end = strdup(at);
	struct ebb_list_range *right = end ? range_new(at, r->end) : NULL;

	if (!right) {
		if (end)
			r->end = NULL; /* freed with the range that could not be made */
		free(end);
		fail(l, EBB_ENOMEM, "out of memory");
		return false;
	}
	r->end = end;
	right->next = r->next;
	r->next = right;
	l->stats.cuts++;
	ask(l, right, starts);
	return true;
}

static void look_for_cuts(struct ebb_list *l, struct ebb_list_range *r, struct ebb_list_page **starts)
{
	static const size_t most = 64;
	char(*at)[EBB_LIST_SPLIT_MAX];
	size_t room = l->parallel - l->busy, allowed = cuts_allowed(l);
	const struct ebb_list_split s = {
		.begin = r->begin, .first = r->first, .last = r->after, .end = r->end,
		.bytes = &r->seen, .words = &l->seen,
	};

	r->tried = true;
	room = room < allowed ? room : allowed;
	room = room < most ? room : most;
	if (room == 0 || !(at = malloc((room + 1) * sizeof(*at))))
		return; /* it is listed all the same */
	size_t n = ebb_list_split(&s, room, at);
	/* from behind: each takes away the end of what is left */
	while (n-- > 0 && cut(l, r, at[n], starts))
		;
	free(at);
}

/* Another page of @r would have room. */
static bool has_room(const struct ebb_list *l, const struct ebb_list_range *r)
{
	return r->waiting < WAITING && (r == l->front || l->waiting + l->busy < WAITING_ALL);
}

/* What the keys to come in a range have in common at least. */
static size_t common(const struct ebb_list_range *r)
{
	return r->end ? ebb_list_split_common(r->after, r->end) : 0;
}

/*
 * The range whose keys have least in common, of those that may be cut: cuts are few, so they are spent on what is likely large. When
 * half of them are gone, narrow ranges wait for the first answers of wider ones.
 */
static struct ebb_list_range *widest(const struct ebb_list *l)
{
	struct ebb_list_range *best = NULL;
	size_t least = SIZE_MAX, allowed = cuts_allowed(l);

	if (allowed < EBB_LIST_CUTS / 2)
		for (struct ebb_list_range *r = l->front; r; r = r->next)
			if (r->busy && !r->first && common(r) < least)
				least = common(r) + 1;
	for (struct ebb_list_range *r = l->front; r && allowed; r = r->next) {
		if (r->done || !r->first || r->tried || !has_room(l, r))
			continue;
		size_t n = common(r);
		if (n < least) {
			least = n;
			best = r;
		}
	}
	return best;
}

/* Whatever can be asked for now: ranges in front first, then more ranges. Locked. */
static struct ebb_list_page *schedule(struct ebb_list *l)
{
	struct ebb_list_page *starts = NULL;

	for (struct ebb_list_range *r = l->front; r && !l->err.code && l->busy < l->parallel; r = r->next)
		if (!r->done && !r->busy && has_room(l, r))
			ask(l, r, &starts);
	for (struct ebb_list_range *r; !l->err.code && l->busy < l->parallel && (r = widest(l));)
		look_for_cuts(l, r, &starts);
	return starts;
}

static void start_all(struct ebb_list *l, struct ebb_list_page *starts)
{
	while (starts) {
		struct ebb_list_page *p = starts;

		starts = p->waiting;
		p->waiting = NULL;
		l->source->start(l->source->ctx, p);
	}
}

/* --- Answers --------------------------------------------------------------------------------------------- */

/* Keys ascend from where they were asked for; those behind the end of the range belong to the next. */
static const char *check_page(struct ebb_list_range *r, struct ebb_list_page *p, bool *ret_over)
{
	const char *before = p->after;
	bool same = *p->after_id;	/* versions of the key before may go on */

	for (size_t i = 0; i < p->n; i++) {
		const char *key = plain(p, i);
		int order = strcmp(key, before);

		if (order < 0 || (order == 0 && !same))
			return "the store lists keys out of order";
		if (r->end && strcmp(key, r->end) > 0) {
			p->n = i;
			*ret_over = true;
			return NULL;
		}
		before = key;
		same = true;
	}
	if (p->more && (p->next.len == 0 || strcmp(p->next.data, before) < 0))
		return "the store does not say where its listing goes on";
	return NULL;
}

/* Where the range goes on behind @p, and whether it does. */
static int advance(struct ebb_list_range *r, const struct ebb_list_page *p, bool over)
{
	/* a range may have been cut while its page was on the way */
	if (over || !p->more ||
	    (r->end && strcmp(p->next.data, r->end) >= 0 && p->next_id.len == 0)) {
		r->done = true;
		return 0;
	}
	if (set_text(&r->after, p->next.data) < 0 ||
	    set_text(&r->after_id, p->next_id.len ? p->next_id.data : "") < 0)
		return -EBB_ENOMEM;
	return 0;
}

/* How keys vary: within the page, and against where the range began. */
static void learn(struct ebb_list *l, struct ebb_list_range *r, const struct ebb_list_page *p)
{
	for (size_t i = 1; i < p->n; i++)
		ebb_list_split_learn(&r->seen, plain(p, i - 1), plain(p, i));
	for (size_t i = 0; i < EBB_LIST_SPLIT_WORDS; i++)
		l->seen.word[i] |= r->seen.word[i];
	if (p->n && *r->begin)
		ebb_list_split_learn(&l->seen, r->begin, plain(p, 0));
}

/* Put a page into its range; a range that lost one is never done, so nothing behind it is delivered. */
static int take(struct ebb_list *l, struct ebb_list_page *p)
{
	struct ebb_list_range *r = p->range;
	bool over = false;
	const char *wrong = check_page(r, p, &over);

	if (wrong) {
		fail(l, EBB_ECORRUPT, wrong);
		return -EBB_ECORRUPT;
	}
	learn(l, r, p);
	if ((p->n && set_text(&r->first, plain(p, 0)) < 0) || advance(r, p, over) < 0) {
		fail(l, EBB_ENOMEM, "out of memory");
		return -EBB_ENOMEM;
	}
	r->tried = false;
	if (p->n == 0)
		return 0;
	*r->pages_end = p;
	r->pages_end = &p->waiting;
	r->waiting++;
	if (++l->waiting > l->stats.most_waiting)
		l->stats.most_waiting = l->waiting;
	return 1;
}

static void on_page(struct ebb_list_page *p)
{
	struct ebb_list *l = p->list;

	pthread_mutex_lock(&l->lock);
	p->range->busy = false;
	l->busy--;
	l->answers++;
	if (p->rc < 0)
		fail(l, -p->rc, p->err.msg);
	else if (take(l, p) == 1)
		p = NULL;
	struct ebb_list_page *starts = schedule(l);
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	/* with nothing to start this may have been the last, and the scanner is gone */
	page_free(p);
	start_all(l, starts);
}

/* --- Delivering ------------------------------------------------------------------------------------------ */

/* Hidden records of one key, until all are there: versions come newest first, uploads from elsewhere. */
struct hidden {
	char *key;			/* owned */
	struct ebb_record rec;
};
struct group {
	struct hidden *all;
	size_t n, size;
};

struct delivery {
	struct ebb_list *l;
	ebb_list_fn *fn;
	void *ctx;
	const char *after;		/* skip up to here */
	size_t after_len;
	struct group group;
	struct ebb_record upload;	/* the next one, when has_upload */
	bool has_upload, uploads_over;
};

static int deliver(struct delivery *d, const struct ebb_record *rec, struct ebb_err *err)
{
	if (d->after_len &&
	    ebb_record_key_cmp(rec->key, rec->key_len, d->after, d->after_len) <= 0)
		return 0;
	return d->fn(d->ctx, rec, err);
}

static int by_key(const void *a, const void *b)
{
	const struct ebb_record *x = &((const struct hidden *)a)->rec;
	const struct ebb_record *y = &((const struct hidden *)b)->rec;

	return ebb_record_key_cmp(x->key, x->key_len, y->key, y->key_len);
}

static int group_add(struct group *g, const struct ebb_record *rec, struct ebb_err *err)
{
	if (g->n == g->size) {
		size_t size = g->size ? 2 * g->size : 16;
		struct hidden *more = reallocarray(g->all, size, sizeof(*more));

		if (!more)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		g->all = more;
		g->size = size;
	}
	char *key = malloc(rec->key_len);
	if (!key)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	memcpy(key, rec->key, rec->key_len);
	g->all[g->n] = (struct hidden){.key = key, .rec = *rec};
	g->all[g->n++].rec.key = key;
	return 0;
}

static void group_drop(struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->all[i].key);
	g->n = 0;
}

static int next_upload(struct delivery *d, struct ebb_err *err)
{
	const struct ebb_list_source *s = d->l->source;

	if (d->has_upload || d->uploads_over)
		return 0;
	int r = s->upload ? s->upload(s->ctx, &d->upload, err) : 0;
	d->has_upload = r == 1;
	d->uploads_over = r == 0;
	return r < 0 ? r : 0;
}

/* How the plain key of the group compares to @key; less when there is no group. */
static int group_cmp(const struct group *g, const char *key, size_t len)
{
	if (g->n == 0)
		return -1;
	return ebb_record_key_cmp(g->all[0].key, strlen(g->all[0].key), key, len);
}

/* All of a key is there, but for its uploads. */
static int flush_group(struct delivery *d, struct ebb_err *err)
{
	int r = 0;

	while (d->group.n && (r = next_upload(d, err)) == 0 && d->has_upload &&
	       group_cmp(&d->group, d->upload.key, ebb_record_plain_len(d->upload.key, d->upload.key_len)) == 0) {
		if ((r = group_add(&d->group, &d->upload, err)) < 0)
			break;
		d->has_upload = false;
	}
	if (d->group.n)
		qsort(d->group.all, d->group.n, sizeof(*d->group.all), by_key);
	for (size_t i = 0; r == 0 && i < d->group.n; i++)
		r = deliver(d, &d->group.all[i].rec, err);
	group_drop(&d->group);
	return r;
}

/* What belongs before a record of the plain key @key (NULL: before the end): hidden ones of lesser keys. */
static int flush_before(struct delivery *d, const char *key, size_t len, struct ebb_err *err)
{
	int r = 0;

	if (d->group.n && (!key || group_cmp(&d->group, key, len) != 0))
		r = flush_group(d, err);
	while (r == 0 && (r = next_upload(d, err)) == 0 && d->has_upload &&
	       (!key || ebb_record_key_cmp(d->upload.key,
					   ebb_record_plain_len(d->upload.key, d->upload.key_len), key,
					   len) < 0)) {
		d->has_upload = false;
		r = group_add(&d->group, &d->upload, err);
		if (r == 0)
			r = flush_group(d, err);
	}
	return r;
}

static int deliver_page(struct delivery *d, const struct ebb_list_page *p, struct ebb_err *err)
{
	struct ebb_record rec;
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		ebb_list_page_get(p, i, &rec);
		size_t len = ebb_record_plain_len(rec.key, rec.key_len);

		r = flush_before(d, rec.key, len, err);
		if (r == 0)
			r = len < rec.key_len ? group_add(&d->group, &rec, err) : deliver(d, &rec, err);
	}
	return r;
}

/* Wait for something to change, looking at the flag of those who want to stop now and then. Locked. */
static void wait_for_change(struct ebb_list *l)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += 100000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&l->changed, &l->lock, &until);
	if (l->opts->cancel && atomic_load(l->opts->cancel))
		fail(l, EBB_ECANCELLED, "interrupted");
}

static void begin(struct ebb_list *l)
{
	pthread_mutex_lock(&l->lock);
	struct ebb_list_page *starts = schedule(l);
	pthread_mutex_unlock(&l->lock);
	start_all(l, starts);
}

/* Next page in order; NULL at the end, or when nothing more comes (l->err says). */
static struct ebb_list_page *next_page(struct ebb_list *l)
{
	struct ebb_list_page *p = NULL, *starts;

	pthread_mutex_lock(&l->lock);
	while (l->front && !(p = l->front->pages)) {
		struct ebb_list_range *r = l->front;

		if (r->done && !r->busy) {
			l->front = r->next;
			range_free(r);
		} else if (l->err.code && (!r->busy || l->err.code == EBB_ECANCELLED)) {
			break;
		} else {
			wait_for_change(l);
		}
	}
	if (p) {
		l->front->pages = p->waiting;
		if (!p->waiting)
			l->front->pages_end = &l->front->pages;
		l->front->waiting--;
		l->waiting--;
	}
	starts = schedule(l);
	pthread_mutex_unlock(&l->lock);
	start_all(l, starts);
	return p;
}

static int deliver_all(struct delivery *d, struct ebb_err *err)
{
	struct ebb_list_page *p;
	int r = 0;

	begin(d->l);
	while (r == 0 && (p = next_page(d->l))) {
		r = deliver_page(d, p, err);
		page_free(p);
	}
	pthread_mutex_lock(&d->l->lock);
	if (r < 0)
		fail(d->l, -r, "stopped");
	else if (d->l->err.code)
		r = ebb_err_set(err, d->l->err.code, "%s", d->l->err.msg);
	pthread_mutex_unlock(&d->l->lock);
	return r < 0 ? r : flush_before(d, NULL, 0, err);
}

/* --- The whole ------------------------------------------------------------------------------------------- */

/* A string directly before the plain part of @key, so that all of its hidden records are listed again. */
static char *just_before(const char *key, size_t len)
{
	char *s = malloc(len + sizeof(EBB_LIST_SPLIT_LAST));

	if (!s)
		return NULL;
	s[len] = 0;
	if (len == 0)
		return s;
	memcpy(s, key, len);
	uint8_t c = (uint8_t)s[len - 1];
	s[len - 1] = 0;
	/* only within ASCII: elsewhere some keys are listed twice and skipped */
	if (c > 1 && c < 128 && len + 4 <= 1024) {
		s[len - 1] = (char)(c - 1);
		strcpy(s + len, EBB_LIST_SPLIT_LAST);
	}
	return s;
}

static int init(struct ebb_list *l, struct ebb_err *err)
{
	const struct ebb_list_opts *o = l->opts;
	pthread_condattr_t attr;
	char *begin = just_before(o->after, o->after_len ? ebb_record_plain_len(o->after, o->after_len) : 0);

	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (begin)
		l->front = range_new(begin, NULL);
	free(begin);
	return l->front ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");
}

static void release(struct ebb_list *l)
{
	pthread_mutex_lock(&l->lock);
	fail(l, EBB_ECANCELLED, "over");
	while (l->busy)
		pthread_cond_wait(&l->changed, &l->lock);
	pthread_mutex_unlock(&l->lock);
	while (l->front) {
		struct ebb_list_range *r = l->front;

		l->front = r->next;
		range_free(r);
	}
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
}

int ebb_list_run(const struct ebb_list_source *source, const struct ebb_list_opts *opts,
		 ebb_list_fn *record, void *ctx, struct ebb_list_stats *ret, struct ebb_err *err)
{
	struct ebb_list l = {
		.source = source, .opts = opts,
		.parallel = opts->requests ? opts->requests : EBB_LIST_REQUESTS,
	};
	struct delivery d = {
		.l = &l, .fn = record, .ctx = ctx, .after = opts->after, .after_len = opts->after_len,
	};
	int r = init(&l, err);

	if (r == 0)
		r = deliver_all(&d, err);
	release(&l);
	group_drop(&d.group);
	free(d.group.all);
	if (ret)
		*ret = l.stats;
	return r;
}
