/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/buf.h"
#include "scanners/store_fs.h"

#define PLACE EBB_CLEANUP(ebb_store_fs_path_release) struct ebb_store_fs_path

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/*
 * Open a directory to read its entries, without touching its access time where that is allowed.
 * NULL with errno.
 */
static DIR *open_entries(const struct ebb_store_fs *s, const char *path)
{
	int fd = ebb_store_fs_path_openat2(s->root, path, O_RDONLY | O_DIRECTORY | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = ebb_store_fs_path_openat2(s->root, path, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		ebb_mem_closep(&fd);
	return d;
}

/* Next entry but "." and "..": 1; 0 at the end; negative errno. */
static int next_entry(DIR *d, struct dirent **ret)
{
	struct dirent *e;

	do {
		errno = 0;
		e = readdir(d);
		if (!e)
			return -errno;
	} while (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
	*ret = e;
	return 1;
}

int ebb_store_fs_dir_empty(const struct ebb_store_fs *s, bool *ret, struct ebb_err *err)
{
	static const char trash[] = EBB_PROOF_TRASH;
	EBB_CLEANUP(closedirp) DIR *d = open_entries(s, ".");
	struct dirent *e;
	int rc;

	if (!d)
		return ebb_err_sys(err, errno, "cannot list store '%s'", s->base.name);
	while ((rc = next_entry(d, &e)) == 1) {
		bool ours = strlen(e->d_name) == sizeof(trash) - 2 &&
			    strncmp(e->d_name, trash, sizeof(trash) - 2) == 0;

		if (!ours && strcmp(e->d_name, "lost+found") != 0)
			break;
	}
	if (rc < 0)
		return ebb_err_sys(err, -rc, "cannot list store '%s'", s->base.name);
	*ret = rc == 0;
	return 0;
}

/* --- Listing --- */

struct listing {
	struct ebb_store *store;
	const char *prefix, *after;
	size_t prefix_len, after_len;
	ebb_store_list_fn *fn;
	void *ctx;
	struct ebb_buf key;	/* of the directory being listed; "" for the root */
};

/* The entries of one directory, sorted as keys: directories end in '/'. They live in the arena. */
struct names {
	char **v;
	size_t n, size;
};

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);	/* compares as unsigned bytes */
}

static int add_name(DIR *d, const struct dirent *e, struct ebb_arena *a, struct names *names)
{
	bool dir = e->d_type == DT_DIR;
	struct stat st;

	if (e->d_type == DT_UNKNOWN &&
	    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		dir = S_ISDIR(st.st_mode);
	if (names->n == names->size) {
		size_t size = names->size ? 2 * names->size : 64;
		char **v = ebb_arena_calloc(a, size, sizeof(*v));

		if (!v)
			return -EBB_ENOMEM;
		if (names->n)
			memcpy(v, names->v, names->n * sizeof(*v));
		names->v = v;
		names->size = size;
	}
	names->v[names->n] = ebb_arena_printf(a, "%s%s", e->d_name, dir ? "/" : "");
	return names->v[names->n++] ? 0 : -EBB_ENOMEM;
}

static int read_names(struct listing *l, struct ebb_arena *a, struct names *names,
		      struct ebb_err *err)
{
	const struct ebb_store_fs *s = (const struct ebb_store_fs *)l->store;
	EBB_CLEANUP(closedirp) DIR *d = open_entries(s, l->key.len ? l->key.data : ".");
	struct dirent *e;
	int rc;

	if (!d && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))	/* gone since */
		return 0;
	if (!d)
		return ebb_err_sys(err, errno, "cannot list '%s'", l->key.data);
	while ((rc = next_entry(d, &e)) == 1)
		if (add_name(d, e, a, names) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to list '%s'", l->key.data);
	if (rc < 0)
		return ebb_err_sys(err, -rc, "cannot list '%s'", l->key.data);
	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), by_name);
	return 0;
}

static int emit(struct listing *l, struct ebb_err *err)
{
	struct ebb_record rec;
	struct ebb_err why = {0};

	if (ebb_record_key_cmp(l->key.data, l->key.len, l->after, l->after_len) <= 0 ||
	    !ebb_record_key_has_prefix(l->key.data, l->key.len, l->prefix, l->prefix_len))
		return 0;
	int rc = ebb_store_head(l->store, l->key.data, &rec, &why);
	if (rc == -EBB_ENOENT)	/* gone since its directory was read */
		return 0;
	if (rc < 0)
		return ebb_err_set(err, -rc, "%s", why.msg);
	return l->fn(l->ctx, &rec, err);
}

