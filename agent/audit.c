/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/jsonput.h"
#include "agent/linefile.h"
#include "core/text.h"
#include "core/units.h"
#include "core/utf8.h"

#define SCHEMA "ebb.audit/1"
#define NAME "audit.jsonl"
/* What a line ends in, behind which stand the digest and `"}`. */
#define TAIL ",\"sha256\":\""
#define TAIL_LEN (sizeof(TAIL) - 1 + EBB_AUDIT_HEX - 1 + 2)
#define PREV "\"prev\":\""
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

/* --- One line -------------------------------------------------------------------------------------------- */

static int sha256_hex(const void *p, size_t len, char ret[EBB_AUDIT_HEX], struct ebb_err *err)
{
	uint8_t sum[EBB_DIGEST_MAX];
	int r = ebb_digest_of(&ebb_digest_sha256, p, len, sum, err);

	if (r == 0)
		ebb_digest_hex(sum, ebb_digest_sha256.len, ret);
	return r;
}

/* The digest that a line carries, and the one of the line before. False when it is no line of ours. */
static bool links_of(const char *line, size_t len, const char **own, const char **prev)
{
	size_t body = len - TAIL_LEN;

	if (len < TAIL_LEN + sizeof(PREV) + EBB_AUDIT_HEX || memcmp(line + body, TAIL, sizeof(TAIL) - 1) != 0 ||
	    memcmp(line + len - 2, "\"}", 2) != 0)
		return false;
	*own = line + body + sizeof(TAIL) - 1;
	*prev = line + body - EBB_AUDIT_HEX;
	return (*prev)[EBB_AUDIT_HEX - 1] == '"' &&
	       memcmp(*prev - (sizeof(PREV) - 1), PREV, sizeof(PREV) - 1) == 0;
}

/* --- Reading --------------------------------------------------------------------------------------------- */

static void break_at(struct ebb_audit_check *c, const char *why)
{
	if (c->broken)
		return;
	c->broken = c->lines;
	snprintf(c->why, sizeof(c->why), "%s", why);
}

/* Hold line number c->lines against the one before, and make it the head. */
static int check_line(struct ebb_audit_check *c, const char *line, size_t len, struct ebb_err *err)
{
	const char *own, *prev;
	char sum[EBB_AUDIT_HEX], begins[64];

	if (!links_of(line, len, &own, &prev)) {
		break_at(c, "it is no line of an audit log");
		return 0;
	}
	int r = sha256_hex(line, len - TAIL_LEN, sum, err);
	if (r < 0)
		return r;
	snprintf(begins, sizeof(begins), "{\"schema\":\"" SCHEMA "\",\"n\":%lld,", (long long)c->lines);
	if (memcmp(own, sum, EBB_AUDIT_HEX - 1) != 0)
		break_at(c, "its content does not fit its sha256: it was changed");
	else if (memcmp(prev, c->head, EBB_AUDIT_HEX - 1) != 0)
		break_at(c, c->lines == 1 ? "it does not begin a log: lines before it are missing"
					  : "it does not follow the line before: something was changed, removed or put between");
	else if (strncmp(line, begins, strlen(begins)) != 0)
		break_at(c, "its number is not that of its place");
	memcpy(c->head, own, EBB_AUDIT_HEX - 1);
	return 0;
}

struct reading {
	FILE *f;
	char *line;
	size_t room;
};

static void reading_release(struct reading *r)
{
	if (r->f)
		fclose(r->f);
	free(r->line);
}

