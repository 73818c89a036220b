/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/cost.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "core/err.h"
#include "core/mem.h"
#include "core/units.h"
#include "policies/cost_cpu.h"
#include "policies/cost_move.h"
#include "policies/cost_requests.h"
#include "policies/cost_retention.h"

/* What a member of a pack takes beside its content: header, marker, row of the index. */
#define MEMBER 512

/*
 * keep_key: requests that look at an object, its encoded form, their access lists and tags, and that put both back after the copy, at most; from so
 * many bytes on it goes up in parts.
 */
#define LOOKS 48
#define PUT_BACK 4
#define IN_PARTS (INT64_C(16) << 20)

/* Bytes of one request when a pack is read back (EBB_PACK_READ). */
#define PIECE (INT64_C(8) << 20)

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
static int64_t shrunk(const struct ebb_record *r, const struct ebb_shrink_kind *known)
{
	int64_t ratio = known ? known->permille : ebb_cost_compressed(r->key, r->key_len), size = r->f[EBB_F_SIZE];
	int64_t left = size / 1000 * ratio + (size % 1000 * ratio + 999) / 1000;

	return left < held(r) ? left : held(r);
}

/* When what went into the trash is free. */
static void tell_trash(const struct ebb_cost_ends *ends, const struct ebb_action *a, struct ebb_buf *why)
{
	char text[EBB_UNITS_TEXT];

	if (ends->hidden == EBB_COST_HIDDEN_FOR_GOOD) {
		ebb_buf_adds(why, "; frees nothing: it stays as a noncurrent version, billed as before, which nobody removes without a second "
				  "factor (MFA Delete)");
		return;
	}
	if (ends->hidden)
		ebb_buf_adds(why, "; stays as a noncurrent version, billed as before");
	ebb_buf_addf(why, "; saves once the trash expires after %s", ebb_units_exact_duration(a->trash_ns, text));
}

/* Bytes freed at the source, bytes written to the destination or beside the object. */
static int64_t count_bytes(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_buf *why)
{
	const struct ebb_record *r = a->obj;
	const struct ebb_shrink_kind *known = ends->shrink;
	char text[EBB_UNITS_TEXT], more[EBB_UNITS_TEXT];
	int64_t there = held(r) > r->f[EBB_F_SIZE] ? held(r) : r->f[EBB_F_SIZE];

	a->wire = 0;
	a->freed = held(r);
	switch (a->id) {
	case EBB_ACTION_TIER:
		if (a->verify == EBB_ACTION_SIZE)
			ebb_buf_adds(why, "; of the copy nothing but its size is checked before the original goes");
		a->wire = a->to_store ? r->f[EBB_F_SIZE] : 0;
		return there;
	case EBB_ACTION_ARCHIVE:
		a->wire = r->f[EBB_F_SIZE];
		return r->f[EBB_F_SIZE] + MEMBER;
	case EBB_ACTION_COMPRESS:
		there = shrunk(r, known);
		a->freed = held(r) - there;
		ebb_buf_addf(why, "; about %s expected to be freed of %s",
			     ebb_units_format_bytes(a->freed, text),
			     ebb_units_format_bytes(held(r), more));
		if (a->keep_key)
			ebb_buf_adds(why, ", under its own key (Content-Encoding: zstd)");
		if (known)
			ebb_buf_addf(why, ", by %d samples: %d.%d %% +- %d.%d is left of such objects", known->samples, known->permille / 10,
				     known->permille % 10, known->margin / 10, known->margin % 10);
		return there;
	case EBB_ACTION_DELETE:
		if (r->f[EBB_F_NLINK] > 1) {
			a->freed = 0;
			ebb_buf_adds(why, "; frees nothing: the file has other names");
		}
		if (a->with)
			ebb_buf_addf(why, "; a copy stays at %s:%.*s", a->with_store, (int)a->with->key_len, a->with->key);
		if (a->purge) {
			ebb_buf_adds(why, "; cannot be undone");
		} else if (r->f[EBB_F_NLINK] <= 1) {
			tell_trash(ends, a, why);
		}
		if (ends->hidden == EBB_COST_HIDDEN_FOR_GOOD)
			a->freed = 0;
		return 0;
	case EBB_ACTION_DEDUP:
		ebb_buf_addf(why, "; the same as %s:%.*s, which stays", a->with_store,
			     (int)a->with->key_len, a->with->key);
		if (a->how != EBB_ACTION_REFLINK)
			tell_trash(ends, a, why);
		return 0;
	default:
		a->freed = 0;
		return 0;
	}
}

