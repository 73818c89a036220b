/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/units.h"
#include "scanners/store_fs.h"
#include "scanners/store_libs3.h"
#include "scanners/store_memory.h"
#include "scanners/store_memory_bucket.h"
#include "scanners/store_s3.h"

/* The types a configuration can name. */
static const struct ebb_store_ops *const types[] = {
	&ebb_store_fs_ops,
	&ebb_store_s3_ops,
#ifdef EBB_HAVE_LIBS3
	&ebb_store_libs3_ops,
#endif
	&ebb_store_memory_ops,
	&ebb_store_memory_bucket_ops,
};

const struct ebb_store_ops *ebb_store_type_at(size_t i)
{
	return i < EBB_ARRAY_LEN(types) ? types[i] : NULL;
}

/* --- Checks --- */

bool ebb_store_key_ok(const char *key)
{
	size_t len = strnlen(key, EBB_KEY_MAX + 1);

	if (len == 0 || len > EBB_KEY_MAX)
		return false;
	for (const char *p = key; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (*p == '/')
			p++;
	}
	return true;
}

static bool is_dir(const char *key)
{
	return key[strlen(key) - 1] == '/';
}

enum shape { ANY, OBJECT, DIRECTORY, ANY_OR_ROOT };

/* Without directories a key is any bytes, and '/' is one of them. */
static int check_object_key(const struct ebb_store *s, const char *key, enum shape shape,
			    struct ebb_err *err)
{
	size_t len = strnlen(key, EBB_STORE_OBJECT_KEY_MAX + 1);

	if (len == 0 || len > EBB_STORE_OBJECT_KEY_MAX)
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not a key: it has %s bytes", key,
				   len ? "more than 1,024" : "no");
	if (shape == DIRECTORY)
		return ebb_err_set(err, EBB_ENOTSUP, "store '%s' (%s) has no directories", s->name,
				   s->ops->type);
	ebb_pace_request(s->pace); /* every operation on an object comes by here */
	return 0;
}

static int check_key(const struct ebb_store *s, const char *key, enum shape shape,
		     struct ebb_err *err)
{
	if (!(s->caps & EBB_CAP_DIRS))
		return check_object_key(s, key, shape, err);
	if (shape == ANY_OR_ROOT && strcmp(key, EBB_STORE_ROOT) == 0)
		return 0;
	if (!ebb_store_key_ok(key))
		return ebb_err_set(err, EBB_EINVAL, "'%s' is not a key", key);
	if (shape == OBJECT && is_dir(key))
		return ebb_err_set(err, EBB_EINVAL, "'%s' names a directory", key);
	if (shape == DIRECTORY && !is_dir(key))
		return ebb_err_set(err, EBB_EINVAL, "'%s' does not end in '/'", key);
	return 0;
}

static int check_tag(const char *tag, struct ebb_err *err)
{
	static const char valid[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
	size_t len = tag ? strspn(tag, valid) : 0;

	if (len == 0 || len > EBB_STORE_TAG_MAX || tag[len])
		return ebb_err_set(err, EBB_EINVAL, "'%s' cannot name a temporary", tag ? tag : "");
	return 0;
}

static int unsupported(const struct ebb_store *s, const char *what, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ENOTSUP, "store '%s' (%s) cannot %s", s->name, s->ops->type,
			   what);
}

static const char *value_text(enum ebb_field f, int64_t v, char out[EBB_UNITS_TEXT])
{
	if (f == EBB_F_MTIME || f == EBB_F_CTIME)
		return ebb_units_exact_time(v, out);
	if (f == EBB_F_KIND)
		return ebb_record_kind_name(v);
	snprintf(out, EBB_UNITS_TEXT, "%" PRId64, v);
	return out;
}

int ebb_store_expect(const struct ebb_record *now, const struct ebb_record *expect,
		     struct ebb_err *err)
{
	static const enum ebb_field fields[] = {EBB_F_KIND, EBB_F_SIZE, EBB_F_MTIME, EBB_F_CTIME,
						EBB_F_INO, EBB_F_ETAG_HI, EBB_F_ETAG_LO,
						EBB_F_PARTS, EBB_F_CLASS};

