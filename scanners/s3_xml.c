/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/s3_xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#define DOC_MAX ((size_t)1 << 30)
#define NAME_MAX_LEN 64	/* longest element name that is told apart; longer ones are unknown anyway */

/*
 * XML 1.0 has no control characters but tab and newlines, not even as references. Those that stores send anyway are parsed as the 32
 * noncharacters from U+FDD0 on (UTF-8: EF B7 90 to EF B7 AF), which are allowed in XML and in no text, and turned back after.
 */
#define STAND_IN 0xfdd0u

struct parse {
	XML_Parser parser;
	bool mapped;		/* the document has stand-ins */
	const struct ebb_s3_xml_events *events;
	struct ebb_buf text;
	char names[EBB_S3_XML_DEPTH + 1][NAME_MAX_LEN];	/* names[0] is "", the parent of the root */
	unsigned depth;		/* open elements */
	bool leaf;		/* the innermost has had no child */
	int rc;			/* what ends the parse */
	struct ebb_err err;
};

static void stop(struct parse *p, int rc)
{
	p->rc = rc;
	XML_StopParser(p->parser, XML_FALSE);
}

/* The number of a reference at @p ("&#x1;"), 0 for anything else; its length to @ret_len. */
static unsigned reference(const char *p, size_t len, size_t *ret_len)
{
	char text[10] = "", *end;
	size_t n = 2;

	while (n < len && n < sizeof(text) - 1 && p[n] != ';')
		n++;
	if (n >= len || p[n] != ';' || p[1] != '#')
		return 0;
	memcpy(text, p + 2, n - 2);
	bool hex = text[0] == 'x';
	unsigned long value = strtoul(text + hex, &end, hex ? 16 : 10);
	*ret_len = n + 1;
	return *end || value > 0xffff ? 0 : (unsigned)value;
}

/* Write stand-ins for what is not XML into @out, which stays empty when there is nothing of the kind. */
static int map(const char *p, size_t len, struct ebb_buf *out)
{
	const char *end = p + len, *copied = p;
	int rc = 0;

	for (const char *amp; rc == 0 && (amp = memchr(p, '&', (size_t)(end - p))); p = amp + 1) {
		size_t n = 0;
		unsigned c = end - amp > 3 ? reference(amp, (size_t)(end - amp), &n) : 0;

		if (c == 0 || c >= 32 || c == '\t' || c == '\n' || c == '\r')
			continue;
		rc = ebb_buf_add(out, copied, (size_t)(amp - copied));
		rc = rc ? rc : ebb_buf_addf(out, "&#x%x;", STAND_IN + c);
		copied = amp + n;
	}
	return rc || copied == end - len ? rc : ebb_buf_add(out, copied, (size_t)(end - copied));
}

static void unmap(struct ebb_buf *text)
{
	size_t to = 0;

	for (size_t i = 0; i < text->len; i++, to++) {
		const unsigned char *c = (const unsigned char *)text->data + i;

		if (text->len - i >= 3 && c[0] == 0xef && c[1] == 0xb7 && c[2] >= 0x90 && c[2] < 0xb0) {
			text->data[to] = (char)(c[2] - 0x90);
			i += 2;
		} else {
			text->data[to] = text->data[i];
		}
	}
	text->len = to;
	if (text->data)
		text->data[to] = '\0';
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct parse *p = ctx;

	(void)attributes;
	if (p->rc)
		return;
	if (p->depth == EBB_S3_XML_DEPTH) {
		stop(p, ebb_err_set(&p->err, EBB_ECORRUPT, "elements deeper than %d", EBB_S3_XML_DEPTH));
		return;
	}
	snprintf(p->names[++p->depth], NAME_MAX_LEN, "%s", name);
	ebb_buf_clear(&p->text);
	p->leaf = true;
	int rc = p->events->begin ? p->events->begin(p->events->ctx, p->names[p->depth], p->depth - 1) : 0;
	if (rc < 0)
		stop(p, rc);
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int len)
{
	struct parse *p = ctx;

	if (!p->rc && p->leaf && ebb_buf_add(&p->text, s, (size_t)len) < 0)
		stop(p, ebb_err_set(&p->err, EBB_ECORRUPT, "an element longer than %d bytes", EBB_S3_XML_TEXT));
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct parse *p = ctx;
	int rc = 0;

	(void)name;
	if (p->rc)
		return;
	if (p->leaf && p->mapped)
		unmap(&p->text);
	if (p->leaf)
		rc = p->events->leaf(p->events->ctx, p->names[p->depth - 1], p->names[p->depth],
				     p->text.len ? p->text.data : "", p->text.len);
	else if (p->events->end)
		rc = p->events->end(p->events->ctx, p->names[p->depth], p->depth - 1);
	p->leaf = false;
	p->depth--;
	if (rc < 0)
		stop(p, rc);
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system,
			       const XML_Char *public, int internal)
{
	struct parse *p = ctx;

	(void)name, (void)system, (void)public, (void)internal;
	stop(p, ebb_err_set(&p->err, EBB_ECORRUPT, "a document type in an answer"));
}

