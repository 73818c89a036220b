/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pending list. Directories still to be read stand in one doubly linked list, in key order. A worker takes the first one
 * that nobody reads; when it is read, its subdirectories take its place. So the list stays in order,
 * workers always work on what the consumer needs soonest, and every step is O(1):
 *
 *     [a/ reading] [b/ pending] [c/ pending]
 *     [a/x/ pending] [a/y/ pending] [b/ reading] [c/ pending]        a/ was read, b/ taken meanwhile
 *
 * The consumer goes through the tree in key order. If the directory it needs is read, it takes it; if it is pending, it reads
 * it itself; if a worker reads it, the consumer works on the list meanwhile. So workers may stop whenever too much is
 * read ahead, and nothing can wait for ever.
 *
 * One mutex guards the list, the states and the budget; no other lock is taken under it.
 */
#include "scanners/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "scanners/mounts.h"
#include "scanners/walk_dir.h"

/* Bytes of directories read ahead of the consumer. */
#define AHEAD_BYTES (16u << 20)

/* Mounts remembered; more are looked up again. */
#define MOUNTS 16

enum node_state { PENDING, READING, READ };

/* A directory of the tree. Lives from the reading of its parent until the consumer has left it. */
struct node {
	struct node *prev, *next;	/* in the pending list */
	struct node *parent;
	const char *name;		/* in the parent's entries; ends in '/'; "" for the root */
	uint32_t name_len;
	enum node_state state;
	bool failed;			/* READ, but there is nothing: why says why not */
	char *why;
	struct ebb_walk_dir dir;
	struct node *children;		/* one array, in the order of the entries they belong to */
	size_t nchildren;
};

struct walk {
	const struct ebb_walk_opts *opts;
	const struct ebb_walk_fns *fns;
	struct ebb_walk_stats *stats;
	size_t after_len;
	int root;
	uint64_t root_dev;
	pthread_mutex_t mutex;
	pthread_cond_t work;		/* something became pending, the budget got room, or the end */
	pthread_cond_t read;		/* a directory was read */
	struct node head;		/* of the pending list, a ring */
	size_t ahead;			/* bytes read and not yet consumed */
	bool stop;
	/* the consumer's own */
	char key[EBB_KEY_MAX + 1];
	struct ebb_mount mounts[MOUNTS];
	unsigned nmounts;
};

/* --- the pending list, under the mutex ------------------------------------------------------------------ */

static void unlink_node(struct node *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
}

/* Put the children of @n where it stands. */
static void replace_by_children(struct node *n)
{
	struct node *at = n->prev;

	unlink_node(n);
	for (size_t i = 0; i < n->nchildren; i++) {
		struct node *c = &n->children[i];
		c->prev = at;
		c->next = at->next;
		at->next->prev = c;
		at->next = c;
		at = c;
	}
}

static struct node *first_pending(struct walk *w)
{
	for (struct node *n = w->head.next; n != &w->head; n = n->next)
		if (n->state == PENDING)
			return n;
	return NULL;
}

/* --- reading a directory, on any thread ----------------------------------------------------------------- */

/* Write the node's key to @buf (EBB_KEY_MAX + 1 bytes). Returns its length, or -1 when it is too long. */
static int node_key(const struct node *n, char *buf)
{
	size_t len = 0, at;

	for (const struct node *p = n; p; p = p->parent)
		len += p->name_len;
	if (len > EBB_KEY_MAX)
		return -1;
	at = len;
	for (const struct node *p = n; p; p = p->parent) {
		at -= p->name_len;
		memcpy(buf + at, p->name, p->name_len);
	}
	buf[len] = '\0';
	return (int)len;
}

/* Drop the entries that the caller excludes. */
static void exclude(struct walk *w, struct ebb_walk_dir *d, char *key, size_t len)
{
	size_t out = 0;

	if (!w->opts->exclude)
		return;
	for (size_t i = 0; i < d->n; i++) {
		const struct ebb_walk_dir_entry *e = &d->entries[i];
		if (len + e->len <= EBB_KEY_MAX) {
			memcpy(key + len, e->name, (size_t)e->len + 1);
			if (w->opts->exclude(w->opts->exclude_ctx, key, len + e->len))
				continue;
		}
		d->entries[out++] = *e;
	}
	d->n = out;
}