	for (size_t i = 0; expect && i < EBB_ARRAY_LEN(fields); i++) {
		enum ebb_field f = fields[i];

		if (f == EBB_F_MTIME && ebb_record_has(expect, EBB_F_PARTS))
			continue;
		if (!ebb_record_has(expect, f) ||
		    (ebb_record_has(now, f) && now->f[f] == expect->f[f]))
			continue;
		char was[EBB_UNITS_TEXT], is[EBB_UNITS_TEXT];
		return ebb_err_set(err, EBB_ECHANGED, "has changed: %s was %s, is %s",
				   ebb_record_field_name(f), value_text(f, expect->f[f], was),
				   value_text(f, now->f[f], is));
	}
	return 0;
}

/* --- Stores --- */

int ebb_store_open(const struct ebb_store_config *cfg, struct ebb_store **ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf valid = EBB_BUF_INIT(1000);

	for (size_t i = 0; i < EBB_ARRAY_LEN(types); i++) {
		if (strcmp(types[i]->type, cfg->type) == 0) {
			int rc = types[i]->open(cfg, ret, err);

			if (rc == 0)
				(*ret)->pace = cfg->pace;
			return rc;
		}
		if (ebb_buf_addf(&valid, "%s%s", i ? ", " : "", types[i]->type) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "no memory for a message");
	}
	return ebb_err_set(err, EBB_ECONFIG, "store '%s': unknown type '%s' (there is %s)", cfg->name,
			   cfg->type, valid.data);
}

void ebb_store_close(struct ebb_store *s)
{
	if (s)
		s->ops->close(s);
}

const char *ebb_store_name(const struct ebb_store *s)
{
	return s->name;
}

uint32_t ebb_store_caps(const struct ebb_store *s)
{
	return s->caps;
}

int ebb_store_identify(struct ebb_store *s, struct ebb_store_identity *ret, struct ebb_err *err)
{
	if (!s->ops->identify)
		return unsupported(s, "tell what it is", err);
	return s->ops->identify(s, ret, err);
}

int ebb_store_space(struct ebb_store *s, int64_t *ret_free, struct ebb_err *err)
{
	if (!s->ops->space)
		return unsupported(s, "tell its free space", err);
	return s->ops->space(s, ret_free, err);
}

int ebb_store_list(struct ebb_store *s, const char *prefix, const char *after,
		   ebb_store_list_fn *fn, void *ctx, struct ebb_err *err)
{
	return s->ops->list(s, prefix ? prefix : "", after ? after : "", fn, ctx, err);
}

/* --- One object --- */

int ebb_store_head(struct ebb_store *s, const char *key, struct ebb_record *ret, struct ebb_err *err)
{
	int rc = check_key(s, key, ANY, err);

	return rc < 0 ? rc : s->ops->head(s, key, ret, err);
}

int ebb_store_check(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		    struct ebb_err *err)
{
	struct ebb_record now;
	int rc = ebb_store_head(s, key, &now, err);

	return rc < 0 ? rc : ebb_store_expect(&now, expect, err);
}

int ebb_store_get_meta(struct ebb_store *s, const char *key, struct ebb_meta *ret, struct ebb_err *err)
{
	int rc = check_key(s, key, ANY_OR_ROOT, err);

	if (rc < 0)
		return rc;
	if (!s->ops->get_meta)
		return unsupported(s, "read metadata", err);
	return s->ops->get_meta(s, key, ret, err);
}

int ebb_store_set_meta(struct ebb_store *s, const char *key, const struct ebb_meta *meta,
		       uint32_t what, struct ebb_err *err)
{
	int rc = check_key(s, key, ANY_OR_ROOT, err);

	if (rc < 0)
		return rc;
	if (!s->ops->set_meta)
		return unsupported(s, "set metadata", err);
	return s->ops->set_meta(s, key, meta, what, err);
}

/* --- Reading --- */

int ebb_store_read_open(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			struct ebb_store_reader **ret, struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	if (!s->ops->read_open)
		return unsupported(s, "read", err);
	return s->ops->read_open(s, key, expect, ret, err);
}

int ebb_store_read_from(struct ebb_store *s, const char *key, const struct ebb_record *expect, int64_t off,
			struct ebb_store_reader **ret, struct ebb_err *err)
{
	struct ebb_store_reader *r = NULL;
	int rc = check_key(s, key, OBJECT, err);

