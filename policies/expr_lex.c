/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policies/expr_ast.h"

int ebb_expr_lex_fail(const struct ebb_expr_lex *lx, const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return ebb_err_set(lx->err, EBB_ECONFIG, "%s:%d:%zu: %s", lx->place.file, lx->place.line,
			   (size_t)lx->place.col + lx->at, msg);
}

static bool word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* Numbers with units and times: whatever hangs together. */
static bool value_byte(char c)
{
	return word_byte(c) || c == '.' || c == ':' || c == '-' || c == '+' || c == '%';
}

static int take(struct ebb_expr_lex *lx, enum ebb_expr_token token, size_t len)
{
	lx->token = token;
	lx->text = ebb_arena_memdup(lx->arena, lx->p, len);
	lx->p += len;
	if (!lx->text)
		return ebb_err_set(lx->err, EBB_ENOMEM, "no memory for a condition");
	return 0;
}

static int take_string(struct ebb_expr_lex *lx)
{
	char quote = *lx->p++, *out = ebb_arena_alloc(lx->arena, strlen(lx->p) + 1);

	if (!out)
		return ebb_err_set(lx->err, EBB_ENOMEM, "no memory for a condition");
	lx->token = EBB_EXPR_T_STRING;
	lx->text = out;
	while (*lx->p != quote) {
		/* Only the quote itself and '\' are escaped here: globs have escapes of their own.
		 */
		if (lx->p[0] == '\\' && (lx->p[1] == quote || lx->p[1] == '\\'))
			lx->p++;
		if (*lx->p == '\0')
			return ebb_expr_lex_fail(lx, "the string is not closed with %c", quote);
		*out++ = *lx->p++;
	}
	*out = '\0';
	lx->p++;
	return 0;
}

int ebb_expr_lex_next(struct ebb_expr_lex *lx)
{
	size_t len = 0;

	lx->p += strspn(lx->p, " \t\r\n");
	lx->at = (size_t)(lx->p - lx->start);
	lx->text = "";
	lx->token = EBB_EXPR_T_END;
	if (*lx->p == '\0')
		return 0;
	if (*lx->p == '"' || *lx->p == '\'')
		return take_string(lx);
	if (strchr("()[],", *lx->p))
		return take(lx, EBB_EXPR_T_MARK, 1);
	if (strchr("<>=!", *lx->p)) {
		len = 1 + (lx->p[1] == '=');
		if (len == 1 && *lx->p == '=')
			return ebb_expr_lex_fail(lx, "'=' means nothing; write '=='");
		if (len == 1 && *lx->p == '!')
			return ebb_expr_lex_fail(lx, "'!' means nothing; write 'not' or '!='");
		return take(lx, EBB_EXPR_T_OP, len);
	}
	if (*lx->p >= '0' && *lx->p <= '9') {
		while (value_byte(lx->p[len]))
			len++;
		return take(lx, EBB_EXPR_T_VALUE, len);
	}
	while (word_byte(lx->p[len]))
		len++;
	if (len == 0 && lx->p[0] >= ' ' && lx->p[0] < 0x7f)
		return ebb_expr_lex_fail(lx, "'%c' has no place in a condition", lx->p[0]);
	if (len == 0)
		return ebb_expr_lex_fail(lx, "byte 0x%02x has no place in a condition",
					 (unsigned)(unsigned char)lx->p[0]);
	return take(lx, EBB_EXPR_T_WORD, len);
}
