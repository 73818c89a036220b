/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * CloudTrail data events of S3: {"Records": [event, ...]}, usually gzipped. Source: AWS CloudTrail User Guide, "CloudTrail record contents"; Amazon
 * S3 User Guide, "CloudTrail log file entries".
 */
#include "core/units.h"
#include "scanners/accesslog.h"
#include "scanners/jsonscan.h"
#include "scanners/logword.h"

enum { SOURCE, NAME, TIME, BUCKET, KEY, COPY, OUT, AGENT, ERROR, ID, N };

static const char *const paths[N] = {
	"eventSource",
	"eventName",
	"eventTime",
	"requestParameters.bucketName",
	"requestParameters.key",
	"requestParameters.x-amz-copy-source",
	"additionalEventData.bytesTransferredOut",
	"userAgent",
	"errorCode",
	"eventID",
};

static bool is_cloudtrail(const char *p, size_t len)
{
	struct ebb_jsonscan_value v[N];

	return ebb_jsonscan_find(p, len, paths, N, v) && v[SOURCE].string && v[NAME].string;
}

/* "/bucket/key?versionId=..." or "bucket/key", encoded; taken apart in the second half of the scratch space. */
static bool copy_source(struct ebb_jsonscan_value v, struct ebb_accesslog_scratch *s, struct ebb_accesslog_event *ret)
{
	const size_t half = sizeof(s->path) / 2;
	char *raw = s->path, *out = s->path + half;
	int64_t n = ebb_jsonscan_string(v, raw, half);
	struct ebb_accesslog_text t = {raw, n > 0 ? (size_t)n : 0};
	const char *q = t.len ? memchr(t.p, '?', t.len) : NULL;

	if (q)
		t.len = (size_t)(q - t.p);
	n = ebb_logword_unescape(t, out, half);
	if (n > 0 && *out == '/') {
		out++;
		n--;
	}
	q = n > 0 ? memchr(out, '/', (size_t)n) : NULL;
	if (!q)
		return false;
	ret->source = (struct ebb_accesslog_text){out, (size_t)(q - out)};
	ret->path = (struct ebb_accesslog_text){q + 1, (size_t)(out + n - q - 1)};
	return ret->path.len > 0;
}

static bool text(struct ebb_jsonscan_value v, char *out, size_t cap, struct ebb_accesslog_text *ret)
{
	int64_t n = ebb_jsonscan_string(v, out, cap);

	*ret = (struct ebb_accesslog_text){out, n > 0 ? (size_t)n : 0};
	return n > 0;
}

static int parse_cloudtrail(const char *p, size_t len, struct ebb_accesslog_scratch *s, struct ebb_accesslog_event *ret)
{
	const size_t half = sizeof(s->path) / 2;
	struct ebb_jsonscan_value v[N];
	char time[64];
	bool get, copy;
	int64_t n;

	if (!ebb_jsonscan_find(p, len, paths, N, v) || !v[SOURCE].string)
		return -1;
	if (!ebb_jsonscan_is(v[SOURCE], "s3.amazonaws.com"))
		return 0;
	n = ebb_jsonscan_string(v[TIME], time, sizeof(time) - 1);
	*ret = (struct ebb_accesslog_event){.source = {"", 0}};
	if (n < 0)
		return -1;
	time[n] = '\0';
	if (ebb_units_parse_time(time, &ret->time, NULL) < 0)
		return -1;
	/* The agent stands in brackets. */
	ret->own = v[AGENT].string && ebb_logword_own((struct ebb_accesslog_text){
					      v[AGENT].p + (v[AGENT].len && *v[AGENT].p == '['),
					      v[AGENT].len - (v[AGENT].len && *v[AGENT].p == '[')});
	get = ebb_jsonscan_is(v[NAME], "GetObject") || ebb_jsonscan_is(v[NAME], "SelectObjectContent");
	copy = ebb_jsonscan_is(v[NAME], "CopyObject") || ebb_jsonscan_is(v[NAME], "UploadPartCopy");
	if (copy && !v[ERROR].p)
		ret->read = copy_source(v[COPY], s, ret);
	else if (text(v[BUCKET], s->path + half, half, &ret->source))
		ret->read = get && !v[ERROR].p && text(v[KEY], s->path, half, &ret->path);
	n = ebb_jsonscan_number(v[OUT]);
	ret->bytes = get && n > 0 ? n : 0;
	if (v[ID].string)
		ret->id = ebb_accesslog_id(v[ID].p, v[ID].len, 0);
	else
		ret->id = ebb_accesslog_id(p, len, 0);
	return 1;
}

const struct ebb_accesslog_format ebb_accesslog_cloudtrail = {.name = "cloudtrail",
							       .title = "CloudTrail data events of S3",
							       .json = true,
							       .is = is_cloudtrail,
							       .parse = parse_cloudtrail};