/* Is this entry a directory to be entered? Those that lie wholly before the resume key are not. */
static bool entered(const struct walk *w, const struct ebb_walk_dir_entry *e, const char *key,
		    size_t len)
{
	size_t n;
	int cmp;

	if (e->kind != EBB_KIND_DIR)
		return false;
	if (!w->opts->cross_filesystems && (e->flags & EBB_FLAG_MOUNT))
		return false;
	if (!w->after_len)
		return true;
	n = w->after_len < len ? w->after_len : len;
	cmp = memcmp(key, w->opts->after, n);
	if (cmp == 0 && w->after_len > len) {
		size_t rest = w->after_len - len;
		cmp = memcmp(e->name, w->opts->after + len, e->len < rest ? e->len : rest);
	}
	return cmp >= 0; /* greater, or one is a prefix of the other: greater keys may lie below */
}

static int make_children(struct walk *w, struct node *n, const char *key, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < n->dir.n; i++) {
		struct ebb_walk_dir_entry *e = &n->dir.entries[i];
		if (e->kind == EBB_KIND_DIR && e->known != 0 && e->dev != w->root_dev)
			e->flags |= EBB_FLAG_MOUNT; /* a mount, or a subvolume with a device of its own */
		count += entered(w, e, key, len);
	}
	if (count == 0)
		return 0;
	n->children = calloc(count, sizeof(*n->children));
	if (!n->children)
		return -EBB_ENOMEM;
	for (size_t i = 0; i < n->dir.n; i++) {
		const struct ebb_walk_dir_entry *e = &n->dir.entries[i];
		if (!entered(w, e, key, len))
			continue;
		n->children[n->nchildren++] = (struct node){
			.parent = n, .name = e->name, .name_len = e->len, .state = PENDING};
	}
	return 0;
}

static void read_node(struct walk *w, struct node *n, struct ebb_walk_dir_reader *reader)
{
	char key[EBB_KEY_MAX + 256 + 2];
	struct ebb_err err = {0};
	int len = node_key(n, key), rc;

	if (len < 0)
		rc = ebb_err_set(&err, EBB_EINVAL, "path is longer than %d bytes", EBB_KEY_MAX);
	else
		rc = ebb_walk_dir_read(reader, key, &n->dir, &err);
	if (rc == 0) {
		exclude(w, &n->dir, key, (size_t)len);
		key[len] = '\0';
		rc = make_children(w, n, key, (size_t)len);
	}
	if (rc == -EBB_ENOENT && n->parent)
		return; /* removed since its parent was read: it is empty, as everything below it is gone */
	if (rc < 0) {
		n->failed = true;
		n->why = strdup(err.code ? err.msg : "no memory");
	}
}

/* The node is read: tell it, under the mutex. */
static void publish(struct walk *w, struct node *n)
{
	replace_by_children(n);
	n->state = READ;
	w->ahead += n->dir.bytes;
	pthread_cond_signal(&w->read);
	if (n->nchildren)
		pthread_cond_broadcast(&w->work);
}

/* Read a pending node on this thread; called, and returns, under the mutex. */
static void read_here(struct walk *w, struct node *n, struct ebb_walk_dir_reader *reader)
{
	n->state = READING;
	pthread_mutex_unlock(&w->mutex);
	read_node(w, n, reader);
	pthread_mutex_lock(&w->mutex);
	publish(w, n);
}

static void *worker(void *arg)
{
	struct walk *w = arg;
	struct ebb_walk_dir_reader *reader;
	struct node *n;

	reader = ebb_walk_dir_reader_new(w->root);
	pthread_mutex_lock(&w->mutex);
	while (reader && !w->stop) {
		n = w->ahead < AHEAD_BYTES ? first_pending(w) : NULL;
		if (!n) {
			pthread_cond_wait(&w->work, &w->mutex);
			continue;
		}
		read_here(w, n, reader);
	}
	pthread_mutex_unlock(&w->mutex);
	ebb_walk_dir_reader_free(reader);
	return NULL;
}

/* --- consuming, on the caller's thread ------------------------------------------------------------------ */

static void free_node(struct node *n)
{
	ebb_walk_dir_release(&n->dir);
	free(n->why);
	for (size_t i = 0; i < n->nchildren; i++)
		free_node(&n->children[i]);
	free(n->children);
	n->children = NULL;
	n->nchildren = 0;
	n->why = NULL;
}

/* Have the node read. While a worker is at it, this thread reads ahead as workers do: sleeping costs more. */
static void await(struct walk *w, struct node *n, struct ebb_walk_dir_reader *reader)
{
	pthread_mutex_lock(&w->mutex);
	while (n->state != READ) {
		struct node *next = n;
		if (n->state != PENDING)
			next = w->ahead < AHEAD_BYTES ? first_pending(w) : NULL;
		if (next)
			read_here(w, next, reader);
		else
			pthread_cond_wait(&w->read, &w->mutex);
	}
	pthread_mutex_unlock(&w->mutex);
}

