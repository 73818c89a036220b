/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/text.h"
#include "core/units.h"
#include "core/utf8.h"

#define MESSAGE_MAX 2048
#define TAIL 32	/* kept free for what ends a line */

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* A line being made. Once something does not fit, it is full and stays as it is. */
struct line {
	enum ebb_log_format format;
	size_t len;
	size_t limit;
	bool full;
	char text[EBB_LOG_LINE];
};

void ebb_log_init(struct ebb_log *log, enum ebb_log_level level, enum ebb_log_format format,
		  const struct ebb_clock *clock, ebb_log_sink *sink, void *context)
{
	*log = (struct ebb_log){
		.level = level, .format = format, .clock = clock, .sink = sink, .context = context,
	};
	pthread_mutex_init(&log->mutex, NULL);
}

void ebb_log_release(struct ebb_log *log)
{
	pthread_mutex_destroy(&log->mutex);
}

bool ebb_log_enabled(const struct ebb_log *log, enum ebb_log_level level)
{
	return log && level <= log->level;
}

int ebb_log_level_of(const char *name, enum ebb_log_level *ret, struct ebb_err *err)
{
	char quoted[EBB_TEXT_QUOTED], hint[EBB_TEXT_QUOTED];
	size_t n = EBB_ARRAY_LEN(level_names);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, level_names[i])) {
			*ret = (enum ebb_log_level)i;
			return 0;
		}
	return ebb_err_set(err, EBB_EINVAL, "unknown log level '%s'%s",
			   ebb_text_quotes(name, quoted, sizeof(quoted)),
			   ebb_text_suggest(name, level_names, n, hint, sizeof(hint)));
}

struct ebb_log_field ebb_log_bytes(const char *key, const void *p, size_t len)
{
	return (struct ebb_log_field){.key = key, .type = EBB_LOG_STRING, .string = p, .len = len};
}

struct ebb_log_field ebb_log_str(const char *key, const char *s)
{
	return ebb_log_bytes(key, s ? s : "", s ? strlen(s) : 0);
}

struct ebb_log_field ebb_log_int(const char *key, int64_t n)
{
	return (struct ebb_log_field){.key = key, .type = EBB_LOG_INT, .number = n};
}

struct ebb_log_field ebb_log_bool(const char *key, bool b)
{
	return (struct ebb_log_field){.key = key, .type = EBB_LOG_BOOL, .number = b};
}

struct ebb_log_field ebb_log_secret(const char *key, const struct ebb_secret *secret)
{
	return ebb_log_str(key, secret ? "***" : "");
}

static void put(struct line *line, const char *s, size_t len)
{
	if (line->full || len > line->limit - line->len) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->len, s, len);
	line->len += len;
}

static void put_text(struct line *line, const char *s)
{
	put(line, s, strlen(s));
}

/* One character of a string: as it is, or escaped as the format wants it. Returns bytes it took. */
static size_t put_char(struct line *line, const unsigned char *s, size_t len)
{
	bool json = line->format == EBB_LOG_JSON;
	uint32_t point;
	size_t n = ebb_utf8_decode(s, len, &point);
	char escaped[16];

	if (!n)
		snprintf(escaped, sizeof(escaped), json ? "\\\\x%02x" : "\\x%02x", *s);
	else if (point == '"' || point == '\\')
		snprintf(escaped, sizeof(escaped), "\\%c", (char)point);
	else if (point == '\n')
		snprintf(escaped, sizeof(escaped), "\\n");
	else if (ebb_text_is_unsafe(point))
		snprintf(escaped, sizeof(escaped), json ? "\\u%04x" : "\\u{%04x}", (unsigned)point);
	else
		snprintf(escaped, sizeof(escaped), "%.*s", (int)n, (const char *)s);
	put_text(line, escaped);
	return n ? n : 1;
}

static void put_string(struct line *line, const char *s, size_t len)
{
	for (size_t i = 0; i < len && !line->full;)
		i += put_char(line, (const unsigned char *)s + i, len - i);
}

