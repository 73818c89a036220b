/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * XML as object stores send it: elements with text, no attributes of interest. What comes from outside is bounded: no document
 * types (so no entities of their own), EBB_S3_XML_DEPTH levels, EBB_S3_XML_TEXT bytes of text.
 *
 * Some stores write control characters of keys as "&#x01;", which is not XML: these references are understood all the same.
 *
 * Namespace prefixes are not cut off: no known store uses them.
 * Threads: every function may be called from any thread.
 */
#ifndef EBB_SCANNERS_S3_XML_H
#define EBB_SCANNERS_S3_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

#define EBB_S3_XML_DEPTH 16
#define EBB_S3_XML_TEXT (64 << 10)

/* Who is told what stands in a document. A negative return ends the parse with it; the callback gives the message. */
struct ebb_s3_xml_events {
	void *ctx;
	/* An element begins; @depth of the root is 0. May be NULL. */
	int (*begin)(void *ctx, const char *name, unsigned depth);
	/* An element without children ended; @parent is "" for the root. @text is NUL-terminated. */
	int (*leaf)(void *ctx, const char *parent, const char *name, const char *text, size_t len);
	/* An element with children ended. May be NULL. */
	int (*end)(void *ctx, const char *name, unsigned depth);
};

/*
 * Parse a document.
 *
 * @return  0; -EBB_ECORRUPT when it is not well-formed, too deep or has a document type; -EBB_ENOMEM;
 *          what a callback returned.
 */
int ebb_s3_xml_parse(const void *p, size_t len, const struct ebb_s3_xml_events *events, struct ebb_err *err);

/*
 * Text of the first leaf @name, whose parent is @parent ("" for the root), appended to @out.
 *
 * @return  1 when there is one, else 0; also 0 for what is no XML.
 */
int ebb_s3_xml_find(const void *p, size_t len, const char *parent, const char *name, struct ebb_buf *out);

/* Append @text with &, <, >, quotes and control characters escaped. 0 or -EBB_ENOMEM. */
int ebb_s3_xml_escape(struct ebb_buf *out, const char *text, size_t len);

#endif
