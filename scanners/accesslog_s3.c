/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * S3 server access logs: bucket owner, bucket, [time], remote address, requester, request id, operation, key, "request", status, error, bytes
 * sent, object size, times, "referer", "user agent", version id, ... Source of the format: Amazon S3 User Guide, "Amazon S3 server
 * access log format".
 *
 * Keys. The key is written URL-encoded, for some requests twice; the request has what the client sent, encoded once, with the bucket in front
 * in path style. Where the key holds a '%', the one of its two readings that the request confirms is taken.
 */
#include "scanners/logword.h"

enum { OWNER, BUCKET, TIME, ADDRESS, REQUESTER, REQUEST_ID, OPERATION, KEY, REQUEST, STATUS, ERROR, SENT, SIZE, TOTAL, TURN,
       REFERER, AGENT, FIELDS };

static bool is_s3(const char *p, size_t len)
{
	const char *end = p + len;
	struct ebb_accesslog_text t;
	int n = 0;

	for (; n <= TIME; n++) {
		bool bracket = p < end && (*p == '[' || (*p == ' ' && p + 1 < end && p[1] == '['));

		if (!ebb_logword_next(&p, end, &t) || bracket != (n == TIME))
			return false;
	}
	return true;
}

/* The path of "GET /bucket/key?query HTTP/1.1", behind its first '/'. */
static struct ebb_accesslog_text request_path(struct ebb_accesslog_text r)
{
	const char *end = r.p + r.len, *p = memchr(r.p, ' ', r.len), *q;

	if (!p || ++p == end || *p != '/')
		return (struct ebb_accesslog_text){"", 0};
	p++;
	for (q = p; q < end && *q != ' ' && *q != '?'; q++)
		;
	return (struct ebb_accesslog_text){p, (size_t)(q - p)};
}

/* Is @key what the request asked for, with or without the bucket in front? Both decoded once. */
static bool confirmed(struct ebb_accesslog_text key, struct ebb_accesslog_text path, struct ebb_accesslog_text bucket)
{
	if (path.len > bucket.len && path.p[bucket.len] == '/' && memcmp(path.p, bucket.p, bucket.len) == 0 &&
	    path.len - bucket.len - 1 == key.len && memcmp(path.p + bucket.len + 1, key.p, key.len) == 0)
		return true;
	return path.len == key.len && memcmp(path.p, key.p, key.len) == 0;
}

static int decode_key(const struct ebb_accesslog_text f[FIELDS], struct ebb_accesslog_scratch *s,
		      struct ebb_accesslog_text *ret)
{
	const size_t third = sizeof(s->path) / 3;
	char *once = s->path, *twice = once + third, *path = twice + third;
	int64_t n = ebb_logword_unescape(f[KEY], once, third), m;

	if (n < 0)
		return -1;
	*ret = (struct ebb_accesslog_text){once, (size_t)n};
	m = ebb_logword_unescape(*ret, twice, third);
	if (m < 0 || m == n)
		return 0;
	n = ebb_logword_unescape(request_path(f[REQUEST]), path, third);
	if (n < 0 || confirmed(*ret, (struct ebb_accesslog_text){path, (size_t)n}, f[BUCKET]))
		return 0;
	/* Not as it stands: encoded twice, as most keys with such bytes are. */
	*ret = (struct ebb_accesslog_text){twice, (size_t)m};
	return 0;
}

static bool is_read(struct ebb_accesslog_text op)
{
	static const char *const reads[] = {"REST.GET.OBJECT", "WEBSITE.GET.OBJECT", "REST.COPY.OBJECT_GET",
					    "REST.COPY.PART_GET", "REST.SELECT.OBJECT_CONTENT", "REST.SELECT.OBJECT",
					    "REST.POST.OBJECT_SELECT"};

	for (size_t i = 0; i < sizeof(reads) / sizeof(*reads); i++)
		if (ebb_accesslog_is(op, reads[i]))
			return true;
	return false;
}

static int parse_s3(const char *p, size_t len, struct ebb_accesslog_scratch *s, struct ebb_accesslog_event *ret)
{
	const char *end = p + len;
	struct ebb_accesslog_text f[FIELDS];
	int64_t status;

	for (int i = 0; i < FIELDS; i++)
		if (!ebb_logword_next(&p, end, &f[i]))
			return -1;
	*ret = (struct ebb_accesslog_event){.source = f[BUCKET], .path = f[KEY], .own = ebb_logword_own(f[AGENT])};
	if (!ebb_logword_time(f[TIME], s, &ret->time) || !ebb_logword_number(f[STATUS], &status) ||
	    !ebb_logword_number(f[SENT], &ret->bytes))
		return -1;
	ret->read = is_read(f[OPERATION]) && ebb_logword_read_ok(status);
	if (!ret->read)
		return 1;
	if (memchr(f[KEY].p, '%', f[KEY].len) && decode_key(f, s, &ret->path) < 0)
		return -1;
	/* One request can copy: then it has a line for each side. */
	ret->id = ebb_accesslog_id(f[REQUEST_ID].p, f[REQUEST_ID].len, f[OPERATION].len);
	ret->id = ebb_accesslog_id(f[KEY].p, f[KEY].len, ret->id);
	return 1;
}

const struct ebb_accesslog_format ebb_accesslog_s3 = {
	.name = "s3", .title = "S3 server access log", .is = is_s3, .parse = parse_s3};
