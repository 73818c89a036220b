/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/list_split.h"

#include <string.h>

/* Beginnings asked about at once, and parts where there is no telling how much is left. */
enum { BEGINNINGS = 8, PARTS = 2 };

/* Pages that make a part worth a request. */
enum { PAGES = 3 };

/* Bytes behind the common beginning that count as digits. */
enum { DIGITS = 3 };

size_t ebb_list_split_common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 128;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Where the word that holds byte @at of @key ends, which may be @at itself between words. */
static size_t word_end(const char *key, size_t at)
{
	bool (*is)(uint8_t c) = is_digit((uint8_t)key[at]) ? is_digit : is_letter;

	while (is((uint8_t)key[at]))
		at++;
	return at;
}

/* First byte of a word at or after @at. */
static size_t word_begin(const char *key, size_t at)
{
	while (key[at] && !is_digit((uint8_t)key[at]) && !is_letter((uint8_t)key[at]))
		at++;
	return at;
}

void ebb_list_split_learn(struct ebb_list_split_seen *seen, const char *a, const char *b)
{
	size_t n = ebb_list_split_common(a, b), word = 0;

	seen->byte[(uint8_t)a[n]] |= a[n] != 0;
	seen->byte[(uint8_t)b[n]] |= b[n] != 0;
	if (!a[n])
		return; /* a beginning tells of no word behind it */
	for (size_t at = word_begin(b, 0); b[at]; at = word_begin(b, word_end(b, at))) {
		if (word_end(b, at) > n || word == EBB_LIST_SPLIT_WORDS - 1)
			break;
		word++;
	}
	seen->word[word] = true;
}

/* --- Digits ---------------------------------------------------------------------------------------------- */

struct digits {
	uint8_t byte[128];	/* ascending */
	int n;
};

static void add_class(bool *in, char from, char to, uint8_t c)
{
	if (c >= from && c <= to)
		for (int i = from; i <= to; i++)
			in[i] = true;
}

/* What varied, and the class of the byte at hand; of characters beyond ASCII nothing is guessed. */
static void digits_of(const struct ebb_list_split_seen *seen, uint8_t c, struct digits *ret)
{
	bool in[128];

	memcpy(in, seen->byte, sizeof(in));
	if (c < 128)
		in[c] = true;
	add_class(in, '0', '9', c);
	add_class(in, 'a', 'z', c);
	add_class(in, 'A', 'Z', c);
	ret->n = 0;
	for (int i = 1; i < 128; i++)
		if (in[i])
			ret->byte[ret->n++] = (uint8_t)i;
}

/* Number of digits less than @c. */
static int64_t digit(const struct digits *d, uint8_t c)
{
	int i = 0;

	while (i < d->n && d->byte[i] < c)
		i++;
	return i;
}

static int64_t power(const struct digits *d, int n)
{
	return n ? d->n * power(d, n - 1) : 1;
}

/* Bytes of @key at @at that count: of a number no more than it has, since what follows it is alike behind all numbers. */
static int width(const char *key, size_t at)
{
	size_t n = is_digit((uint8_t)key[at]) ? word_end(key, at) - at : DIGITS;

	return n < DIGITS ? (int)n : DIGITS;
}

/* @width bytes of @key from @at on as a number. */
static int64_t number(const struct digits *d, const char *key, size_t at, int width)
{
	int64_t v = 0;

	for (int i = 0; i < width; i++) {
		v = v * d->n + (key[at] ? digit(d, (uint8_t)key[at]) : 0);
		at += key[at] != 0;
	}
	return v;
}

/* --- Cuts ------------------------------------------------------------------------------------------------ */

/* Collects cuts that lie where they must, in order. */
struct cuts {
	const struct ebb_list_split *s;
	char (*at)[EBB_LIST_SPLIT_MAX];
	size_t n, max;
};

/* Whether no likely key lies between two cuts: @a is behind all that begins like this, @b before all that begins with the next byte. */
static bool same_place(const char *a, const char *b)
{
	size_t n = strlen(b);

	return strlen(a) >= n && strncmp(a, b, n - 1) == 0 && (uint8_t)a[n - 1] + 1 == (uint8_t)b[n - 1] &&
	       strcmp(a + n, EBB_LIST_SPLIT_LAST) == 0;
}

