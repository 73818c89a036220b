/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/accesslog.h"

#include <stdlib.h>

#include "compress/gunzip.h"
#include "core/mem.h"

const struct ebb_accesslog_format *const ebb_accesslog_formats[] = {
	&ebb_accesslog_s3, &ebb_accesslog_cloudtrail, &ebb_accesslog_rgw, &ebb_accesslog_web, NULL,
};

const struct ebb_accesslog_format *ebb_accesslog_find(const char *name)
{
	for (size_t i = 0; ebb_accesslog_formats[i]; i++)
		if (strcmp(ebb_accesslog_formats[i]->name, name) == 0)
			return ebb_accesslog_formats[i];
	return NULL;
}

/* Bytes read and not yet given; a record ends within them or is too long. */
#define BUFFER (2 * EBB_ACCESSLOG_RECORD_MAX)

/* Where a stream of JSON stands between records. */
struct json {
	size_t at;		/* byte looked at next */
	size_t begin;		/* of the record, when inside */
	size_t name, name_len;	/* the last string directly in the outermost object */
	size_t string;		/* where the string begun last does */
	int depth, record_depth;
	bool inside;		/* a record has begun */
	bool in_string, escaped;
	bool wrapped;		/* records stand in an array, of the outermost object or the outermost itself */
};

struct reader {
	const struct ebb_accesslog_format *format;	/* NULL: not found yet */
	const struct ebb_accesslog_fns *fns;
	struct ebb_accesslog_stats *stats;
	struct ebb_accesslog_scratch scratch;
	char *buf;
	size_t have;
	uint64_t line;		/* of the first byte in buf */
	bool end;
	bool skipping;		/* the rest of a line that is too long */
	struct json json;
};

static void damaged(struct reader *r, uint64_t line)
{
	r->stats->damaged++;
	if (r->fns->damaged)
		r->fns->damaged(r->fns->ctx, line);
}

static bool is_blank(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r' && p[i] != '\n')
			return false;
	return true;
}

static int record(struct reader *r, const char *p, size_t len, bool json, uint64_t line, struct ebb_err *err)
{
	struct ebb_accesslog_event e;
	int rc;

	for (size_t i = 0; !r->format && ebb_accesslog_formats[i]; i++)
		if (ebb_accesslog_formats[i]->json == json && ebb_accesslog_formats[i]->is(p, len))
			r->format = ebb_accesslog_formats[i];
	rc = r->format ? r->format->parse(p, len, &r->scratch, &e) : -1;
	if (rc < 0) {
		damaged(r, line);
		return 0;
	}
	r->stats->records++;
	return rc == 1 ? r->fns->event(r->fns->ctx, &e, err) : 0;
}

/* --- Lines --- */

static int lines(struct reader *r, size_t *ret_used, struct ebb_err *err)
{
	size_t at = 0;
	int rc = 0;

	while (rc == 0 && at < r->have) {
		const char *p = r->buf + at, *nl = memchr(p, '\n', r->have - at);
		size_t len = nl ? (size_t)(nl - p) : r->have - at;

		if (!nl && !r->end && len < EBB_ACCESSLOG_RECORD_MAX)
			break;
		if (!nl && !r->end) { /* too long: told once, its end is skipped */
			if (!r->skipping)
				damaged(r, r->line);
			r->skipping = true;
			at = r->have;
			break;
		}
		at += len + (nl != NULL);
		if (len && p[len - 1] == '\r')
			len--;
		if (!r->skipping && len > 0 && *p != '#' && !is_blank(p, len))
			rc = record(r, p, len, false, r->line, err);
		r->skipping = false;
		r->line += nl != NULL;
	}
	*ret_used = at;
	return rc;
}

/* --- JSON --- */

static bool is_list_name(const struct reader *r)
{
	const struct json *j = &r->json;
	const char *p = r->buf + j->name;

	return (j->name_len == 7 && memcmp(p, "Records", 7) == 0) ||
	       (j->name_len == 11 && memcmp(p, "log_entries", 11) == 0);
}

/* The stream makes no sense from here on: tell, and begin again. */
static void resync(struct reader *r, uint64_t line)
{
	size_t at = r->json.at;

	damaged(r, line);
	r->json = (struct json){.at = at};
}

static void open_bracket(struct reader *r, char c)
{
	struct json *j = &r->json;

	j->depth++;
	if (c == '[' && (j->depth == 1 || (j->depth == 2 && !j->wrapped && is_list_name(r)))) {
		j->wrapped = true;
		j->record_depth = j->depth + 1;
		j->inside = false;
	} else if (c == '{' && !j->inside && j->depth == (j->wrapped ? j->record_depth : 1)) {
		j->inside = true;
		j->begin = j->at;
		if (!j->wrapped)
			j->record_depth = 1;
	}
}

static int close_bracket(struct reader *r, char c, uint64_t line, struct ebb_err *err)
{
	struct json *j = &r->json;
	int rc = 0;

	if (c == '}' && j->inside && j->depth == j->record_depth) {
		j->inside = false;
		rc = record(r, r->buf + j->begin, j->at + 1 - j->begin, true, line, err);
	}
	if (j->depth > 0)
		j->depth--;
	if (j->depth == 0)
		*j = (struct json){.at = j->at};
	return rc;
}

