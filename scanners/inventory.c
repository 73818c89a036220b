/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compress/digest.h"
#include "compress/gunzip.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/sorter.h"
#include "core/text.h"
#include "scanners/inventory_csv.h"
#include "scanners/jsonscan.h"

#define DAY (INT64_C(86400) * 1000000000)
#define MANIFEST_MAX ((size_t)64 << 20)
#define LINE_MAX_BYTES ((size_t)64 << 10)
#define CHUNK ((size_t)1 << 20)
#define CLASSES 64

/* What of a record goes through the sort; a field that is not known has its bit clear. */
struct row {
	uint32_t known, zero;
	int64_t kind, size, modified, class, etag_hi, etag_lo, parts, tier_days;
};

struct inventory {
	const struct ebb_inventory_opts *opts;
	const struct ebb_inventory_fns *fns;
	struct ebb_inventory_result *ret;
	struct ebb_buf manifest;
	char dir[4096];		/* of the manifest */
	char bucket[256];
	struct ebb_inventory_csv csv;
	struct ebb_inventory_csv_row line;
	struct ebb_sorter *sorter;
	struct {
		char name[64];
		int64_t code;
	} class[CLASSES];
	size_t nclasses;
};

static int bad(struct ebb_err *err, const struct inventory *in, const char *what)
{
	return ebb_err_set(err, EBB_ESTORE, "inventory '%s': %s", in->opts->manifest, what);
}

/* --- Files --- */

static int read_file(const char *path, size_t cap, struct ebb_buf *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && out->len <= cap) {
		if (ebb_buf_reserve(out, CHUNK) < 0)
			return ebb_err_set(err, EBB_ENOMEM, "no memory to read '%s'", path);
		n = read(fd, out->data + out->len, CHUNK);
		out->len += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? ebb_err_sys(err, errno, "cannot read '%s'", path) : 0;
}

/* MD5 of all of @fd as text; it stands at its beginning again then. */
static int md5_of(int fd, char out[33], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *buf = malloc(CHUNK);
	struct ebb_digest d;
	uint8_t sum[16];
	ssize_t n = 0;
	int rc = buf ? ebb_digest_init(&d, &ebb_digest_md5, err) : ebb_err_set(err, EBB_ENOMEM, "no memory for a sum");

	if (rc < 0)
		return rc;
	while ((n = read(fd, buf, CHUNK)) > 0)
		ebb_digest_update(&d, buf, (size_t)n);
	if (n < 0 || lseek(fd, 0, SEEK_SET) != 0)
		rc = ebb_err_sys(err, errno, "cannot read");
	if (rc == 0)
		rc = ebb_digest_final(&d, sum, err);
	ebb_digest_release(&d);
	if (rc == 0)
		ebb_digest_hex(sum, sizeof(sum), out);
	return rc;
}

/* manifest.checksum holds the MD5 of manifest.json; it may be missing in a copy. */
static int check_manifest(struct inventory *in, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	char path[4200], want[33] = "", got[33];
	uint8_t sum[16];

	snprintf(path, sizeof(path), "%s/manifest.checksum", in->dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read(fd, want, 32) != 32)
		return bad(err, in, "manifest.checksum is cut off");
	if (ebb_digest_of(&ebb_digest_md5, in->manifest.data, in->manifest.len, sum, err) < 0)
		return -EBB_EIO;
	ebb_digest_hex(sum, sizeof(sum), got);
	return strcmp(want, got) == 0 ? 0 : bad(err, in, "its MD5 is not that of manifest.checksum");
}

/* Does a key lead out of the folder it is looked for in? */
static bool leads_out(const char *key)
{
	for (const char *p = key; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || !p[2]))
			return true;
	return false;
}

/* Open a regular file; what is none (a pipe would wait for ever) is not there. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Open a data file by its key in the report. */
static int find_file(const struct inventory *in, const char *key)
{
	const char *base = strrchr(key, '/') ? strrchr(key, '/') + 1 : key;
	const char *const beside[] = {"", "data/", "../data/"};
	char path[9000], up[4200];
	int fd = -1;

	for (size_t i = 0; i < EBB_ARRAY_LEN(beside) && fd < 0; i++) {
		snprintf(path, sizeof(path), "%s/%s%s", in->dir, beside[i], base);
		fd = open_file(path);
	}
	snprintf(up, sizeof(up), "%s", in->dir);
	for (int i = 0; i < 32 && fd < 0 && strlen(up) < 4100 && !leads_out(key); i++) {
		snprintf(path, sizeof(path), "%s/%s", up, key);
		fd = open_file(path);
		strcat(up, "/..");
	}
	return fd;
}