/* Whether the directory in l->key may hold what is asked for. */
static bool worth_entering(const struct listing *l)
{
	const char *key = l->key.data;
	size_t len = l->key.len;

	return key[len - 1] == '/' &&
	       (ebb_record_key_has_prefix(key, len, l->prefix, l->prefix_len) ||
		ebb_record_key_has_prefix(l->prefix, l->prefix_len, key, len)) &&
	       (ebb_record_key_cmp(key, len, l->after, l->after_len) > 0 ||
		ebb_record_key_has_prefix(l->after, l->after_len, key, len));
}

/*
 * As deep as the tree, which the length of keys bounds; no descriptor stays open on the way down.
 */
static int list_below(struct listing *l, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_arena_release) struct ebb_arena arena;
	struct names names = {0};
	size_t len = l->key.len;

	ebb_arena_init(&arena, 0);
	int rc = read_names(l, &arena, &names, err);
	for (size_t i = 0; rc == 0 && i < names.n; i++) {
		if (ebb_buf_adds(&l->key, names.v[i]) < 0)
			return ebb_err_set(err, EBB_ENOTSUP, "the path of '%s' in '%s' is too long",
					   names.v[i], l->key.data);
		rc = emit(l, err);
		if (rc == 0 && worth_entering(l))
			rc = list_below(l, err);
		l->key.len = len;
		l->key.data[len] = '\0';
	}
	return rc;
}

int ebb_store_fs_dir_list(struct ebb_store *s, const char *prefix, const char *after,
			  ebb_store_list_fn *fn, void *ctx, struct ebb_err *err)
{
	struct listing l = {.store = s, .prefix = prefix, .prefix_len = strlen(prefix),
			    .after = after, .after_len = strlen(after), .fn = fn, .ctx = ctx};

	ebb_buf_init(&l.key, EBB_KEY_MAX);
	int rc = ebb_buf_reserve(&l.key, 0);
	rc = rc < 0 ? ebb_err_set(err, -rc, "no memory to list store '%s'", s->name)
		    : list_below(&l, err);
	ebb_buf_release(&l.key);
	return rc;
}

/* --- Making and removing --- */

/*
 * mkdir and chmod, since the umask takes bits away and a parent may add some. Returns 1 when made,
 * 0 when it stood.
 */
static int make_one(const struct ebb_store_fs *s, const char *key, uint32_t mode,
		    struct ebb_err *err)
{
	PLACE p = EBB_STORE_FS_PATH_INIT;
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct statx st;

	int rc = ebb_store_fs_path_init(s, key, O_RDONLY, &p, err);
	if (rc < 0)
		return rc;
	if (mkdirat(p.dir, p.name, 0700) < 0) {
		if (errno != EEXIST)
			return ebb_store_fs_path_fail(err, errno, "create", key);
		if (ebb_store_fs_path_stat(&p, key, &st, NULL) == 0)
			return 0;
		return ebb_err_set(err, EBB_EEXIST, "cannot create '%s': no directory stands there",
				   key);
	}
	fd = openat(p.dir, p.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, mode & 07777) < 0)
		return ebb_store_fs_path_fail(err, errno, "create", key);
	rc = ebb_store_fs_path_sync(fd, key, err);
	if (rc == 0)
		rc = ebb_store_fs_path_sync(p.dir, key, err);
	return rc < 0 ? rc : 1;
}

int ebb_store_fs_dir_make(struct ebb_store *s, const char *dir, uint32_t mode,
			  ebb_store_made_fn *fn, void *ctx, struct ebb_err *err)
{
	char key[EBB_KEY_MAX + 1];

	for (const char *slash = strchr(dir, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - dir) + 1;

		memcpy(key, dir, len);
		key[len] = '\0';
		int rc = make_one((const struct ebb_store_fs *)s, key, mode, err);
		if (rc == 1 && fn)
			rc = fn(ctx, key, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ebb_store_fs_dir_remove(struct ebb_store *s, const char *dir, struct ebb_err *err)
{
	PLACE p = EBB_STORE_FS_PATH_INIT;

	int rc = ebb_store_fs_path_init((const struct ebb_store_fs *)s, dir, O_RDONLY, &p, err);
	if (rc < 0)
		return rc;
	if (unlinkat(p.dir, p.name, AT_REMOVEDIR) < 0)
		return ebb_store_fs_path_fail(err, errno, "remove", dir);
	return ebb_store_fs_path_sync(p.dir, dir, err);
}