/* The consumer is done with the node: give its memory back to the budget. */
static void leave(struct walk *w, struct node *n)
{
	pthread_mutex_lock(&w->mutex);
	if (w->ahead >= AHEAD_BYTES && w->ahead - n->dir.bytes < AHEAD_BYTES)
		pthread_cond_broadcast(&w->work);
	w->ahead -= n->dir.bytes;
	pthread_mutex_unlock(&w->mutex);
	free_node(n);
}

static const struct ebb_mount *mount_of(struct walk *w, uint64_t id)
{
	struct ebb_mount *m;

	for (unsigned i = 0; i < w->nmounts; i++)
		if (w->mounts[i].id == id)
			return &w->mounts[i];
	if (w->nmounts == MOUNTS)
		w->nmounts = 0;
	m = &w->mounts[w->nmounts++];
	if (ebb_mounts_of(id, m, NULL) < 0)
		*m = (struct ebb_mount){.id = id, .evidence = EBB_EVIDENCE_MTIME};
	return m;
}

static void fill_record(struct walk *w, const struct ebb_walk_dir_entry *e, struct ebb_record *r)
{
	int64_t flags = e->flags;

	r->known = e->known | EBB_KNOWN(EBB_F_FLAGS);
	r->f[EBB_F_KIND] = e->kind;
	r->f[EBB_F_SIZE] = e->size;
	r->f[EBB_F_ALLOC] = e->alloc;
	r->f[EBB_F_MTIME] = e->mtime;
	r->f[EBB_F_ATIME] = e->atime;
	r->f[EBB_F_CTIME] = e->ctime;
	r->f[EBB_F_MODE] = e->mode;
	r->f[EBB_F_UID] = e->uid;
	r->f[EBB_F_GID] = e->gid;
	r->f[EBB_F_NLINK] = e->nlink;
	r->f[EBB_F_INO] = (int64_t)e->ino;
	r->f[EBB_F_DEV] = (int64_t)e->dev;
	r->f[EBB_F_WINDOW] = 0;
	r->f[EBB_F_EVIDENCE] = 0;
	if (e->known & EBB_KNOWN(EBB_F_ATIME)) {
		const struct ebb_mount *m = mount_of(w, e->mount);
		enum ebb_evidence ev = m->evidence;
		if (m->nodiratime && e->kind == EBB_KIND_DIR && ev > EBB_EVIDENCE_MTIME)
			ev = EBB_EVIDENCE_MTIME;
		ebb_record_set(r, EBB_F_EVIDENCE, ev);
		if (e->kind == EBB_KIND_FILE &&
		    (e->mtime >= w->opts->started || e->ctime >= w->opts->started))
			flags |= EBB_FLAG_CHANGING;
	}
	r->f[EBB_F_FLAGS] = flags;
}

/* Deliver the entry's record unless the interrupted scan has it. w->key holds the directory's key. */
static int emit(struct walk *w, const struct ebb_walk_dir_entry *e, size_t dir_len,
		struct ebb_err *err)
{
	struct ebb_record r = {.key = w->key};
	size_t len = dir_len + e->len;

	if (len > EBB_KEY_MAX)
		return w->fns->unreadable(w->fns->ctx, w->key, dir_len,
					  "it holds names whose paths are too long", err);
	memcpy(w->key + dir_len, e->name, (size_t)e->len + 1);
	r.key_len = (uint32_t)len;
	if (w->after_len && ebb_record_key_cmp(w->key, len, w->opts->after, w->after_len) <= 0)
		return 0;
	fill_record(w, e, &r);
	if (w->stats)
		atomic_fetch_add_explicit(&w->stats->objects, 1, memory_order_relaxed);
	return w->fns->record(w->fns->ctx, &r, err);
}

static int report_unreadable(struct walk *w, const struct node *n, size_t len, struct ebb_err *err)
{
	if (w->stats)
		atomic_fetch_add_explicit(&w->stats->unreadable, 1, memory_order_relaxed);
	if (!n->parent)
		return ebb_err_set(err, EBB_ESTORE, "cannot scan '%s': %s", w->opts->root, n->why);
	return w->fns->unreadable(w->fns->ctx, w->key, len, n->why ? n->why : "no memory", err);
}

/* One open directory of the consumer's way through the tree. */
struct frame {
	struct node *node;
	size_t entry, child;	/* next of each */
	size_t key_len;
};

struct frames {
	struct frame *v;
	size_t n, size;
};

