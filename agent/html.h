/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * HTML: one self-contained page without scripts or anything from elsewhere, fit for a mail client; light and dark, narrow and wide, on
 * paper. Colours are classes of the page's own style sheet, so pictures follow the reader's scheme.
 *
 * Everything that comes from outside (keys, labels, names) goes through ebb_html_text or ebb_html_bytes.
 *
 * Threads: a FILE belongs to one thread.
 */
#ifndef EBB_AGENT_HTML_H
#define EBB_AGENT_HTML_H

#include <stddef.h>
#include <stdio.h>

/* Begin a page with its style sheet; @title and @subtitle are plain text, @subtitle may be NULL. */
void ebb_html_begin(FILE *f, const char *title, const char *subtitle);

/* End it; @note is plain text for the last line. */
void ebb_html_end(FILE *f, const char *note);

/* Text with the five special characters escaped; control characters and what is no UTF-8 as \xNN. */
void ebb_html_text(FILE *f, const char *s);
void ebb_html_bytes(FILE *f, const char *s, size_t len);

/* A value within the query of a link: what is no letter, digit, '-', '_', '.' or '/' as %XX. */
void ebb_html_query(FILE *f, const char *s);

/* A section with a heading; @wide: across the whole page, otherwise half of it where there is room. */
void ebb_html_section(FILE *f, const char *title, int wide);
void ebb_html_section_end(FILE *f);

/* A large figure with a word above and a remark below (may be NULL), within ebb_html_cards. */
void ebb_html_cards(FILE *f);
void ebb_html_card(FILE *f, const char *word, const char *figure, const char *remark);
void ebb_html_cards_end(FILE *f);

/* A paragraph of plain text; @class is one of the sheet ("note", "warn") or NULL. */
void ebb_html_para(FILE *f, const char *class, const char *text);

/*
 * A table: heading cells, then rows of plain text cells. Letters of @align: 'l' stands left, 'r'
 * right, 'L' and 'R' the same but goes on narrow screens, and so does 'b', which holds bars. NULL cells are empty.
 */
void ebb_html_table(FILE *f, const char *align, const char *const *heads);
void ebb_html_row(FILE *f, const char *align, const char *const *cells);
void ebb_html_table_end(FILE *f);

#endif