	if (rc == 0 && off > 0 && s->ops->read_from)
		return s->ops->read_from(s, key, expect, off, ret, err);
	if (rc == 0)
		rc = ebb_store_read_open(s, key, expect, &r, err);
	if (rc == 0 && off > 0 && (rc = ebb_store_read_seek(r, off, err)) < 0)
		ebb_store_read_close(r);
	if (rc == 0)
		*ret = r;
	return rc;
}

void ebb_store_tour_init(struct ebb_store_tour *t)
{
	t->dir = -1;
	t->len = 0;
}

void ebb_store_tour_release(struct ebb_store_tour *t)
{
	ebb_mem_closep(&t->dir);
	t->dir = -1;
}

int ebb_store_read_next(struct ebb_store *s, struct ebb_store_tour *t, const char *key,
			const struct ebb_record *expect, struct ebb_store_reader **ret,
			struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	if (!s->ops->read_next)
		return ebb_store_read_open(s, key, expect, ret, err);
	return s->ops->read_next(s, t, key, expect, ret, err);
}

int ebb_store_read_seek(struct ebb_store_reader *r, int64_t off, struct ebb_err *err)
{
	const struct ebb_store_ops *ops = r->store->ops;

	return ops->read_seek ? ops->read_seek(r, off, err) : unsupported(r->store, "seek", err);
}

int64_t ebb_store_read(struct ebb_store_reader *r, void *buf, size_t len, struct ebb_err *err)
{
	int64_t n = r->store->ops->read(r, buf, len, err);

	ebb_pace_bytes(r->store->pace, n);
	return n;
}

int ebb_store_read_hole(struct ebb_store_reader *r, int64_t *ret_hole, struct ebb_err *err)
{
	return r->store->ops->read_hole(r, ret_hole, err);
}

int ebb_store_read_verify(struct ebb_store_reader *r, struct ebb_err *err)
{
	return r->store->ops->read_verify(r, err);
}

void ebb_store_read_close(struct ebb_store_reader *r)
{
	if (r)
		r->store->ops->read_close(r);
}

int ebb_store_read_range(struct ebb_store *s, const char *key, const struct ebb_record *expect,
			 int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	if (off < 0)
		return ebb_err_set(err, EBB_EINVAL, "a range at %" PRId64, off);
	if (!s->ops->read_range)
		return unsupported(s, "read parts of objects", err);
	rc = s->ops->read_range(s, key, expect, off, buf, len, err);
	if (rc == 0)
		ebb_pace_bytes(s->pace, (int64_t)len);
	return rc;
}

/* --- Writing --- */

int ebb_store_write_open(struct ebb_store *s, const char *key,
			 const struct ebb_store_write_opts *opts, struct ebb_store_writer **ret,
			 struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc == 0)
		rc = check_tag(opts->tag, err);
	if (rc < 0)
		return rc;
	if (!s->ops->write_open)
		return unsupported(s, "write", err);
	return s->ops->write_open(s, key, opts, ret, err);
}

int ebb_store_write(struct ebb_store_writer *w, const void *buf, size_t len, struct ebb_err *err)
{
	return w->store->ops->write(w, buf, len, err);
}

int ebb_store_write_hole(struct ebb_store_writer *w, int64_t len, struct ebb_err *err)
{
	if (len < 0)
		return ebb_err_set(err, EBB_EINVAL, "a hole of %" PRId64 " bytes", len);
	return w->store->ops->write_hole(w, len, err);
}

int ebb_store_write_commit(struct ebb_store_writer *w, const struct ebb_meta *meta, uint32_t what,
			   struct ebb_record *ret, struct ebb_err *err)
{
	return w->store->ops->write_commit(w, meta, meta ? what : 0, ret, err);
}

int64_t ebb_store_write_step(const struct ebb_store_writer *w)
{
	return w->step;
}

int64_t ebb_store_write_taken(const struct ebb_store_writer *w)
{
	return w->taken;
}

int ebb_store_write_mark(struct ebb_store_writer *w, struct ebb_store_mark *ret, struct ebb_err *err)
{
	if (!w->store->ops->write_mark)
		return unsupported(w->store, "go on with what was left", err);
	return w->store->ops->write_mark(w, ret, err);
}