/* --- Rows --- */

static int class_code(struct inventory *in, struct ebb_inventory_csv_text t, int64_t *ret, struct ebb_err *err)
{
	int rc;

	for (size_t i = 0; i < in->nclasses; i++)
		if (strlen(in->class[i].name) == t.len && memcmp(in->class[i].name, t.p, t.len) == 0) {
			*ret = in->class[i].code;
			return 0;
		}
	if (in->nclasses == CLASSES || t.len >= sizeof(in->class[0].name))
		return bad(err, in, "it has too many storage classes, or one with too long a name");
	memcpy(in->class[in->nclasses].name, t.p, t.len);
	rc = in->fns->class(in->fns->ctx, in->class[in->nclasses].name, ret, err);
	in->class[in->nclasses++].code = *ret;
	return rc;
}

static int add_row(struct inventory *in, struct ebb_err *err)
{
	const struct ebb_inventory_csv_row *l = &in->line;
	struct row row = {.kind = l->marker ? EBB_KIND_MARKER : l->noncurrent ? EBB_KIND_VERSION : EBB_KIND_FILE,
			  .size = l->marker ? 0 : l->size,
			  .modified = l->modified,
			  .tier_days = -1};
	const char *prefix = in->opts->prefix ? in->opts->prefix : "";
	struct ebb_record r = {0};
	char hidden[EBB_KEY_MAX], id[EBB_RECORD_ID_MAX + 1];
	size_t skip = strlen(prefix), len = l->key_len - skip;
	const char *key = l->key + skip;
	int rc = 0;

	if (l->key_len <= skip || memcmp(l->key, prefix, skip) != 0)
		return 0;
	if (row.kind != EBB_KIND_FILE) {
		snprintf(id, sizeof(id), "%.*s", (int)l->version.len, l->version.p ? l->version.p : "");
		len = ebb_record_hidden_key(key, len, l->modified == INT64_MIN ? 0 : l->modified, id, hidden);
		key = hidden;
	}
	if (len == 0)
		return bad(err, in, "a key is too long");
	if (l->class.len) {
		rc = class_code(in, l->class, &row.class, err);
		row.known |= EBB_KNOWN(EBB_F_CLASS);
	}
	if (l->etag.len) {
		ebb_record_etag(&r, l->etag.p, l->etag.len);
		row.known |= EBB_KNOWN(EBB_F_ETAG_HI);
		row.etag_hi = r.f[EBB_F_ETAG_HI];
		row.etag_lo = r.f[EBB_F_ETAG_LO];
		row.parts = r.f[EBB_F_PARTS];
	}
	if (l->tier.len)
		row.tier_days = ebb_inventory_csv_tier_days(l->tier);
	in->ret->rows++;
	return rc < 0 ? rc : ebb_sorter_add(in->sorter, key, len, &row, sizeof(row), err);
}

static int bad_row(const struct inventory *in, const char *file, uint64_t line, const char *what, struct ebb_err *err)
{
	return ebb_err_set(err, EBB_ESTORE, "inventory '%s': %s:%llu: %s", in->opts->manifest, file, (unsigned long long)line, what);
}