/* Can a value stand in a text line without quotes? */
static bool is_bare(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] == ' ' || s[i] == '"' || s[i] == '=' || s[i] == '\\')
			return false;
	return len > 0;
}

static void put_value(struct line *line, const struct ebb_log_field *field)
{
	char number[24];
	bool bare = line->format == EBB_LOG_TEXT && is_bare(field->string, field->len);

	switch (field->type) {
	case EBB_LOG_INT:
		snprintf(number, sizeof(number), "%" PRId64, field->number);
		put_text(line, number);
		break;
	case EBB_LOG_BOOL:
		put_text(line, field->number ? "true" : "false");
		break;
	case EBB_LOG_STRING:
		put_text(line, bare ? "" : "\"");
		put_string(line, field->string, field->len);
		put_text(line, bare ? "" : "\"");
		break;
	}
}

/* A whole field or nothing. Returns whether it fitted. */
static bool put_field(struct line *line, const struct ebb_log_field *field)
{
	bool json = line->format == EBB_LOG_JSON;
	size_t before = line->len;

	put_text(line, json ? ",\"" : " ");
	put_text(line, field->key);
	put_text(line, json ? "\":" : "=");
	put_value(line, field);
	if (!line->full)
		return true;
	line->full = false;
	line->len = before;
	return false;
}

static void put_head(struct line *line, int64_t now, enum ebb_log_level level, const char *msg)
{
	bool json = line->format == EBB_LOG_JSON;
	int64_t milliseconds = now - now % 1000000;
	char time[EBB_UNITS_TEXT];
	size_t len = strlen(msg);

	put_text(line, json ? "{\"time\":\"" : "");
	put_text(line, ebb_units_exact_time(milliseconds, time));
	put_text(line, json ? "\",\"level\":\"" : " ");
	put_text(line, level_names[level]);
	put_text(line, json ? "\",\"msg\":\"" : ": ");
	line->limit = MESSAGE_MAX;
	put_string(line, msg, len);
	line->limit = sizeof(line->text) - TAIL;
	if (line->full) {
		line->full = false;
		put_text(line, "...");
	}
	put_text(line, json ? "\"" : "");
}

void ebb_log_write(struct ebb_log *log, enum ebb_log_level level, const char *msg,
		   const struct ebb_log_field fields[], size_t n)
{
	struct line line;
	bool cut = false;

	if (!ebb_log_enabled(log, level))
		return;
	line.format = log->format;
	line.len = 0;
	line.limit = sizeof(line.text) - TAIL;
	line.full = false;
	put_head(&line, ebb_clock_now(log->clock), level, msg);
	for (size_t i = 0; i < n; i++)
		cut |= !put_field(&line, &fields[i]);

	line.limit = sizeof(line.text);
	if (cut)
		put_field(&line, &(struct ebb_log_field){"cut", EBB_LOG_BOOL, NULL, 0, 1});
	put_text(&line, log->format == EBB_LOG_JSON ? "}\n" : "\n");

	pthread_mutex_lock(&log->mutex);
	log->sink(log->context, level, line.text, line.len);
	pthread_mutex_unlock(&log->mutex);
}

void ebb_log_printf(struct ebb_log *log, enum ebb_log_level level, const char *fmt, ...)
{
	char msg[MESSAGE_MAX];
	va_list ap;

	if (!ebb_log_enabled(log, level))
		return;
	va_start(ap, fmt);
	int len = vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof(msg))
		memcpy(msg + sizeof(msg) - 4, "...", 4);
	ebb_log_write(log, level, msg, NULL, 0);
}

void ebb_log_failure(struct ebb_log *log, enum ebb_log_level level, const struct ebb_err *failure)
{
	struct ebb_log_field code = ebb_log_str("error", ebb_err_name(failure->code));

	ebb_log_write(log, level, failure->msg, &code, 1);
}