/* Takes no room anywhere afterwards. */
static bool vanishes(const struct ebb_action *a)
{
	return a->id == EBB_ACTION_DELETE || a->id == EBB_ACTION_DEDUP;
}

/* Both copies are read before one goes. */
static bool compares(const struct ebb_action *a)
{
	return a->id == EBB_ACTION_DEDUP && a->how != EBB_ACTION_REFLINK;
}

/*
 * Reading where a provider bills it. Between stores the bytes of both pay their way to the other: nobody knows beside which of them ebb
 * runs, and an estimate may be too high but not too low.
 */
static void fill_compare(const struct ebb_cost_ends *ends, const struct ebb_action *a, struct ebb_bill *b)
{
	const struct ebb_price_class *class[] = {ends->from, ends->with};
	int64_t size = a->obj->f[EBB_F_SIZE];

	for (size_t i = 0; i < EBB_ARRAY_LEN(class); i++) {
		if (!class[i] || !*class[i]->provider)
			continue;
		ebb_cost_retrieval(b, EBB_BILL_ONCE, class[i], ebb_cost_load(1, size), 1000000, EBB_COST_THAW);
		if (strcmp(a->store, a->with_store) != 0 && ends->apart[i])
			ebb_bill_add(b, EBB_BILL_ONCE, "egress", class[i], ends->apart[i], size, 1);
	}
}

/* The original is read a second time, to be compared byte by byte. */
static void fill_again(const struct ebb_cost_ends *ends, const struct ebb_action *a, const struct ebb_cost_move *m, struct ebb_bill *b)
{
	ebb_cost_retrieval(b, EBB_BILL_ONCE, ends->from, m->load, 1000000, m->thaw);
	if (m->egress)
		ebb_bill_add(b, EBB_BILL_ONCE, "egress", ends->from, m->egress, a->obj->f[EBB_F_SIZE], 1);
}

/* What is written into before it goes to its class. */
static const struct ebb_price_class *plain_of(const struct ebb_price_class *c)
{
	return c->standard ? c->standard : c;
}

/* Is the copy that @a makes read again before its original goes? By its level, and what the other store compares by itself. */
static bool reads_back(const struct ebb_cost_ends *ends, const struct ebb_action *a)
{
	if (a->id == EBB_ACTION_COMPRESS || a->id == EBB_ACTION_ARCHIVE)
		return true;
	return a->id == EBB_ACTION_TIER && a->to_store && a->verify != EBB_ACTION_SIZE && !(a->verify == EBB_ACTION_CHECKSUM && ends->checked);
}

/* The copy of @bytes is read again, to be shown. Where the other store is nobody's but ours that costs nothing. */
static void fill_back(const struct ebb_cost_ends *ends, const struct ebb_action *a, int64_t bytes, struct ebb_bill *b)
{
	if (!reads_back(ends, a) || !*ends->to->provider)
		return;
	ebb_cost_retrieval(b, EBB_BILL_ONCE, ends->to->offline ? plain_of(ends->to) : ends->to, ebb_cost_load(1, bytes), 1000000, EBB_COST_THAW);
	if (a->to_store && strcmp(a->to_store, a->store) != 0)
		ebb_bill_add(b, EBB_BILL_ONCE, "egress", ends->to, ends->back, bytes, 1);
}

/* Millionths of reads a month that evidence counted, were they to go on; 0: none, or nothing is known for a day at least. */
static int64_t reads_a_month(const struct ebb_cost_ends *ends, const struct ebb_record *r)
{
	const int64_t day = INT64_C(86400) * 1000000000;
	int64_t until = ebb_record_has(r, EBB_F_UNTIL) ? r->f[EBB_F_UNTIL] : ends->now, span;

	if (!ends->now || !ebb_record_has(r, EBB_F_READS) || !ebb_record_has(r, EBB_F_WINDOW) ||
	    __builtin_sub_overflow(until, r->f[EBB_F_WINDOW], &span) || span < day)
		return 0;
	__int128 n = (__int128)r->f[EBB_F_READS] * 1000000 * 30 * day / span;
	return n > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)n;
}