static int read_rows(struct inventory *in, int fd, const char *file, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_gunzip_freep) struct ebb_gunzip *g = ebb_gunzip_new(fd);
	EBB_CLEANUP(ebb_mem_freep) char *buf = malloc(CHUNK + 1);
	uint64_t number = 0;
	size_t have = 0;
	int64_t n = 1;
	int rc = g && buf ? 0 : ebb_err_set(err, EBB_ENOMEM, "no memory to read an inventory");

	while (rc == 0 && n > 0) {
		char *p = buf, *nl;

		n = ebb_gunzip_read(g, buf + have, CHUNK - have, err);
		if (n < 0)
			return ebb_err_wrap(err, "%s", file);
		have += (size_t)n;
		if (n == 0 && have > 0 && buf[have - 1] != '\n')
			buf[have++] = '\n';
		while (rc == 0 && (nl = memchr(p, '\n', have - (size_t)(p - buf)))) {
			size_t len = (size_t)(nl - p);

			len -= len && p[len - 1] == '\r';
			number++;
			if (len && !ebb_inventory_csv_row(&in->csv, p, len, &in->line))
				rc = bad_row(in, file, number, "this row cannot be read", err);
			else if (len && (strlen(in->bucket) != in->line.bucket.len ||
					 memcmp(in->bucket, in->line.bucket.p, in->line.bucket.len) != 0))
				rc = bad_row(in, file, number, "this row is of another bucket", err);
			else if (len)
				rc = add_row(in, err);
			p = nl + 1;
		}
		have -= (size_t)(p - buf);
		memmove(buf, p, have);
		if (have > LINE_MAX_BYTES)
			rc = bad_row(in, file, number + 1, "this row is too long", err);
		if (rc == 0 && in->opts->cancel && atomic_load(in->opts->cancel))
			rc = ebb_err_set(err, EBB_ECANCELLED, "interrupted");
	}
	return rc;
}

static int read_data(struct inventory *in, struct ebb_jsonscan_value file, struct ebb_err *err)
{
	static const char *const paths[] = {"key", "MD5checksum"};
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;
	struct ebb_jsonscan_value v[2];
	char key[EBB_KEY_MAX + 1], want[64], got[33];
	int64_t n, m;
	int rc;

	if (!file.p || !ebb_jsonscan_find(file.p, file.len, paths, 2, v))
		return bad(err, in, "'files' is damaged");
	n = ebb_jsonscan_string(v[0], key, EBB_KEY_MAX);
	m = ebb_jsonscan_string(v[1], want, sizeof(want) - 1);
	if (n <= 0)
		return bad(err, in, "a file has no key");
	key[n] = '\0';
	want[m > 0 ? m : 0] = '\0';
	fd = find_file(in, key);
	if (fd < 0)
		return ebb_err_set(err, EBB_ESTORE, "inventory '%s': its file '%s' is neither beside it nor below a folder above it",
				   in->opts->manifest, key);
	rc = md5_of(fd, got, err);
	if (rc < 0)
		return rc;
	if (m > 0 && strcmp(want, got) != 0)
		return ebb_err_set(err, EBB_ESTORE, "inventory '%s': '%s' has MD5 %s, not %s", in->opts->manifest, key, got, want);
	in->ret->files++;
	return read_rows(in, fd, key, err);
}

/* --- The manifest --- */

static int read_manifest(struct inventory *in, struct ebb_jsonscan_value *ret_files, struct ebb_err *err)
{
	static const char *const paths[] = {"sourceBucket", "fileFormat", "fileSchema", "creationTimestamp", "files"};
	struct ebb_jsonscan_value v[5];
	char schema[2048];
	int64_t n;
	int rc = read_file(in->opts->manifest, MANIFEST_MAX, &in->manifest, err);

	if (rc == 0)
		rc = check_manifest(in, err);
	if (rc < 0)
		return rc;
	if (!ebb_jsonscan_find(in->manifest.data ? in->manifest.data : "", in->manifest.len, paths, 5, v) || !v[4].p || *v[4].p != '[')
		return bad(err, in, "this is no manifest.json of S3 Inventory");
	if (!ebb_jsonscan_is(v[1], "CSV"))
		return bad(err, in, "only CSV reports can be read; configure the inventory so");
	n = ebb_jsonscan_string(v[0], in->bucket, sizeof(in->bucket) - 1);
	in->bucket[n > 0 ? n : 0] = '\0';
	if (in->opts->bucket && strcmp(in->bucket, in->opts->bucket) != 0)
		return ebb_err_set(err, EBB_ESTORE, "inventory '%s' is of bucket '%s', not of '%s'", in->opts->manifest, in->bucket,
				   in->opts->bucket);
	n = ebb_jsonscan_string(v[2], schema, sizeof(schema) - 1);
	schema[n > 0 ? n : 0] = '\0';
	in->ret->created = ebb_jsonscan_number((struct ebb_jsonscan_value){v[3].p, v[3].len, false});
	if (in->ret->created < 0 || in->ret->created > INT64_MAX / 1000000)
		return bad(err, in, "creationTimestamp is no time");
	in->ret->created *= 1000000;
	*ret_files = v[4];
	rc = ebb_inventory_csv_schema(&in->csv, schema, err);
	return rc < 0 ? (ebb_err_wrap(err, "inventory '%s'", in->opts->manifest), rc) : 0;
}

