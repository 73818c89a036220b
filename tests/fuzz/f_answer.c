/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input: the header of a store's answer about an object, or, after a byte with its lowest bit set, a lifecycle configuration in XML. Object and metadata
 * come out whole or are refused with words, and metadata that was read can be sent again or is refused.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "scanners/s3_admin.h"
#include "scanners/store_s3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ebb_err err;

static void send(const struct ebb_store_s3_meta *m)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};

	ebb_s3_call_init(&call, EBB_S3_PUT, "PUT", "key");
	int r = ebb_store_s3_meta_send(m, &call, &err);
	if (r < 0 && !*err.msg)
		abort();
	/* no header of ours has a second line */
	for (size_t i = 0; r == 0 && i < call.nheaders; i++)
		if (strpbrk(call.headers[i].value, "\r\n") || strpbrk(call.headers[i].name, "\r\n"))
			abort();
}

static void header(const uint8_t *data, size_t size)
{
	EBB_CLEANUP(ebb_s3_call_release) struct ebb_s3_call call = {0};
	struct ebb_store_s3_object o;
	struct ebb_store_s3_meta m;
	int64_t expires;

	ebb_s3_call_init(&call, EBB_S3_HEAD, "HEAD", "key");
	ebb_buf_init(&call.http.header, 1 << 20);
	if (ebb_buf_add(&call.http.header, data, size) < 0)
		abort();
	(void)ebb_s3_admin_restored_of(&call, &expires);
	int r = ebb_store_s3_object(&call, "key", &o, &err);
	if (r < 0 && !*err.msg)
		abort();
	if (r == 0) {
		if (o.rec.f[EBB_F_SIZE] < 0 || !memchr(o.etag, 0, sizeof(o.etag)) || !memchr(o.class, 0, sizeof(o.class)))
			abort();
		o.tags = 0; /* they would be asked for */
		r = ebb_store_s3_meta_read(NULL, "key", &call, &o, &m, &err);
		if (r == 0)
			send(&m);
		else if (!*err.msg)
			abort();
		ebb_meta_release(&m.m);
	}
}

static void lifecycle(const uint8_t *data, size_t size)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf out = EBB_BUF_INIT(1 << 24);

	if (ebb_s3_admin_lifecycle_form((const char *)data, size, &out, &err) < 0 && !*err.msg)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	err = (struct ebb_err){0};
	if (size > 1 && size < 1 << 20)
		(data[0] & 1 ? lifecycle : header)(data + 1, size - 1);
	return 0;
}