void ebb_store_write_leave(struct ebb_store_writer *w)
{
	if (w->store->ops->write_leave)
		w->store->ops->write_leave(w);
	else
		ebb_store_write_abort(w);
}

void ebb_store_write_abort(struct ebb_store_writer *w)
{
	if (w)
		w->store->ops->write_abort(w);
}

int ebb_store_write_sweep(struct ebb_store *s, const char *key, const char *tag, struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc == 0)
		rc = check_tag(tag, err);
	if (rc < 0)
		return rc;
	if (!s->ops->write_sweep)
		return unsupported(s, "write", err);
	return s->ops->write_sweep(s, key, tag, err);
}

/* --- The tree --- */

int ebb_store_rename(struct ebb_store *s, const char *from, const char *to,
		     const struct ebb_record *expect, struct ebb_err *err)
{
	int rc = check_key(s, from, ANY, err);

	if (rc == 0)
		rc = check_key(s, to, s->caps & EBB_CAP_DIRS && is_dir(from) ? DIRECTORY : OBJECT, err);
	if (rc < 0)
		return rc;
	if (s->caps & EBB_CAP_DIRS && is_dir(from) && strncmp(from, to, strlen(from)) == 0)
		return ebb_err_set(err, EBB_EINVAL, "cannot move '%s' into itself", from);
	if (!s->ops->rename)
		return unsupported(s, "rename", err);
	return s->ops->rename(s, from, to, expect, err);
}

int ebb_store_mkdirs(struct ebb_store *s, const char *dir, uint32_t mode, ebb_store_made_fn *fn,
		     void *ctx, struct ebb_err *err)
{
	int rc = check_key(s, dir, DIRECTORY, err);

	if (rc < 0)
		return rc;
	if (!s->ops->mkdirs)
		return unsupported(s, "make directories", err);
	return s->ops->mkdirs(s, dir, mode, fn, ctx, err);
}

int ebb_store_rmdir(struct ebb_store *s, const char *dir, struct ebb_err *err)
{
	int rc = check_key(s, dir, DIRECTORY, err);

	if (rc < 0)
		return rc;
	if (!s->ops->rmdir)
		return unsupported(s, "remove directories", err);
	return s->ops->rmdir(s, dir, err);
}

int ebb_store_extents(struct ebb_store *s, const char *key, uint64_t *ret, struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	return s->ops->extents ? s->ops->extents(s, key, ret, err) : unsupported(s, "share blocks", err);
}

int ebb_store_share(struct ebb_store *s, const char *from, const struct ebb_record *from_rec,
		    const char *to, const struct ebb_record *to_rec, struct ebb_err *err)
{
	int rc = check_key(s, from, OBJECT, err);

	if (rc == 0)
		rc = check_key(s, to, OBJECT, err);
	if (rc < 0)
		return rc;
	if (!s->ops->share)
		return unsupported(s, "share blocks", err);
	return s->ops->share(s, from, from_rec, to, to_rec, err);
}

int ebb_store_link(struct ebb_store *s, const char *from, const char *to,
		   const struct ebb_record *expect, struct ebb_err *err)
{
	int rc = check_key(s, from, OBJECT, err);

	if (rc == 0)
		rc = check_key(s, to, OBJECT, err);
	if (rc < 0)
		return rc;
	return s->ops->link ? s->ops->link(s, from, to, expect, err)
			    : unsupported(s, "give objects several names", err);
}

/* --- Object stores --- */

int ebb_store_copy(struct ebb_store *s, const char *from, const char *to, const char *class,
		   const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	int rc = check_key(s, from, OBJECT, err);

	if (rc == 0)
		rc = check_key(s, to, OBJECT, err);
	if (rc < 0)
		return rc;
	if (!s->ops->copy)
		return unsupported(s, "copy within itself", err);
	return s->ops->copy(s, from, to, class, expect, ret, err);
}

int ebb_store_replace(struct ebb_store *s, const char *key, const struct ebb_proof *proof, const char *from,
		      const struct ebb_record *from_rec, struct ebb_record *ret, struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc == 0)
		rc = check_key(s, from, OBJECT, err);
	if (rc < 0)
		return rc;
	if (!proof || !from_rec || ebb_proof_store(proof) != s || strcmp(ebb_proof_key(proof), key) != 0 || strcmp(from, key) == 0)
		return ebb_err_set(err, EBB_EINVAL, "no proof that '%s' in store '%s' may be replaced", key, s->name);
	if (!s->ops->replace)
		return unsupported(s, "replace objects", err);
	return s->ops->replace(s, key, ebb_proof_record(proof), ebb_proof_is_replaced(proof), from, from_rec, ret, err);
}

