/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Operation logs of Ceph's object gateway: JSON objects, one behind the other (rgw_ops_log_file_path, rgw_ops_log_socket_path), or the output of
 * `radosgw-admin log show`, whose entries stand in "log_entries". Source: Ceph source, src/rgw/rgw_log.cc, rgw_format_ops_log_entry.
 *
 * A copy names its destination alone, so its source is not counted as read.
 */
#include "core/units.h"
#include "scanners/accesslog.h"
#include "scanners/jsonscan.h"
#include "scanners/logword.h"

enum { BUCKET, OBJECT, TIME, OPERATION, STATUS, SENT, AGENT, ID, N };

static const char *const paths[N] = {"bucket",	    "object",	  "time",	"operation",
				     "http_status", "bytes_sent", "user_agent", "trans_id"};

static bool is_rgw(const char *p, size_t len)
{
	struct ebb_jsonscan_value v[N];

	return ebb_jsonscan_find(p, len, paths, N, v) && v[BUCKET].string && v[OPERATION].string && v[STATUS].p;
}

static int parse_rgw(const char *p, size_t len, struct ebb_accesslog_scratch *s, struct ebb_accesslog_event *ret)
{
	const size_t half = sizeof(s->path) / 2;
	struct ebb_jsonscan_value v[N];
	int64_t n, object;
	char time[64];

	if (!ebb_jsonscan_find(p, len, paths, N, v) || !v[OPERATION].string)
		return -1;
	n = ebb_jsonscan_string(v[TIME], time, sizeof(time) - 1);
	if (n < 0)
		return -1;
	time[n] = '\0';
	*ret = (struct ebb_accesslog_event){.source = {"", 0}};
	if (ebb_units_parse_time(time, &ret->time, NULL) < 0)
		return -1;
	n = ebb_jsonscan_string(v[BUCKET], s->path + half, half);
	if (n <= 0)
		return 0; /* a request to no bucket */
	ret->source = (struct ebb_accesslog_text){s->path + half, (size_t)n};
	object = ebb_jsonscan_string(v[OBJECT], s->path, half);
	ret->path = (struct ebb_accesslog_text){s->path, object > 0 ? (size_t)object : 0};
	ret->own = v[AGENT].string && ebb_logword_own((struct ebb_accesslog_text){v[AGENT].p, v[AGENT].len});
	ret->read = object > 0 && ebb_jsonscan_is(v[OPERATION], "get_obj") &&
		    ebb_logword_read_ok(ebb_jsonscan_number(v[STATUS]));
	n = ebb_jsonscan_number(v[SENT]);
	ret->bytes = n > 0 ? n : 0;
	if (v[ID].string && v[ID].len)
		ret->id = ebb_accesslog_id(v[ID].p, v[ID].len, 0);
	else
		ret->id = ebb_accesslog_id(p, len, 0);
	return 1;
}

const struct ebb_accesslog_format ebb_accesslog_rgw = {
	.name = "rgw", .title = "Ceph RGW operation log", .json = true, .is = is_rgw, .parse = parse_rgw};