/* The processor, now and at later reads, and how many bytes these fetch. */
static void fill_codec(const struct ebb_cost_ends *ends, const struct ebb_action *a, int64_t there,
		       struct ebb_bill *b)
{
	int64_t size = a->obj->f[EBB_F_SIZE], reads = reads_a_month(ends, a->obj);
	int64_t decode = ebb_cost_cpu_decode(a->codec, size);
	int64_t us = ebb_cost_cpu_encode(a->codec, a->level, a->window > 0, size) + decode;

	if (ends->cpu)
		ebb_bill_add(b, EBB_BILL_ONCE, "processor", NULL, ends->cpu, us, 1000000);
	if (!reads || a->freed <= 0)
		return;
	ebb_cost_retrieval(b, EBB_BILL_BEFORE, ends->from, ebb_cost_load(1, size), reads, EBB_COST_THAW);
	ebb_cost_retrieval(b, EBB_BILL_AFTER, ends->to, ebb_cost_load(1, there), reads, EBB_COST_THAW);
	if (ends->cpu)
		ebb_bill_add(b, EBB_BILL_AFTER, "processor", NULL, ends->cpu, (__int128)decode * reads,
			     INT64_C(1000000) * 1000000);
}

/*
 * Under its own key: the encoded form is written into the plain class first, looked at, and copied, which is the write that every
 * compression pays. A large one has a tag that a copy in one piece does not have, so both are read to be compared.
 */
static void fill_in_place(const struct ebb_cost_ends *ends, int64_t there, struct ebb_bill *b)
{
	const struct ebb_price_class *plain = plain_of(ends->to);
	const struct ebb_cost_load staged = ebb_cost_load(1, there);

	ebb_cost_requests_write(b, EBB_BILL_ONCE, plain, staged);
	ebb_bill_add(b, EBB_BILL_ONCE, "looks", plain, &plain->item[EBB_PRICE_GET], LOOKS, 1);
	ebb_bill_add(b, EBB_BILL_ONCE, "access lists and tags", plain, &plain->item[EBB_PRICE_PUT], PUT_BACK, 1);
	if (there < IN_PARTS)
		return;
	ebb_bill_add(b, EBB_BILL_ONCE, "parts", plain, &plain->item[EBB_PRICE_PUT], there / IN_PARTS + 2, 1);
	ebb_cost_retrieval(b, EBB_BILL_ONCE, plain, staged, 1000000, EBB_COST_THAW);
	ebb_cost_retrieval(b, EBB_BILL_ONCE, ends->to, staged, 1000000, EBB_COST_THAW);
}

/* What is paid once, and each month before and after, for @there bytes at the destination. */
static void fill_bill(const struct ebb_cost_ends *ends, const struct ebb_action *a, int64_t there,
		      struct ebb_bill *b)
{
	bool away = a->to_store != NULL;
	/* Providers bill bytes, not blocks. */
	bool bytes = ends->to && *ends->to->provider && a->id == EBB_ACTION_TIER;
	struct ebb_cost_move m = {
		.from = ends->from,
		.to = vanishes(a) ? NULL : ends->to,
		.load = ebb_cost_load(1, a->id == EBB_ACTION_COMPRESS ? held(a->obj) : a->freed),
		.age_ns = ends->age_ns,
		.thaw = EBB_COST_THAW,
		.egress = away ? ends->egress : NULL,
		.written = a->id == EBB_ACTION_COMPRESS ? there : 0,
	};

	/* What frees nothing costs nothing. */
	m.load.objects = a->freed > 0;
	m.rewritten = away || a->id == EBB_ACTION_COMPRESS;
	ebb_cost_move(b, &m);
	/* what would sleep is written into the plain class, and put to sleep by a second write when its original is gone */
	if (m.rewritten && m.to && m.to->offline && !a->keep_key)
		ebb_cost_requests_write(b, EBB_BILL_ONCE, plain_of(m.to), ebb_cost_load(m.load.objects, a->obj->f[EBB_F_SIZE]));
	if (compares(a))
		fill_compare(ends, a, b);
	if (a->verify == EBB_ACTION_BYTES)
		fill_again(ends, a, &m, b);
	fill_back(ends, a, a->id == EBB_ACTION_COMPRESS ? there : a->obj->f[EBB_F_SIZE], b);
	if (a->id == EBB_ACTION_COMPRESS)
		fill_codec(ends, a, there, b);
	if (a->keep_key && a->freed > 0)
		fill_in_place(ends, there, b);
	ebb_cost_storage(b, EBB_BILL_BEFORE, m.from, m.load, EBB_COST_MONTH);
	if (m.to)
		ebb_cost_storage(b, EBB_BILL_AFTER, m.to,
				 ebb_cost_load(m.load.objects, bytes ? a->obj->f[EBB_F_SIZE] : there),
				 EBB_COST_MONTH);
}

