/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"
#include "core/units.h"

/* Most columns of a table. */
enum { COLS_MAX = 16 };

/* Bytes gathered before standard output is written. */
enum { BUFFER = 64 * 1024 };

/* Standard output as ebb_out_standard made it. */
static struct {
	FILE *file;
	int sys;	/* errno of the first write that failed */
} standard;

bool ebb_out_styled(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(f == standard.file ? STDOUT_FILENO : fileno(f)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

const char *ebb_out_bold(FILE *f)
{
	return ebb_out_styled(f) ? "\033[1m" : "";
}

const char *ebb_out_dim(FILE *f)
{
	return ebb_out_styled(f) ? "\033[2m" : "";
}

const char *ebb_out_plain(FILE *f)
{
	return ebb_out_styled(f) ? "\033[0m" : "";
}

static int64_t limited(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

const char *ebb_out_count(uint64_t n, char buf[EBB_OUT_TEXT_MAX])
{
	return ebb_units_format_count(limited(n), buf);
}

const char *ebb_out_things(uint64_t n, const char *thing, char buf[EBB_OUT_TEXT_MAX])
{
	char count[EBB_OUT_TEXT_MAX];

	snprintf(buf, EBB_OUT_TEXT_MAX, "%.30s %.30s%s", ebb_out_count(n, count), thing, n == 1 ? "" : "s");
	return buf;
}

const char *ebb_out_bytes(uint64_t n, char buf[EBB_OUT_TEXT_MAX])
{
	return ebb_units_format_bytes(limited(n), buf);
}

const char *ebb_out_money(const struct ebb_money *m, char buf[EBB_OUT_TEXT_MAX])
{
	return ebb_money_human(*m, buf);
}

const char *ebb_out_ago(int64_t then, int64_t now, char buf[EBB_OUT_TEXT_MAX])
{
	char text[EBB_UNITS_TEXT];

	if (now - then < EBB_CLOCK_SECOND)
		snprintf(buf, EBB_OUT_TEXT_MAX, "just now");
	else
		snprintf(buf, EBB_OUT_TEXT_MAX, "%s ago", ebb_units_format_duration(now - then, text));
	return buf;
}

const char *ebb_out_share(uint64_t part, uint64_t whole, char buf[EBB_OUT_TEXT_MAX])
{
	if (!whole)
		buf[0] = 0;
	else
		snprintf(buf, EBB_OUT_TEXT_MAX, "%.1f %%", (double)part * 100 / (double)whole);
	return buf;
}

const char *ebb_out_bar(uint64_t part, uint64_t whole, char buf[EBB_OUT_TEXT_MAX])
{
	int n = whole ? (int)((double)part * 20 / (double)whole + 0.5) : 0;

	/* What is shown as 0.0 % has no bar. */
	bool visible = whole && (double)part * 100 / (double)whole >= 0.05;
	n = visible && n == 0 ? 1 : n > 20 ? 20 : n;
	memset(buf, '#', (size_t)n);
	buf[n] = 0;
	return buf;
}

/* A key for people: one line of harmless characters, on the heap; NULL: out of memory. */
static char *quoted(const char *key, size_t len)
{
	size_t size = 4 * len + 8;	/* no byte becomes more than four */
	char *s = malloc(size);

	if (s)
		ebb_text_quote(key, len, s, size);
	return s;
}

void ebb_out_name(FILE *f, const char *key, size_t len)
{
	EBB_CLEANUP(ebb_mem_freep) char *s = quoted(key, len);

	if (s)
		fputs(s, f);
}

/* --- Standard output that remembers why it failed: stdio keeps only that it did --- */

static ssize_t standard_write(void *ctx, const char *buf, size_t len)
{
	size_t done = 0;

	(void)ctx;
	while (done < len) {
		ssize_t n = write(STDOUT_FILENO, buf + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			standard.sys = standard.sys ? standard.sys : errno;
			return (ssize_t)done;
		}
		done += (size_t)n;
	}
	return (ssize_t)done;
}

FILE *ebb_out_standard(void)
{
	if (standard.file)
		return standard.file;
	standard.file = fopencookie(NULL, "w", (cookie_io_functions_t){.write = standard_write});
	if (!standard.file)
		return stdout;
	setvbuf(standard.file, NULL, isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF, BUFFER);
	return standard.file;
}

int ebb_out_failed(FILE *f, struct ebb_err *err)
{
	int sys = errno ? errno : EIO;
	bool first = err && !err->code;

	if (f == standard.file && standard.sys)
		sys = standard.sys;
	ebb_err_sys(err, sys, "cannot write to standard output");
	/* The work is done, its report is not; the exit status must not say that a store failed. */
	if (first)
		err->code = EBB_EPARTIAL;
	return -EBB_EPARTIAL;
}

int ebb_out_flush(FILE *f, struct ebb_err *err)
{
	errno = 0;
	return fflush(f) || ferror(f) ? ebb_out_failed(f, err) : 0;
}

/* --- Tables --- */

struct ebb_out_table {
	const struct ebb_out_col *cols;
	size_t ncols;
	char **cell;
	size_t ncells, size;
	size_t *rules;		/* numbers of the rows that a line stands before */
	size_t nrules;
	bool failed;
};

struct ebb_out_table *ebb_out_table_new(const struct ebb_out_col *cols, size_t n)
{
	struct ebb_out_table *t = calloc(1, sizeof(*t));

	if (t) {
		t->cols = cols;
		t->ncols = n;
	}
	return t;
}

void ebb_out_table_free(struct ebb_out_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->ncells; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t->rules);
	free(t);
}

/* Enter a cell (stolen; NULL: out of memory). */
static void push(struct ebb_out_table *t, char *s)
{
	if (s && t->ncells == t->size) {
		size_t size = t->size ? t->size * 2 : 64;
		char **c = realloc(t->cell, size * sizeof(*c));

		if (c) {
			t->cell = c;
			t->size = size;
		}
	}
	if (!s || t->ncells == t->size) {
		free(s);
		t->failed = true;
		return;
	}
	t->cell[t->ncells++] = s;
}

void ebb_out_cell(struct ebb_out_table *t, const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	push(t, s);
}

void ebb_out_cell_name(struct ebb_out_table *t, const char *key, size_t len)
{
	push(t, quoted(key, len));
}

void ebb_out_rule(struct ebb_out_table *t)
{
	size_t *r = realloc(t->rules, (t->nrules + 1) * sizeof(*r));

	if (!r) {
		t->failed = true;
		return;
	}
	t->rules = r;
	r[t->nrules++] = t->ncells / t->ncols;
}

/* Columns that a string takes on a terminal: its code points, near enough. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void print_cell(FILE *f, const char *s, size_t w, bool right, bool last)
{
	size_t have = width(s);
	int pad = w > have ? (int)(w - have) : 0;

	if (right)
		fprintf(f, "%*s%s", pad, "", s);
	else if (last)
		fputs(s, f);
	else
		fprintf(f, "%s%*s", s, pad, "");
}

static void print_row(const struct ebb_out_table *t, FILE *f, int indent, const size_t *w,
		      const char *const *cells)
{
	size_t last = t->ncols;

	/* Nothing is printed behind the last cell that says something. */
	while (last > 1 && !*cells[last - 1])
		last--;
	fprintf(f, "%*s", indent, "");
	for (size_t c = 0; c < last; c++) {
		if (c)
			fputs("  ", f);
		print_cell(f, cells[c], w[c], t->cols[c].right, c + 1 == last);
	}
	fputc('\n', f);
}

static void print_head(const struct ebb_out_table *t, FILE *f, int indent, const size_t *w)
{
	bool titles = false;
	const char *cells[COLS_MAX];

	for (size_t c = 0; c < t->ncols; c++) {
		cells[c] = t->cols[c].title;
		titles = titles || *cells[c];
	}
	if (!titles)
		return;
	fputs(ebb_out_dim(f), f);
	print_row(t, f, indent, w, cells);
	fputs(ebb_out_plain(f), f);
}

static void print_rule(FILE *f, int indent, const size_t *w, size_t n)
{
	size_t sum = 2 * (n - 1);

	for (size_t c = 0; c < n; c++)
		sum += w[c];
	fprintf(f, "%*s", indent, "");
	for (size_t i = 0; i < sum && i < 100; i++)
		fputc('-', f);
	fputc('\n', f);
}

int ebb_out_table_print(const struct ebb_out_table *t, FILE *f, int indent, struct ebb_err *err)
{
	size_t w[COLS_MAX] = {0}, rows = t->ncells / t->ncols, rule = 0;

	if (t->failed || t->ncols > COLS_MAX)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory for a table");
	for (size_t c = 0; c < t->ncols; c++)
		w[c] = width(t->cols[c].title);
	for (size_t i = 0; i < rows * t->ncols; i++) {
		size_t n = width(t->cell[i]);
		w[i % t->ncols] = n > w[i % t->ncols] ? n : w[i % t->ncols];
	}
	print_head(t, f, indent, w);
	for (size_t r = 0; r < rows; r++) {
		for (; rule < t->nrules && t->rules[rule] == r; rule++)
			print_rule(f, indent, w, t->ncols);
		print_row(t, f, indent, w, (const char *const *)&t->cell[r * t->ncols]);
	}
	return 0;
}
