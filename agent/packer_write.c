/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/packer_write.h"

#include <stdlib.h>
#include <string.h>

#include "compress/pack_write.h"
#include "scanners/store.h"

/* Bytes read at a time. */
#define PIECE ((size_t)256 * 1024)

/* Permission bits, for who unpacks with tar, of an object that never had any. */
#define BARE_MODE 0644

static int sink(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	return ebb_store_write(ctx, buf, len, err);
}

/* Metadata in the form that they have on filesystems. */
static int begin_member(struct ebb_pack_writer *w, const struct ebb_op *op, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_meta_release) struct ebb_meta m = {0};
	EBB_CLEANUP(ebb_mem_freep) struct ebb_pack_xattr *xattrs = NULL;
	int r = ebb_meta_for(&m, &op->meta, true, err);

	if (r < 0)
		return r;
	xattrs = calloc(m.nxattrs + 1, sizeof(*xattrs));
	if (!xattrs)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < m.nxattrs; i++)
		xattrs[i] = (struct ebb_pack_xattr){m.xattrs[i].name, m.xattrs[i].value, m.xattrs[i].len};
	const struct ebb_pack_entry e = {
		.key = op->key, .size = op->obj.f[EBB_F_SIZE], .uid = m.uid, .gid = m.gid,
		.mode = ebb_meta_bare(&op->meta) ? BARE_MODE : m.mode, .mtime = m.mtime, .atime = m.atime,
		.xattrs = xattrs, .nxattrs = m.nxattrs,
	};
	return ebb_pack_write_begin(w, &e, err);
}

/* All of it, and no more. */
static int copy_content(struct ebb_packer *p, struct ebb_pack_writer *w, struct ebb_store_reader *in,
			struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) uint8_t *buf = malloc(PIECE);
	int64_t n = 1;
	int r = buf ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory");

	while (r == 0 && n > 0) {
		if (p->x->cancel && atomic_load_explicit(p->x->cancel, memory_order_relaxed))
			return ebb_err_set(err, EBB_ECANCELLED, "interrupted");
		n = ebb_store_read(in, buf, PIECE, err);
		r = n > 0 ? ebb_pack_write_data(w, buf, (size_t)n, err) : (int)n;
	}
	/* bytes that do not fit its size, because somebody is writing them */
	if (r == -EBB_EMISMATCH && err)
		err->code = EBB_ECHANGED;
	return r == -EBB_EMISMATCH ? -EBB_ECHANGED : r;
}

/* 1: it is in; 0: it is out, the pack goes on; negative with *ret_own: it is out, the pack must begin again; negative: fails for all. */
static int add_member(struct ebb_packer *p, size_t i, struct ebb_pack_writer *w, bool *ret_own,
		      struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_read_closep) struct ebb_store_reader *in = NULL;
	struct packer_member *m = &p->m[i];
	struct ebb_err why = {0};
	int r = ebb_store_read_open(p->from, m->o->op.key, &m->o->op.obj, &in, &why);

	if (r == 0)
		r = begin_member(w, &m->o->op, &why);
	if (r == -EBB_ENOTSUP || (r < 0 && !in && ebb_op_outcome_of(r) != EBB_OP_BACK)) {
		ebb_packer_drop(p, i, r, &why);
		return 0;
	}
	if (r == 0 && (r = copy_content(p, w, in, &why)) == 0 &&
	    (r = ebb_pack_write_end(w, &m->row, &why)) == -EBB_EMISMATCH)
		r = -EBB_ECHANGED;
	if (r == 0)
		return 1;
	*ret_own = r == -EBB_ECHANGED || r == -EBB_EIO || r == -EBB_EACCES;
	if (*ret_own)
		ebb_packer_drop(p, i, r, &why);
	return ebb_err_set(err, -r, "%s", why.msg);
}

/* 1: it stands; 0: there is nobody to be written, or it must begin again (*again). */
static int try_write(struct ebb_packer *p, bool *again, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_store_write_abortp) struct ebb_store_writer *out = NULL;
	EBB_CLEANUP(ebb_pack_write_freep) struct ebb_pack_writer *w = NULL;
	struct ebb_store_write_opts opts = {.size_hint = -1, .tag = p->tag};
	size_t written = 0;
	int r = ebb_store_write_open(p->to, p->key, &opts, &out, err);

	*again = false;
	if (r == 0)
		r = ebb_pack_write_new(0, sink, out, &w, err);
	for (size_t i = 0; r >= 0 && i < p->n; i++) {
		if (p->m[i].out)
			continue;
		r = add_member(p, i, w, again, err);
		written += r == 1;
	}
	if (r < 0 || written == 0)
		return *again ? 0 : r < 0 ? r : 0;
	if ((r = ebb_pack_write_finish(w, err)) < 0)
		return r;
	struct ebb_store_writer *done = out;
	out = NULL; /* commit closes it either way */
	r = ebb_store_write_commit(done, NULL, 0, &p->rec, err);
	/* failing late it may have had its effect: then it is ours, and is taken away by who called */
	if (r < 0 && r != -EBB_EEXIST && ebb_store_head(p->to, p->key, &p->rec, NULL) == 0)
		p->made = true;
	return r < 0 ? r : 1;
}

int ebb_packer_write(struct ebb_packer *p, struct ebb_err *err)
{
	bool again = true;
	int r = 0;

	while (r == 0 && again) {
		if (err)
			ebb_err_clear(err);
		r = try_write(p, &again, err);
	}
	p->made |= r == 1;
	return r < 0 ? r : 0;
}
