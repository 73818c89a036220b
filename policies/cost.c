/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/cost.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/units.h"

#define RATIO_TEXT 350
#define RATIO_TENSOR 800
#define RATIO_UNKNOWN 600

static const char *const text_like[] = {
	"txt",  "log", "csv",   "tsv", "json",  "jsonl", "ndjson", "xml", "html",
	"yaml", "yml", "md",    "sql", "out",   "err",   "py",     "c",   "h",
	"vcf",  "sam", "fasta", "fa",  "fastq", "fq",    "ipynb",  "svg",
};

static const char *const compressed[] = {
	"zst", "lz4",  "gz",  "tgz",  "bz2",     "xz",  "zip",  "7z",   "rar",  "br",   "sz",
	"jpg", "jpeg", "png", "webp", "heic",    "gif", "mp3",  "mp4",  "m4a",  "mkv",  "mov",
	"avi", "webm", "ogg", "flac", "parquet", "orc", "avif", "docx", "xlsx", "pptx", "odt",
	"jar", "whl",  "apk", "deb",  "rpm",     "bam", "cram", "npz",  "ebbt",
};

static const char *const tensors[] = {"safetensors", "gguf", "npy"};

static bool ends_with_ext(const char *key, size_t len, const char *ext)
{
	size_t n = strlen(ext);

	return len > n + 1 && key[len - n - 1] == '.' && strncasecmp(key + len - n, ext, n) == 0;
}

int ebb_cost_compressed(const char *key, size_t len)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(compressed); i++)
		if (ends_with_ext(key, len, compressed[i]))
			return EBB_COST_POINTLESS;
	for (size_t i = 0; i < EBB_ARRAY_LEN(text_like); i++)
		if (ends_with_ext(key, len, text_like[i]))
			return RATIO_TEXT;
	for (size_t i = 0; i < EBB_ARRAY_LEN(tensors); i++)
		if (ends_with_ext(key, len, tensors[i]))
			return RATIO_TENSOR;
	return RATIO_UNKNOWN;
}

/* Bytes the object takes where it is. */
static int64_t held(const struct ebb_record *r)
{
	return ebb_record_has(r, EBB_F_ALLOC) ? r->f[EBB_F_ALLOC] : r->f[EBB_F_SIZE];
}

/* Estimated bytes after compression: rounded up, and never more than before. */
static int64_t shrunk(const struct ebb_record *r)
{
	int64_t ratio = ebb_cost_compressed(r->key, r->key_len), size = r->f[EBB_F_SIZE];
	int64_t left = size / 1000 * ratio + (size % 1000 * ratio + 999) / 1000;

	return left < held(r) ? left : held(r);
}

/* Bytes freed at the source, bytes written to the destination or beside the object. */
static int64_t count_bytes(struct ebb_action *a, struct ebb_buf *why)
{
	const struct ebb_record *r = a->obj;
	char text[EBB_UNITS_TEXT], more[EBB_UNITS_TEXT];
	int64_t there = held(r) > r->f[EBB_F_SIZE] ? held(r) : r->f[EBB_F_SIZE];

	a->wire = 0;
	a->freed = held(r);
	switch (a->id) {
	case EBB_ACTION_TIER:
		a->wire = r->f[EBB_F_SIZE];
		return there;
	case EBB_ACTION_COMPRESS:
		a->freed = held(r) - shrunk(r);
		ebb_buf_addf(why, "; about %s expected to be freed of %s",
			     ebb_units_format_bytes(a->freed, text),
			     ebb_units_format_bytes(held(r), more));
		return 0;
	case EBB_ACTION_DELETE:
		if (r->f[EBB_F_NLINK] > 1) {
			a->freed = 0;
			ebb_buf_adds(why, "; frees nothing: the file has other names");
		}
		if (a->purge) {
			ebb_buf_adds(why, "; cannot be undone");
		} else if (r->f[EBB_F_NLINK] <= 1) {
			ebb_buf_addf(why, "; saves once the trash expires after %s",
				     ebb_units_exact_duration(a->trash_ns, text));
		}
		return 0;
	default:
		a->freed = 0;
		return 0;
	}
}

int ebb_cost_action(const struct ebb_price_books *prices, const char *from, const char *to,
		    struct ebb_action *a, struct ebb_buf *why, struct ebb_err *err)
{
	struct ebb_money before = {0}, after = {0};
	int64_t there = count_bytes(a, why);
	int r = ebb_price_storage(prices, from, a->freed, &before, err);

	a->priced = false;
	a->one_off = a->saving = (struct ebb_money){0};
	if (r <= 0)
		return r;
	if (a->id == EBB_ACTION_TIER) {
		r = ebb_price_storage(prices, to, there, &after, err);
		if (r <= 0)
			return r;
	}
	r = ebb_money_sub(before, after, &a->saving, err);
	if (r < 0)
		return r;
	memcpy(a->one_off.currency, a->saving.currency, sizeof(a->one_off.currency));
	a->priced = true;
	return 0;
}