static int enter(struct walk *w, struct frames *fs, struct node *n, size_t key_len,
		 struct ebb_walk_dir_reader *reader, struct ebb_err *err)
{
	await(w, n, reader);
	if (w->stats)
		atomic_fetch_add_explicit(&w->stats->dirs, 1, memory_order_relaxed);
	if (n->failed) {
		int rc = key_len <= EBB_KEY_MAX ? report_unreadable(w, n, key_len, err) : 0;
		leave(w, n);
		return rc;
	}
	if (fs->n == fs->size) {
		size_t size = fs->size ? fs->size * 2 : 64;
		struct frame *v = realloc(fs->v, size * sizeof(*v));
		if (!v)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to walk");
		fs->v = v;
		fs->size = size;
	}
	fs->v[fs->n++] = (struct frame){.node = n, .key_len = key_len};
	return 0;
}

/* Next step in key order: an entry, the directory below it, or the way back up. */
static int step(struct walk *w, struct frames *fs, struct ebb_walk_dir_reader *reader,
		struct ebb_err *err)
{
	struct frame *f = &fs->v[fs->n - 1];
	struct node *n = f->node;
	const struct ebb_walk_dir_entry *e;
	int rc;

	if (f->entry == n->dir.n) {
		fs->n--;
		leave(w, n);
		return 0;
	}
	e = &n->dir.entries[f->entry++];
	rc = emit(w, e, f->key_len, err);
	if (rc < 0)
		return rc;
	if (f->child < n->nchildren && n->children[f->child].name == e->name) {
		struct node *c = &n->children[f->child++];
		size_t len = f->key_len + e->len;
		if (len <= EBB_KEY_MAX)
			memcpy(w->key + f->key_len, e->name, (size_t)e->len + 1);
		return enter(w, fs, c, len, reader, err);
	}
	return 0;
}

static int consume(struct walk *w, struct node *root, struct ebb_err *err)
{
	struct ebb_walk_dir_reader *reader = ebb_walk_dir_reader_new(w->root);
	struct frames fs = {0};
	int rc = reader ? enter(w, &fs, root, 0, reader, err)
			: ebb_err_set(err, EBB_ENOMEM, "no memory to walk");

	while (rc >= 0 && fs.n) {
		if (w->opts->cancel && atomic_load_explicit(w->opts->cancel, memory_order_relaxed))
			rc = ebb_err_set(err, EBB_ECANCELLED, "the scan was interrupted");
		else
			rc = step(w, &fs, reader, err);
	}
	free(fs.v);
	ebb_walk_dir_reader_free(reader);
	return rc;
}

/* --- beginning and end ---------------------------------------------------------------------------------- */

static unsigned choose_threads(const struct ebb_walk_opts *o)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (o->threads)
		return o->threads;
	return cpus < 1 ? 2 : cpus > 32 ? 64 : (unsigned)cpus * 2; /* some wait for the disk */
}

static int run_threads(struct walk *w, struct node *root, struct ebb_err *err)
{
	unsigned n = choose_threads(w->opts) - 1, started = 0; /* the caller's is one of them */
	pthread_t *threads = calloc(n + 1, sizeof(*threads));
	int rc;

	if (!threads)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to walk");
	while (started < n && pthread_create(&threads[started], NULL, worker, w) == 0)
		started++;
	rc = consume(w, root, err); /* goes on by itself when no thread could be started */
	pthread_mutex_lock(&w->mutex);
	w->stop = true;
	pthread_cond_broadcast(&w->work);
	pthread_mutex_unlock(&w->mutex);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return rc;
}

int ebb_walk_run(const struct ebb_walk_opts *opts, const struct ebb_walk_fns *fns,
		 struct ebb_walk_stats *stats, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct node root = {.name = "", .state = PENDING};
	struct walk *w;
	struct stat st;
	int rc;

	fd = open(opts->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return ebb_err_set(err, EBB_ESTORE, "cannot open '%s': %s", opts->root, strerror(errno));
	w = calloc(1, sizeof(*w));
	if (!w)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to walk");
	w->opts = opts;
	w->fns = fns;
	w->stats = stats;
	w->root = fd;
	w->root_dev = st.st_dev;
	w->after_len = opts->after ? strlen(opts->after) : 0;
	w->head = (struct node){.prev = &root, .next = &root};
	root.prev = root.next = &w->head;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->work, NULL);
	pthread_cond_init(&w->read, NULL);
	rc = run_threads(w, &root, err);
	free_node(&root);
	pthread_cond_destroy(&w->read);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->mutex);
	free(w);
	return rc < 0 ? rc : 0;
}
