/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_customer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compress/digest.h"
#include "core/base64.h"
#include "core/secret.h"

#define KEY_BYTES 32
#define TEXT_MAX 256		/* of a key in a file, white space included */

#define PREFIX "x-amz-server-side-encryption-customer-"
#define SOURCE "x-amz-copy-source-server-side-encryption-customer-"

struct ebb_s3_customer {
	struct ebb_secret *key;	/* base64 */
	struct ebb_buf md5;	/* base64 */
};

static int read_file(const char *path, char text[TEXT_MAX], struct ebb_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_MAX - 1);
	int e = errno;

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return ebb_err_sys(err, e, "cannot read the encryption key in '%s'", path);
	text[n] = '\0';
	text[strcspn(text, " \t\r\n")] = '\0';
	return 0;
}

static int read_source(const char *source, char text[TEXT_MAX], struct ebb_err *err)
{
	if (strncmp(source, "file:", 5) == 0)
		return read_file(source + 5, text, err);
	if (strncmp(source, "env:", 4) != 0)
		return ebb_err_set(err, EBB_ECONFIG, "'sse_key' of 'sse: customer' is env:NAME or file:PATH, never the key itself");
	const char *value = getenv(source + 4);
	if (!value || !*value)
		return ebb_err_set(err, EBB_ECONFIG, "the environment has no %s, where the encryption key should be", source + 4);
	if (strlen(value) >= TEXT_MAX)
		return ebb_err_set(err, EBB_ECONFIG, "%s is longer than a key can be", source + 4);
	memcpy(text, value, strlen(value) + 1);
	return 0;
}

/* Keep the key as text, and the sum that shows the server that it arrived whole. */
static int keep(struct ebb_s3_customer *c, const char *source, const char *text, struct ebb_err *err)
{
	struct ebb_buf key = EBB_BUF_INIT(TEXT_MAX);
	uint8_t sum[16];
	int rc = ebb_base64_decode(&key, text, strlen(text), NULL);

	if (rc < 0 || key.len != KEY_BYTES)
		rc = ebb_err_set(err, EBB_ECONFIG, "%s is no key: 32 bytes in base64 are wanted (openssl rand -base64 32)", source);
	else
		rc = ebb_digest_of(&ebb_digest_md5, key.data, key.len, sum, err);
	if (rc == 0)
		rc = ebb_base64_encode(&c->md5, sum, sizeof(sum), err);
	if (rc == 0 && !(c->key = ebb_secret_new(text, strlen(text))))
		rc = ebb_err_set(err, EBB_ENOMEM, "no memory for an encryption key");
	if (key.data)
		explicit_bzero(key.data, key.len);
	ebb_buf_release(&key);
	return rc;
}

int ebb_s3_customer_open(const char *source, struct ebb_s3_customer **ret, struct ebb_err *err)
{
	struct ebb_s3_customer *c = calloc(1, sizeof(*c));
	char text[TEXT_MAX];

	if (!c)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for an encryption key");
	ebb_buf_init(&c->md5, 64);
	int rc = read_source(source, text, err);
	if (rc == 0)
		rc = keep(c, source, text, err);
	explicit_bzero(text, sizeof(text));
	if (rc < 0)
		ebb_s3_customer_free(c);
	else
		*ret = c;
	return rc;
}

void ebb_s3_customer_free(struct ebb_s3_customer *c)
{
	if (!c)
		return;
	ebb_secret_free(c->key);
	ebb_buf_release(&c->md5);
	free(c);
}

static size_t add(const struct ebb_s3_customer *c, const char *const names[3], struct ebb_sigv4_pair *out)
{
	out[0] = (struct ebb_sigv4_pair){names[0], "AES256"};
	out[1] = (struct ebb_sigv4_pair){names[1], ebb_secret_expose(c->key, NULL)};
	out[2] = (struct ebb_sigv4_pair){names[2], c->md5.data};
	return 3;
}

size_t ebb_s3_customer_headers(const struct ebb_s3_customer *c, const struct ebb_s3_call *call,
			       struct ebb_sigv4_pair out[EBB_S3_CUSTOMER_HEADERS])
{
	static const char *const of_target[] = {PREFIX "algorithm", PREFIX "key", PREFIX "key-md5"};
	static const char *const of_source[] = {SOURCE "algorithm", SOURCE "key", SOURCE "key-md5"};
	size_t n = 0;

	if (!c || !call->key)
		return 0;
	switch (call->op) {
	case EBB_S3_COPY:
	case EBB_S3_UPLOAD_COPY:
		n += add(c, of_source, out);
		/* fall through */
	case EBB_S3_HEAD:
	case EBB_S3_GET:
	case EBB_S3_PUT:
	case EBB_S3_UPLOAD_CREATE:
	case EBB_S3_UPLOAD_PART:
		return n + add(c, of_target, out + n);
	default:
		return 0;
	}
}