static int open_log(const char *index_dir, struct reading *r, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;

	if (asprintf(&path, "%s/" NAME, index_dir) < 0) {
		path = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	r->f = fopen(path, "re");
	return r->f ? 0 : ebb_err_sys(err, errno, "cannot open '%s'", path);
}

int ebb_audit_read(const char *index_dir, const char *expected, ebb_audit_fn *fn, void *ctx,
		   struct ebb_audit_check *ret, struct ebb_err *err)
{
	EBB_CLEANUP(reading_release) struct reading in = {0};
	struct ebb_audit_check c = {.head = ZEROS};
	struct ebb_err why = {0};
	ssize_t len;
	int r = open_log(index_dir, &in, &why);

	c.seen = expected && strcmp(expected, ZEROS) == 0;
	if (r < 0 && r != -EBB_ENOENT)
		return ebb_err_set(err, -r, "%s", why.msg);
	while (in.f && (errno = 0, len = getline(&in.line, &in.room, in.f)) > 0) {
		if (in.line[len - 1] != '\n') {
			c.torn = true;
			break;
		}
		in.line[--len] = '\0';
		c.lines++;
		if ((r = check_line(&c, in.line, (size_t)len, err)) < 0 ||
		    (fn && (r = fn(ctx, c.lines, in.line, (size_t)len, !c.broken, err)) < 0))
			return r;
		c.seen = c.seen || (expected && strcmp(expected, c.head) == 0);
	}
	if (in.f && (ferror(in.f) || (errno && !feof(in.f))))
		return ebb_err_sys(err, errno ? errno : EIO, "cannot read '%s/" NAME "'", index_dir);
	*ret = c;
	return 0;
}

/* --- Journals -------------------------------------------------------------------------------------------- */

/* SHA-256 of the first @most bytes (-1: all) of a file, and how many there were. */
static int digest_file(const char *path, int64_t most, int64_t *ret_bytes, char hex[EBB_AUDIT_HEX], struct ebb_err *err)
{
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	EBB_CLEANUP(ebb_mem_freep) char *buf = malloc(1 << 16);
	EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t sum[EBB_DIGEST_MAX];
	int64_t at = 0;
	ssize_t n = 0;
	int r;

	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	if (!buf)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	if ((r = ebb_digest_init(&d, &ebb_digest_sha256, err)) < 0)
		return r;
	while (most < 0 || at < most) {
		size_t want = most < 0 || most - at > 1 << 16 ? 1 << 16 : (size_t)(most - at);

		n = read(fd, buf, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		ebb_digest_update(&d, buf, (size_t)n);
		at += n;
	}
	if (n < 0)
		return ebb_err_sys(err, errno, "cannot read '%s'", path);
	if ((r = ebb_digest_final(&d, sum, err)) < 0)
		return r;
	ebb_digest_hex(sum, ebb_digest_sha256.len, hex);
	*ret_bytes = at;
	return 0;
}

int ebb_audit_covers(const char *journal, int64_t bytes, const char *sha256, struct ebb_err *err)
{
	char hex[EBB_AUDIT_HEX];
	int64_t got;
	int r = digest_file(journal, bytes, &got, hex, err);

	return r < 0 ? r : got == bytes && strcmp(hex, sha256) == 0;
}

/* --- Writing --------------------------------------------------------------------------------------------- */

static void put(struct ebb_jsonput *j, const char *name, const char *s)
{
	char quoted[1024];

	if (s)
		ebb_jsonput_string(j, name, ebb_utf8_valid(s, strlen(s)) ? s : ebb_text_quotes(s, quoted, sizeof(quoted)));
}

static void put_who(struct ebb_jsonput *j)
{
	char host[256] = "", buf[4096], number[32];
	struct passwd pw, *found = NULL;

	getpwuid_r(getuid(), &pw, buf, sizeof(buf), &found);
	snprintf(number, sizeof(number), "%lld", (long long)getuid());
	put(j, "user", found ? found->pw_name : number);
	if (gethostname(host, sizeof(host) - 1) == 0)
		put(j, "host", host);
	ebb_jsonput_int(j, "pid", getpid());
}

static int put_journal(struct ebb_jsonput *j, const char *journal, struct ebb_err *err)
{
	char hex[EBB_AUDIT_HEX];
	int64_t bytes;
	int r = digest_file(journal, -1, &bytes, hex, err);

	if (r < 0)
		return r;
	ebb_jsonput_int(j, "journal_bytes", bytes);
	ebb_jsonput_string(j, "journal_sha256", hex);
	return 0;
}

/* All of the line but the two links. */
static int put_event(struct ebb_jsonput *j, int64_t n, const struct ebb_audit_event *e, struct ebb_err *err)
{
	char time[EBB_UNITS_TEXT];

	ebb_jsonput_open(j, NULL, '{');
	ebb_jsonput_string(j, "schema", SCHEMA);
	ebb_jsonput_int(j, "n", n);
	ebb_jsonput_string(j, "time", ebb_units_exact_time(e->time, time));
	put_who(j);
	put(j, "command", e->command);
	put(j, "event", e->event);
	put(j, "run", e->run);
	put(j, "plan", e->plan);
	put(j, "outcome", e->outcome);
	put(j, "why", e->why);
	if (e->counts) {
		ebb_jsonput_int(j, "done", e->counts->done);
		ebb_jsonput_int(j, "skipped", e->counts->skipped);
		ebb_jsonput_int(j, "failed", e->counts->failed);
		ebb_jsonput_int(j, "bytes", e->counts->bytes);
	}
	if (e->nfacts)
		ebb_jsonput_open(j, "facts", '{');
	for (size_t i = 0; i < e->nfacts; i++)
		put(j, e->facts[i].name, e->facts[i].value);
	if (e->nfacts)
		ebb_jsonput_shut(j, '}');
	return e->journal ? put_journal(j, e->journal, err) : 0;
}

/* The line with its links and newline, behind a log whose last line is number @n - 1 with the digest @prev. */
static int line_of(int64_t n, const char *prev, const struct ebb_audit_event *e, struct ebb_buf *out, struct ebb_err *err)
{
	struct ebb_jsonput j = EBB_JSONPUT_INIT;
	char sum[EBB_AUDIT_HEX];
	int r = put_event(&j, n, e, err);

	if (r < 0) {
		ebb_buf_release(&j.b);
		return r;
	}
	ebb_jsonput_string(&j, "prev", prev);
	if ((r = ebb_jsonput_append(&j, out, err)) < 0 || (r = sha256_hex(out->data, out->len, sum, err)) < 0)
		return r;
	if (ebb_buf_addf(out, TAIL "%s\"}\n", sum) < 0 || out->len > EBB_AUDIT_LINE_MAX)
		return ebb_err_set(err, EBB_ENOMEM, "an event of the audit log is too long");
	return 0;
}

/* The last whole line of the file: its number and digest, and where the next one goes (a torn one behind it does not count). */
static int last_of(int fd, const char *path, int64_t *ret_n, char prev[EBB_AUDIT_HEX], off_t *ret_end, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *buf = malloc(2 * EBB_AUDIT_LINE_MAX + 1);
	off_t size = lseek(fd, 0, SEEK_END), from = size > 2 * EBB_AUDIT_LINE_MAX ? size - 2 * EBB_AUDIT_LINE_MAX : 0;
	const char *own, *before;
	char sum[EBB_AUDIT_HEX];
	long long n = 0;

	if (!buf)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	ssize_t got = pread(fd, buf, (size_t)(size - from), from);
	if (size < 0 || got != size - from)
		return ebb_err_sys(err, errno, "cannot read '%s'", path);
	while (got > 0 && buf[got - 1] != '\n')
		got--;
	*ret_end = from + got;
	*ret_n = 0;
	memcpy(prev, ZEROS, EBB_AUDIT_HEX);
	if (got == 0 && from == 0)
		return 0;
	ssize_t begin = got > 0 ? got - 1 : 0;
	while (begin > 0 && buf[begin - 1] != '\n')
		begin--;
	size_t len = got > 0 ? (size_t)(got - 1 - begin) : 0;
	buf[begin + (ssize_t)len] = '\0';
	int r = links_of(buf + begin, len, &own, &before) ? sha256_hex(buf + begin, len - TAIL_LEN, sum, err) : 1;
	if (r < 0)
		return r;
	if (r || memcmp(own, sum, EBB_AUDIT_HEX - 1) != 0 ||
	    sscanf(buf + begin, "{\"schema\":\"" SCHEMA "\",\"n\":%lld,", &n) != 1)
		return ebb_err_set(err, EBB_EJOURNAL, "the last line of '%s' was changed; ebb audit --verify says more. To go on with a new "
				   "log, move this one away", path);
	memcpy(prev, own, EBB_AUDIT_HEX - 1);
	*ret_n = n;
	return 0;
}

static int write_at(int fd, const struct ebb_buf *b, off_t at, const char *path, struct ebb_err *err)
{
	for (size_t done = 0; done < b->len;) {
		ssize_t n = pwrite(fd, b->data + done, b->len - done, at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ebb_err_sys(err, n < 0 ? errno : EIO, "cannot write '%s'", path);
		done += (size_t)n;
	}
	return fdatasync(fd) < 0 ? ebb_err_sys(err, errno, "cannot write '%s'", path) : 0;
}

static int append(int fd, const char *path, const struct ebb_audit_event *e, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf line = EBB_BUF_INIT(4 * EBB_AUDIT_LINE_MAX);
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char prev[EBB_AUDIT_HEX];
	int64_t n;
	off_t end = 0;
	int r;

	while (fcntl(fd, F_OFD_SETLKW, &whole) < 0)
		if (errno != EINTR)
			return ebb_err_sys(err, errno, "cannot lock '%s'", path);
	if ((r = last_of(fd, path, &n, prev, &end, err)) < 0 || (r = line_of(n + 1, prev, e, &line, err)) < 0)
		return r;
	if (ftruncate(fd, end) < 0)
		return ebb_err_sys(err, errno, "cannot cut a torn line off '%s'", path);
	return write_at(fd, &line, end, path, err);
}

int ebb_audit_append(const char *index_dir, const struct ebb_audit_event *e, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_mem_freep) char *path = NULL;
	EBB_CLEANUP(ebb_mem_closep) int fd = -1;

	if (asprintf(&path, "%s/" NAME, index_dir) < 0) {
		path = NULL;
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	}
	bool new = access(path, F_OK) < 0;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	int r = append(fd, path, e, err);
	return r == 0 && new ? ebb_linefile_sync_dir(index_dir, err) : r;
}