static void add(struct cuts *c, const char *head, size_t len, const char *tail)
{
	char cut[EBB_LIST_SPLIT_MAX];
	size_t tail_len = strlen(tail), i = c->n;

	if (c->n == c->max || len + tail_len >= sizeof(cut))
		return;
	memcpy(cut, head, len);
	memcpy(cut + len, tail, tail_len + 1);
	if (strcmp(cut, c->s->last) <= 0 || (c->s->end && strcmp(cut, c->s->end) >= 0))
		return;
	while (i > 0 && strcmp(c->at[i - 1], cut) > 0)
		i--;
	if (i > 0 && (strcmp(c->at[i - 1], cut) == 0 || same_place(c->at[i - 1], cut)))
		return;
	memmove(c->at[i + 1], c->at[i], (c->n - i) * sizeof(*c->at));
	strcpy(c->at[i], cut);
	c->n++;
}

/*
 * Lengths, greater than @all and less than @page, at which beginnings of the last key may end: behind words that vary, and within a
 * word that the page divides. While nothing is known of the end, also behind other words, when none varies: letters that follow a
 * number are most often a name that stays.
 */
static size_t ends(const struct ebb_list_split *s, size_t all, size_t page, size_t *ret, size_t max)
{
	size_t word = 0, n = 0, end;
	bool vary = false, number = false;

	for (size_t at = word_begin(s->last, 0); s->last[at] && at < page && n < max; at = word_begin(s->last, end)) {
		end = word_end(s->last, at);
		for (size_t i = at + 1; end > page && i < page && n < max; i++)
			if (i > all && ((uint8_t)s->last[i] & 0xc0) != 0x80)
				ret[n++] = i;
		bool varies = s->words->word[word];
		bool may = !vary && !s->end && (!number || is_digit((uint8_t)s->last[at]));
		if (end > all && end < page && (varies || may)) {
			if (varies && !vary)
				n = 0;
			vary |= varies;
			ret[n++] = end;
		}
		number |= is_digit((uint8_t)s->last[at]);
		word += word < EBB_LIST_SPLIT_WORDS - 1;
	}
	return n;
}

static bool cut_beginnings(struct cuts *c, size_t all, size_t page)
{
	size_t at[64], n = ends(c->s, all, page, at, sizeof(at) / sizeof(*at)), before = c->n;
	size_t cuts = n < BEGINNINGS ? n : BEGINNINGS;

	for (size_t i = 1; i <= cuts; i++)
		add(c, c->s->last, at[n * i / (cuts + 1)], EBB_LIST_SPLIT_LAST);
	return c->n > before;
}

/* Equal parts of what is left where keys differ, at @at; up to the end of the range, or of what begins as the last key does. */
static void cut_parts(struct cuts *c, size_t at, bool to_end, size_t max)
{
	const struct ebb_list_split *s = c->s;
	uint8_t low = (uint8_t)s->last[at], high = to_end && s->end ? (uint8_t)s->end[at] : 0;
	struct digits d;

	if (low >= 128)
		return;
	digits_of(s->bytes, low, &d);
	if (d.n < 2)
		return;
	int w = width(s->last, at);
	int64_t from = number(&d, s->last, at, w), unit = power(&d, w - 1);
	int64_t to = high && high < 128 ? number(&d, s->end, at, w) : d.n * unit;
	int64_t seen = from - (strncmp(s->first, s->last, at) == 0 ? number(&d, s->first, at, w) : 0);
	int64_t parts = seen > 0 ? (to - from) / seen / PAGES : PARTS;

	if (parts > (int64_t)max)
		parts = (int64_t)max;
	for (int64_t i = 1; i <= parts; i++) {
		int64_t v = from + (to - from) * i / (parts + 1);
		char tail[DIGITS + 1] = {0};

		for (int k = w; k-- > 0; v /= d.n)
			tail[k] = (char)d.byte[v % d.n];
		add(c, s->last, at, tail);
	}
}

size_t ebb_list_split(const struct ebb_list_split *s, size_t max, char (*ret)[EBB_LIST_SPLIT_MAX])
{
	struct cuts c = {.s = s, .at = ret, .max = max};
	size_t all = s->end ? ebb_list_split_common(s->last, s->end) : 0;
	size_t page = ebb_list_split_common(s->first, s->last);

	/* where keys are known to differ: in the page, or because the range began so */
	size_t began = *s->begin ? ebb_list_split_common(s->begin, s->first) : SIZE_MAX;

	if (began != SIZE_MAX && !s->begin[began])
		began--; /* a part began there: the byte before is the one that was counted */
	bool in_page = page <= all, differ = in_page || (began >= all && began < page);

	if (!(page > all && cut_beginnings(&c, all, page)) && !differ)
		add(&c, s->last, page, EBB_LIST_SPLIT_LAST);
	if (differ)
		cut_parts(&c, in_page ? all : began, in_page || began == all, max - c.n);
	return c.n;
}