void ebb_cost_proof(struct ebb_bill *b, const struct ebb_price_class *to, int64_t packs, int64_t bytes)
{
	const struct ebb_price_class *plain = plain_of(to);

	if (!*plain->provider)
		return;
	ebb_bill_add(b, EBB_BILL_ONCE, "reading requests", plain, &plain->item[EBB_PRICE_GET], bytes, PIECE);
	ebb_bill_add(b, EBB_BILL_ONCE, "bytes retrieved", plain, &plain->item[EBB_PRICE_RETRIEVAL], bytes, 1);
	/* the end of each, and its last piece */
	ebb_bill_add(b, EBB_BILL_ONCE, "reading requests", plain, &plain->item[EBB_PRICE_GET], packs * 2, 1);
}

/* A member of a pack: read one by one, written and kept as bytes of something larger. */
static void fill_member(const struct ebb_cost_ends *ends, const struct ebb_action *a, int64_t there,
			struct ebb_bill *b)
{
	struct ebb_cost_load one = ebb_cost_load(1, a->freed), packed = {0, there};

	ebb_cost_retention(b, EBB_BILL_ONCE, ends->from, one, ends->age_ns, false);
	ebb_cost_retrieval(b, EBB_BILL_ONCE, ends->from, one, 1000000, EBB_COST_THAW);
	ebb_bill_add(b, EBB_BILL_ONCE, "egress", ends->from, ends->egress, there, 1);
	ebb_cost_requests_write(b, EBB_BILL_ONCE, ends->to, packed);
	ebb_cost_proof(b, ends->to, 0, there);
	if (strcmp(a->to_store, a->store) != 0 && *ends->to->provider)
		ebb_bill_add(b, EBB_BILL_ONCE, "egress", ends->to, ends->back, there, 1);
	ebb_cost_storage(b, EBB_BILL_BEFORE, ends->from, one, EBB_COST_MONTH);
	ebb_cost_storage(b, EBB_BILL_AFTER, ends->to, packed, EBB_COST_MONTH);
}

int ebb_cost_pack(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_err *err)
{
	const struct ebb_cost_load pack = {1, 0};
	struct ebb_money once, month;
	struct ebb_bill b;
	int r;

	ebb_bill_clear(&b);
	/* written into the plain class and looked at there, before it goes where it is to stay */
	ebb_cost_requests_write(&b, EBB_BILL_ONCE, plain_of(ends->to), pack);
	ebb_cost_proof(&b, ends->to, 1, 0);
	ebb_cost_requests_transition(&b, EBB_BILL_ONCE, ends->to, 1);
	ebb_cost_storage(&b, EBB_BILL_AFTER, ends->to, pack, EBB_COST_MONTH);
	if (b.missing) {
		a->priced = false;
		a->one_off = a->saving = (struct ebb_money){0};
		return 0;
	}
	r = ebb_bill_money(ebb_bill_sum(&b, EBB_BILL_ONCE), ends->currency, &once, err);
	if (r == 0)
		r = ebb_bill_money(ebb_bill_sum(&b, EBB_BILL_AFTER), ends->currency, &month, err);
	if (r == 0)
		r = ebb_money_add(a->one_off, once, &a->one_off, err);
	return r < 0 ? r : ebb_money_sub(a->saving, month, &a->saving, err);
}

/* What has no price, before there is a bill: an end, or the way; NULL: all have. */
static const char *unpriced(const struct ebb_cost_ends *ends, const struct ebb_action *a)
{
	if (!ends->from)
		return "the class that it is in";
	if (!vanishes(a) && !ends->to)
		return "the class that it would be in";
	if (compares(a) && !ends->with)
		return "the class of the copy that stays";
	if (compares(a) && (!ends->apart[0] || !ends->apart[1]))
		return "the way between both copies";
	return a->to_store && !ends->egress ? "the way to the other store" : NULL;
}

/* Say in the reasons what stands in the way of a price. */
static void tell_missing(const struct ebb_bill *b, const char *what, struct ebb_buf *why)
{
	ebb_buf_addf(why, "; unpriced: no price for %s", what);
	if (b->missing_class)
		ebb_buf_addf(why, " of %s", b->missing_class->name);
}