/* --- Records --- */

static int give(struct inventory *in, const struct ebb_sorter_item *it, struct ebb_err *err)
{
	struct ebb_record r = {.key = it->key, .key_len = it->key_len};
	struct row row;

	memcpy(&row, it->payload, sizeof(row));
	ebb_record_set(&r, EBB_F_KIND, row.kind);
	if (row.size >= 0)
		ebb_record_set(&r, EBB_F_SIZE, row.size);
	if (row.modified != INT64_MIN) {
		ebb_record_set(&r, EBB_F_MTIME, row.modified);
		ebb_record_set(&r, EBB_F_CTIME, row.modified);
	}
	if (row.known & EBB_KNOWN(EBB_F_CLASS))
		ebb_record_set(&r, EBB_F_CLASS, row.class);
	if (row.known & EBB_KNOWN(EBB_F_ETAG_HI)) {
		ebb_record_set(&r, EBB_F_ETAG_HI, row.etag_hi);
		ebb_record_set(&r, EBB_F_ETAG_LO, row.etag_lo);
		ebb_record_set(&r, EBB_F_PARTS, row.parts);
	}
	if (row.kind != EBB_KIND_MARKER)
		ebb_record_set(&r, EBB_F_EVIDENCE, row.tier_days >= 0 ? EBB_EVIDENCE_TIER : EBB_EVIDENCE_MTIME);
	if (row.kind != EBB_KIND_MARKER && row.tier_days >= 0) {
		ebb_record_set(&r, EBB_F_ATIME, in->ret->created - row.tier_days * DAY);
		ebb_record_set(&r, EBB_F_UNTIL, in->ret->created);
		in->ret->tiers = true;
	}
	return in->fns->record(in->fns->ctx, &r, err);
}

static int give_all(struct inventory *in, struct ebb_err *err)
{
	char last[EBB_KEY_MAX], quoted[EBB_TEXT_QUOTED];
	size_t last_len = 0;
	struct ebb_sorter_item it;
	int rc = ebb_sorter_sort(in->sorter, err), got = 0;

	while (rc == 0 && (got = ebb_sorter_next(in->sorter, &it, err)) == 1) {
		if (last_len && ebb_record_key_cmp(last, last_len, it.key, it.key_len) == 0)
			return ebb_err_set(err, EBB_ESTORE, "inventory '%s': key '%s' stands there twice", in->opts->manifest,
					   ebb_text_quote(it.key, ebb_record_plain_len(it.key, it.key_len), quoted, sizeof(quoted)));
		memcpy(last, it.key, it.key_len);
		last_len = it.key_len;
		rc = give(in, &it, err);
	}
	return rc < 0 ? rc : got;
}

static int read_report(struct inventory *in, struct ebb_err *err)
{
	struct ebb_jsonscan_value files, file;
	size_t at = 0;
	int rc = read_manifest(in, &files, err);

	while (rc == 0 && ebb_jsonscan_each(files, &at, &file))
		rc = read_data(in, file, err);
	return rc < 0 ? rc : give_all(in, err);
}

int ebb_inventory_read(const struct ebb_inventory_opts *opts, const struct ebb_inventory_fns *fns,
		       struct ebb_inventory_result *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) struct inventory *in = calloc(1, sizeof(*in));
	const char *slash = strrchr(opts->manifest, '/');
	int rc;

	if (!in)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read an inventory");
	in->opts = opts;
	in->fns = fns;
	in->ret = ret;
	ebb_buf_init(&in->manifest, 2 * MANIFEST_MAX);
	snprintf(in->dir, sizeof(in->dir), "%.*s", slash ? (int)(slash - opts->manifest) : 1, slash ? opts->manifest : ".");
	in->sorter = ebb_sorter_new(opts->tmp, opts->memory ? opts->memory : (size_t)64 << 20);
	rc = in->sorter ? read_report(in, err) : ebb_err_set(err, EBB_ENOMEM, "no memory to read an inventory");
	ebb_sorter_free(in->sorter);
	ebb_buf_release(&in->manifest);
	return rc;
}