int ebb_s3_xml_parse(const void *doc, size_t len, const struct ebb_s3_xml_events *events, struct ebb_err *err)
{
	struct parse p = {.parser = XML_ParserCreate("UTF-8"), .events = events,
			  .text = EBB_BUF_INIT(EBB_S3_XML_TEXT)};

	if (!p.parser)
		return ebb_err_set(err, EBB_ENOMEM, "no memory for a parser");
	XML_SetUserData(p.parser, &p);
	XML_SetElementHandler(p.parser, on_start, on_end);
	XML_SetCharacterDataHandler(p.parser, on_text);
	XML_SetStartDoctypeDeclHandler(p.parser, on_doctype);
	struct ebb_buf mapped = EBB_BUF_INIT(DOC_MAX);
	if (map(doc ? doc : "", len, &mapped) < 0) {
		p.rc = ebb_err_set(&p.err, EBB_ENOMEM, "no memory for an answer");
	} else if (mapped.len) {
		p.mapped = true;
		doc = mapped.data, len = mapped.len;
	}
	enum XML_Status status = p.rc || len > DOC_MAX ? XML_STATUS_ERROR : XML_Parse(p.parser, doc, (int)len, 1);
	if (p.err.msg[0])
		ebb_err_set(err, -p.rc, "%s", p.err.msg);
	else if (!p.rc && status != XML_STATUS_OK)
		p.rc = ebb_err_set(err, EBB_ECORRUPT, "line %lu of the answer is not XML: %s",
				   XML_GetCurrentLineNumber(p.parser),
				   XML_ErrorString(XML_GetErrorCode(p.parser)));
	XML_ParserFree(p.parser);
	ebb_buf_release(&mapped);
	ebb_buf_release(&p.text);
	return p.rc;
}

/* --- Small answers --- */

struct wanted {
	const char *parent, *name;
	struct ebb_buf *out;
	bool found;
};

static int take_wanted(void *ctx, const char *parent, const char *name, const char *text, size_t len)
{
	struct wanted *w = ctx;

	if (!w->found && strcmp(name, w->name) == 0 && strcmp(parent, w->parent) == 0)
		w->found = ebb_buf_add(w->out, text, len) == 0;
	return 0;
}

int ebb_s3_xml_find(const void *p, size_t len, const char *parent, const char *name, struct ebb_buf *out)
{
	struct wanted w = {parent, name, out, false};
	const struct ebb_s3_xml_events events = {.ctx = &w, .leaf = take_wanted};

	ebb_s3_xml_parse(p, len, &events, NULL);
	return w.found;
}

int ebb_s3_xml_escape(struct ebb_buf *out, const char *text, size_t len)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ' || strchr("&<>\"'", c))
			rc = ebb_buf_addf(out, "&#%u;", c);
		else
			rc = ebb_buf_addc(out, text[i]);
	}
	return rc;
}