/*
 * Name a figure that is not sure where it decides. That a site's own book is a sample is told once
 * for a plan, not with every object.
 */
static void tell_doubt(const struct ebb_bill *b, struct ebb_buf *why)
{
	const struct ebb_bill_line *l = ebb_bill_doubtful(b);

	if (l && l->figure->confidence >= EBB_PRICE_SAMPLE && l->class && *l->class->provider)
		ebb_buf_addf(why, "; not sure (%s): the price of %s in %s",
			     ebb_price_confidence_name(l->figure->confidence), l->what,
			     l->class->name);
}

/* Sides of a bill become the amounts of an action. */
static int settle(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_bill *bill,
		  const char *missing, struct ebb_buf *why, struct ebb_err *err)
{
	struct ebb_money once, before, after;
	int r;

	a->priced = false;
	a->one_off = a->saving = (struct ebb_money){0};
	if (missing) {
		tell_missing(bill, missing, why);
		return 0;
	}
	r = ebb_bill_money(ebb_bill_sum(bill, EBB_BILL_ONCE), ends->currency, &once, err);
	if (r == 0)
		r = ebb_bill_money(ebb_bill_sum(bill, EBB_BILL_BEFORE), ends->currency, &before, err);
	if (r == 0)
		r = ebb_bill_money(ebb_bill_sum(bill, EBB_BILL_AFTER), ends->currency, &after, err);
	if (r == 0)
		r = ebb_money_sub(before, after, &a->saving, err);
	if (r < 0)
		return r;
	a->one_off = once;
	a->priced = true;
	tell_doubt(bill, why);
	return 0;
}

int ebb_cost_strike(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_bill *bill,
		    struct ebb_buf *why, struct ebb_err *err)
{
	char text[EBB_UNITS_TEXT];

	ebb_bill_clear(bill);
	a->wire = 0;
	ebb_buf_addf(why, "; in a pack: saves once the trash expires after %s and the pack is packed anew",
		     ebb_units_exact_duration(a->trash_ns, text));
	if (!ends->from || !ends->to)
		return settle(ends, a, bill, ends->from ? "the class that is written into" : "the class that it is in", why, err);
	ebb_cost_requests_write(bill, EBB_BILL_ONCE, ends->to, ebb_cost_load(1, 0));
	ebb_cost_storage(bill, EBB_BILL_BEFORE, ends->from, (struct ebb_cost_load){0, a->freed}, EBB_COST_MONTH);
	return settle(ends, a, bill, bill->missing, why, err);
}

int ebb_cost_repack(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_bill *bill,
		    struct ebb_buf *why, struct ebb_err *err)
{
	int64_t size = a->obj->f[EBB_F_SIZE], left = size > a->freed ? size - a->freed : 0;
	struct ebb_cost_load all = ebb_cost_load(1, size), rest = ebb_cost_load(1, left);

	ebb_bill_clear(bill);
	a->wire = a->to_store ? left : 0;
	if (!ends->from)
		return settle(ends, a, bill, "the class that it is in", why, err);
	ebb_cost_retention(bill, EBB_BILL_ONCE, ends->from, all, ends->age_ns, false);
	ebb_cost_storage(bill, EBB_BILL_BEFORE, ends->from, all, EBB_COST_MONTH);
	if (a->to_store) {
		ebb_cost_retrieval(bill, EBB_BILL_ONCE, ends->from, all, 1000000, EBB_COST_THAW);
		ebb_cost_requests_write(bill, EBB_BILL_ONCE, plain_of(ends->from), rest);
		ebb_cost_proof(bill, ends->from, 1, left);
		ebb_cost_requests_transition(bill, EBB_BILL_ONCE, ends->from, 1);
		ebb_cost_storage(bill, EBB_BILL_AFTER, ends->from, rest, EBB_COST_MONTH);
	}
	return settle(ends, a, bill, bill->missing, why, err);
}

int ebb_cost_action(const struct ebb_cost_ends *ends, struct ebb_action *a, struct ebb_bill *bill,
		    struct ebb_buf *why, struct ebb_err *err)
{
	int64_t there = count_bytes(ends, a, why);
	const char *missing = unpriced(ends, a);

	ebb_bill_clear(bill);
	if (!missing) {
		if (a->id == EBB_ACTION_ARCHIVE)
			fill_member(ends, a, there, bill);
		else
			fill_bill(ends, a, there, bill);
		missing = bill->missing;
	}
	return settle(ends, a, bill, missing, why, err);
}
