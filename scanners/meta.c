/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/meta.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

void ebb_meta_init(struct ebb_meta *m)
{
	*m = (struct ebb_meta){0};
}

void ebb_meta_release(struct ebb_meta *m)
{
	for (size_t i = 0; i < m->nxattrs; i++) {
		free(m->xattrs[i].name);
		free(m->xattrs[i].value);
	}
	free(m->xattrs);
	*m = (struct ebb_meta){0};
}

void ebb_meta_clear(struct ebb_meta *m)
{
	ebb_meta_release(m);
}

/* Where @name stands, or would: the first attribute that is not less. */
static size_t place_of(const struct ebb_meta *m, const char *name)
{
	size_t lo = 0, hi = m->nxattrs;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(m->xattrs[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int ebb_meta_for(struct ebb_meta *ret, const struct ebb_meta *m, bool dirs, struct ebb_err *err)
{
	static const char bucket[] = "s3.", fs[] = "user.s3.";
	const char *from = dirs ? bucket : fs, *to = dirs ? fs : bucket;
	int r = 0;

	ebb_meta_clear(ret);
	for (size_t i = 0; r == 0 && i < m->nxattrs; i++) {
		const struct ebb_meta_xattr *x = &m->xattrs[i];
		EBB_CLEANUP(ebb_mem_freep) char *name = NULL;
		bool moves = strncmp(x->name, from, strlen(from)) == 0;

		if (moves && asprintf(&name, "%s%s", to, x->name + strlen(from)) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "out of memory");
		r = ebb_meta_add(ret, moves ? name : x->name, x->value, x->len, err);
	}
	ret->uid = m->uid;
	ret->gid = m->gid;
	ret->mode = m->mode;
	ret->mtime = m->mtime;
	ret->atime = m->atime;
	ret->seal = m->seal;
	memcpy(ret->seal_key, m->seal_key, sizeof(ret->seal_key));
	ret->locked = m->locked;
	return r;
}

bool ebb_meta_bare(const struct ebb_meta *m)
{
	return m->uid == 0 && m->gid == 0 && m->mode == 0;
}

const struct ebb_meta_xattr *ebb_meta_find(const struct ebb_meta *m, const char *name)
{
	size_t i = place_of(m, name);

	if (i == m->nxattrs || strcmp(m->xattrs[i].name, name) != 0)
		return NULL;
	return &m->xattrs[i];
}

int ebb_meta_add(struct ebb_meta *m, const char *name, const void *value, size_t len,
		 struct ebb_err *err)
{
	size_t at = place_of(m, name);

	if (at < m->nxattrs && strcmp(m->xattrs[at].name, name) == 0)
		return ebb_err_set(err, EBB_EINVAL, "attribute '%s' is there twice", name);

	struct ebb_meta_xattr *grown = realloc(
		m->xattrs, ebb_mem_mul(ebb_mem_add(m->nxattrs, 1), sizeof(*grown)));
	if (!grown)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for attribute '%s'", name);
	m->xattrs = grown;

	struct ebb_meta_xattr x = {.name = strdup(name), .value = len ? malloc(len) : NULL,
				   .len = len};
	if (!x.name || (len && !x.value)) {
		free(x.name);
		free(x.value);
		return ebb_err_set(err, EBB_ENOMEM, "no memory for attribute '%s'", name);
	}
	if (len)
		memcpy(x.value, value, len);
	memmove(&grown[at + 1], &grown[at], (m->nxattrs - at) * sizeof(*grown));
	grown[at] = x;
	m->nxattrs++;
	return 0;
}

int ebb_meta_copy(struct ebb_meta *ret, const struct ebb_meta *m, struct ebb_err *err)
{
	struct ebb_meta copy = *m;

	copy.xattrs = NULL;
	copy.nxattrs = 0;
	for (size_t i = 0; i < m->nxattrs; i++) {
		const struct ebb_meta_xattr *x = &m->xattrs[i];
		int rc = ebb_meta_add(&copy, x->name, x->value, x->len, err);

		if (rc < 0) {
			ebb_meta_release(&copy);
			return rc;
		}
	}
	ebb_meta_release(ret);
	*ret = copy;
	return 0;
}

static int compare_time(const char *what, int64_t a, int64_t b, struct ebb_err *err)
{
	if (a == b)
		return 0;
	return ebb_err_set(err, EBB_EMISMATCH,
			   "%s differs: %" PRId64 " ns and %" PRId64 " ns since the epoch", what, a,
			   b);
}

/* Both are sorted: the first place where they part names the attribute that one of them lacks. */
static int compare_xattrs(const struct ebb_meta *a, const struct ebb_meta *b, struct ebb_err *err)
{
	for (size_t i = 0; i < a->nxattrs || i < b->nxattrs; i++) {
		const struct ebb_meta_xattr *x = i < a->nxattrs ? &a->xattrs[i] : NULL;
		const struct ebb_meta_xattr *y = i < b->nxattrs ? &b->xattrs[i] : NULL;
		int order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);

		if (order != 0)
			return ebb_err_set(err, EBB_EMISMATCH, "attribute '%s' is only on the %s",
					   order < 0 ? x->name : y->name,
					   order < 0 ? "first" : "second");
		if (x->len != y->len || (x->len && memcmp(x->value, y->value, x->len) != 0))
			return ebb_err_set(err, EBB_EMISMATCH, "attribute '%s' differs", x->name);
	}
	return 0;
}

int ebb_meta_compare(const struct ebb_meta *a, const struct ebb_meta *b, uint32_t what,
		     struct ebb_err *err)
{
	if ((what & EBB_META_OWNER) && (a->uid != b->uid || a->gid != b->gid))
		return ebb_err_set(err, EBB_EMISMATCH,
				   "owner differs: %" PRIu32 ":%" PRIu32 " and %" PRIu32 ":%" PRIu32,
				   a->uid, a->gid, b->uid, b->gid);
	if ((what & EBB_META_MODE) && a->mode != b->mode)
		return ebb_err_set(err, EBB_EMISMATCH, "mode differs: %04" PRIo32 " and %04" PRIo32,
				   a->mode, b->mode);
	if (what & EBB_META_TIMES) {
		int rc = compare_time("modification time", a->mtime, b->mtime, err);

		if (rc == 0)
			rc = compare_time("access time", a->atime, b->atime, err);
		if (rc < 0)
			return rc;
	}
	if ((what & EBB_META_SEAL) && b->seal < a->seal)
		return ebb_err_set(err, EBB_ENOTSUP, "is encrypted %s, and its copy is not: say 'sse' for the store it goes to",
				   a->seal == EBB_META_KEYED ? "with a key of its own" : "by its store");
	return what & EBB_META_XATTRS ? compare_xattrs(a, b, err) : 0;
}

int ebb_meta_sealed_as(const struct ebb_meta *a, const struct ebb_meta *b, struct ebb_err *err)
{
	int r = ebb_meta_compare(a, b, EBB_META_SEAL, err);

	if (r == 0 && a->seal == EBB_META_KEYED && (!*a->seal_key || strcmp(a->seal_key, b->seal_key) != 0))
		return ebb_err_set(err, EBB_ENOTSUP, "is encrypted with key '%s', and its copy would be with key '%s'", a->seal_key, b->seal_key);
	return r;
}