bool ebb_store_can_take(const struct ebb_store *to, const struct ebb_store *from)
{
	return to->ops == from->ops && to->ops->take && to->ops->can_take(to, from);
}

int ebb_store_take(struct ebb_store *to, const char *to_key, struct ebb_store *from, const char *key,
		   const struct ebb_record *expect, const struct ebb_store_write_opts *opts, struct ebb_record *ret,
		   struct ebb_err *err)
{
	int rc = check_key(to, to_key, OBJECT, err);

	if (rc == 0)
		rc = check_key(from, key, OBJECT, err);
	if (rc < 0)
		return rc;
	if (!ebb_store_can_take(to, from))
		return unsupported(to, "copy from another store", err);
	return to->ops->take(to, to_key, from, key, expect, opts, ret, err);
}

int ebb_store_set_class(struct ebb_store *s, const char *key, const char *class,
			const struct ebb_record *expect, struct ebb_record *ret, struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	if (!s->ops->set_class)
		return unsupported(s, "change storage classes", err);
	return s->ops->set_class(s, key, class, expect, ret, err);
}

int ebb_store_seal(struct ebb_store *s, enum ebb_meta_seal *ret, struct ebb_err *err)
{
	*ret = EBB_META_OPEN;
	return s->ops->seal ? s->ops->seal(s, ret, err) : 0;
}

int ebb_store_sleep(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		    enum ebb_store_sleep *ret, struct ebb_store_rest *ret_rest, struct ebb_err *err)
{
	struct ebb_store_rest rest = {0};
	int rc = check_key(s, key, OBJECT, err);

	if (rc == 0)
		rc = s->ops->sleep ? s->ops->sleep(s, key, expect, ret, &rest, err)
				   : unsupported(s, "tell what sleeps", err);
	if (rc == 0 && ret_rest)
		*ret_rest = rest;
	return rc;
}

int ebb_store_thaw(struct ebb_store *s, const char *key, const char *speed, unsigned days,
		   struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	return s->ops->thaw ? s->ops->thaw(s, key, speed, days, err) : unsupported(s, "thaw objects", err);
}

bool ebb_store_may_sleep(const struct ebb_store *s, const char *class)
{
	/* S3 User Guide, "Working with archived objects" */
	return s->caps & EBB_CAP_THAW && class &&
	       (strcmp(class, "GLACIER") == 0 || strcmp(class, "DEEP_ARCHIVE") == 0);
}

bool ebb_store_tiers(const struct ebb_store *s, const char *class)
{
	return s->caps & EBB_CAP_THAW && class && strcmp(class, "INTELLIGENT_TIERING") == 0;
}

int ebb_store_hide(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		   struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	return s->ops->hide ? s->ops->hide(s, key, expect, err) : unsupported(s, "hide objects", err);
}

int ebb_store_show(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		   struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	return s->ops->show ? s->ops->show(s, key, expect, err) : unsupported(s, "hide objects", err);
}

int ebb_store_hidden(struct ebb_store *s, const char *key, const struct ebb_record *expect,
		     struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	return s->ops->hidden ? s->ops->hidden(s, key, expect, err)
			      : unsupported(s, "hide objects", err);
}

int ebb_store_remove(struct ebb_store *s, const char *key, const struct ebb_proof *proof,
		     struct ebb_err *err)
{
	int rc = check_key(s, key, OBJECT, err);

	if (rc < 0)
		return rc;
	if (!proof || ebb_proof_store(proof) != s || strcmp(ebb_proof_key(proof), key) != 0 || ebb_proof_is_replaced(proof))
		return ebb_err_set(err, EBB_EINVAL, "no proof that '%s' in store '%s' may go", key,
				   s->name);
	if (!s->ops->remove)
		return unsupported(s, "remove", err);
	return s->ops->remove(s, key, ebb_proof_record(proof), err);
}