/* Inside of a string: go to its end, or to the end of what there is. False at a newline, which no string holds. */
static bool in_string(struct reader *r)
{
	struct json *j = &r->json;

	for (; j->at < r->have; j->at++) {
		char c = r->buf[j->at];

		if (j->escaped) {
			j->escaped = false;
		} else if (c == '\\') {
			j->escaped = true;
		} else if (c == '"') {
			j->in_string = false;
			if (j->depth == 1) {
				j->name = j->string;
				j->name_len = j->at - j->string;
			}
			return true;
		} else if (c == '\n') {
			return false;
		}
	}
	return true;
}

/* Go on through the buffer. *ret_used: bytes that are not needed any more. */
static int json(struct reader *r, size_t *ret_used, struct ebb_err *err)
{
	struct json *j = &r->json;
	uint64_t line = r->line;
	int rc = 0;

	for (size_t i = 0; i < j->at; i++) /* what was looked at before is still in the buffer */
		line += r->buf[i] == '\n';
	while (rc == 0 && j->at < r->have) {
		char c = r->buf[j->at];

		if (j->in_string) {
			if (!in_string(r))
				resync(r, line);
			else if (!j->in_string)
				j->at++; /* behind the quote */
			continue;
		}
		line += c == '\n';
		/* a record that begins in the first column, inside of another that no array holds: that one was cut */
		if (c == '{' && j->inside && !j->wrapped && j->at > 0 && r->buf[j->at - 1] == '\n')
			resync(r, line - 1);
		if (c == '"') {
			j->in_string = true;
			j->string = j->at + 1;
		} else if (c == '{' || c == '[') {
			open_bracket(r, c);
		} else if (c == '}' || c == ']') {
			rc = close_bracket(r, c, line, err);
		}
		j->at++;
	}
	*ret_used = j->inside ? j->begin : j->at;
	return rc;
}

/* Forget the first @used bytes. */
static void consume(struct reader *r, size_t used, bool is_json)
{
	struct json *j = &r->json;

	if (is_json) {
		for (size_t i = 0; i < used; i++)
			r->line += r->buf[i] == '\n';
		j->at -= j->at < used ? j->at : used;
		j->begin -= j->begin < used ? j->begin : used;
		j->string -= j->string < used ? j->string : used;
		j->name -= j->name < used ? j->name : used;
	}
	memmove(r->buf, r->buf + used, r->have - used);
	r->have -= used;
}

static bool begins_json(const struct reader *r)
{
	for (size_t i = 0; i < r->have; i++)
		if (!is_blank(r->buf + i, 1))
			return r->buf[i] == '{' || r->buf[i] == '[';
	return false;
}

static int fill(struct reader *r, struct ebb_gunzip *g, struct ebb_err *err)
{
	int64_t n = ebb_gunzip_read(g, r->buf + r->have, BUFFER - r->have, err);

	if (n < 0)
		return (int)n;
	r->end = n == 0;
	r->have += (size_t)n;
	return 0;
}

static int read_all(struct reader *r, struct ebb_gunzip *g, struct ebb_err *err)
{
	bool begun = false, is_json = false;
	size_t used = 0;
	int rc = 0;

	while (rc == 0 && !r->end) {
		rc = fill(r, g, err);
		if (rc < 0)
			return rc;
		if (!begun)
			is_json = r->format ? r->format->json : begins_json(r);
		begun = true;
		rc = is_json ? json(r, &used, err) : lines(r, &used, err);
		consume(r, used, is_json);
		if (rc == 0 && r->have >= EBB_ACCESSLOG_RECORD_MAX && is_json) {
			resync(r, r->line);
			consume(r, r->json.at, true);
		}
	}
	if (rc == 0 && is_json && (r->json.inside || r->json.in_string))
		damaged(r, r->line);
	return rc;
}

int ebb_accesslog_read(int fd, const struct ebb_accesslog_format *format, const struct ebb_accesslog_fns *fns,
		       struct ebb_accesslog_stats *ret, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_gunzip_freep) struct ebb_gunzip *g = ebb_gunzip_new(fd);
	EBB_CLEANUP(ebb_mem_freep) struct reader *r = calloc(1, sizeof(*r));
	EBB_CLEANUP(ebb_mem_freep) char *buf = malloc(BUFFER);
	struct ebb_accesslog_stats before = *ret;
	int rc;

	if (!g || !r || !buf)
		return ebb_err_set(err, EBB_ENOMEM, "no memory to read a log");
	*r = (struct reader){.format = format, .fns = fns, .stats = ret, .buf = buf, .line = 1};
	rc = read_all(r, g, err);
	if (rc == 0 && !r->format && ret->damaged > before.damaged)
		return ebb_err_set(err, EBB_EINVAL, "this is no log of a known format; --format names one");
	return rc;
}
