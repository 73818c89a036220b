/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Logs of web servers in the common and the combined format of Apache and nginx, with or without the virtual host in front:
 *   [host[:port]] address identity user [time] "GET /path HTTP/1.1" status bytes ["referer" "user agent"]
 * Source: Apache HTTP Server documentation, mod_log_config, "Common Log Format" and "Combined Log Format".
 *
 * A line has no number of its own, so its bytes identify it: two equal lines (one client, one second, one path) count once.
 */
#include "scanners/logword.h"

/* Words before the time: 3, or 4 with a host; 0 when there is no time. */
static int words_before_time(const char *p, size_t len)
{
	const char *end = p + len;
	struct ebb_accesslog_text t;

	for (int n = 0; n <= 4; n++) {
		while (p < end && *p == ' ')
			p++;
		if (p < end && *p == '[')
			return n >= 3 ? n : 0;
		if (!ebb_logword_next(&p, end, &t))
			return 0;
	}
	return 0;
}

static bool is_web(const char *p, size_t len)
{
	return words_before_time(p, len) > 0;
}

/* "GET /path?query HTTP/1.1" or an absolute URI: a read of which path? */
static bool request(struct ebb_accesslog_text r, struct ebb_accesslog_text *host, struct ebb_accesslog_text *path)
{
	const char *end = r.p + r.len, *p, *q;

	if (r.len < 5 || memcmp(r.p, "GET ", 4) != 0)
		return false;
	p = r.p + 4;
	q = memchr(p, ' ', (size_t)(end - p));
	end = q ? q : end;
	for (int i = 0; i < 2; i++) {
		const char *scheme = i ? "https://" : "http://";
		size_t n = strlen(scheme);

		if ((size_t)(end - p) > n && memcmp(p, scheme, n) == 0) {
			p += n;
			q = memchr(p, '/', (size_t)(end - p));
			*host = (struct ebb_accesslog_text){p, (size_t)((q ? q : end) - p)};
			p = q ? q : end;
			break;
		}
	}
	q = memchr(p, '?', (size_t)(end - p));
	*path = (struct ebb_accesslog_text){p, (size_t)((q ? q : end) - p)};
	return path->len > 0 && *p == '/';
}

static void drop_port(struct ebb_accesslog_text *host)
{
	const char *colon = memrchr(host->p, ':', host->len);

	if (colon && !memchr(colon, ']', (size_t)(host->p + host->len - colon)))
		host->len = (size_t)(colon - host->p);
}

static int parse_web(const char *p, size_t len, struct ebb_accesslog_scratch *s, struct ebb_accesslog_event *ret)
{
	const char *line = p, *end = p + len;
	int before = words_before_time(p, len);
	struct ebb_accesslog_text t, req, status, sent, agent = {"", 0};
	int64_t code, n;

	if (before == 0)
		return -1;
	*ret = (struct ebb_accesslog_event){.url = true, .source = {"", 0}};
	for (int i = 0; i < before; i++)
		if (!ebb_logword_next(&p, end, &t))
			return -1;
		else if (i == 0 && before == 4)
			ret->source = t;
	if (!ebb_logword_next(&p, end, &t) || !ebb_logword_next(&p, end, &req) ||
	    !ebb_logword_next(&p, end, &status) || !ebb_logword_next(&p, end, &sent) ||
	    !ebb_logword_time(t, s, &ret->time) || !ebb_logword_number(status, &code) ||
	    !ebb_logword_number(sent, &ret->bytes))
		return -1;
	if (ebb_logword_next(&p, end, &t))
		(void)ebb_logword_next(&p, end, &agent);
	ret->own = ebb_logword_own(agent);
	ret->read = ebb_logword_read_ok(code) && request(req, &ret->source, &t);
	drop_port(&ret->source);
	if (!ret->read)
		return 1;
	n = ebb_logword_unescape(t, s->path, sizeof(s->path));
	if (n < 0)
		return -1;
	ret->path = (struct ebb_accesslog_text){s->path, (size_t)n};
	ret->id = ebb_accesslog_id(line, len, 0);
	return 1;
}

const struct ebb_accesslog_format ebb_accesslog_web = {
	.name = "web", .title = "web server log (common, combined)", .is = is_web, .parse = parse_web};
