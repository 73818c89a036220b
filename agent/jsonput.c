/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/jsonput.h"

#include <stdlib.h>

#include "agent/out.h"
#include "core/mem.h"

void ebb_jsonput_begin(struct ebb_jsonput *j, const char *name)
{
	if (j->comma)
		j->bad |= ebb_buf_addc(&j->b, ',');
	j->comma = true;
	if (name)
		j->bad |= ebb_buf_addf(&j->b, "\"%s\":", name);
}

void ebb_jsonput_open(struct ebb_jsonput *j, const char *name, char c)
{
	ebb_jsonput_begin(j, name);
	j->bad |= ebb_buf_addc(&j->b, c);
	j->comma = false;
}

void ebb_jsonput_shut(struct ebb_jsonput *j, char c)
{
	j->bad |= ebb_buf_addc(&j->b, c);
	j->comma = true;
}

void ebb_jsonput_quote(struct ebb_jsonput *j, const char *s)
{
	json_t *v = json_string(s);
	char *t = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;

	j->bad |= t ? ebb_buf_adds(&j->b, t) : -EBB_ENOMEM;
	free(t);
	json_decref(v);
}

void ebb_jsonput_raw(struct ebb_jsonput *j, const char *text)
{
	j->bad |= ebb_buf_adds(&j->b, text);
}

void ebb_jsonput_string(struct ebb_jsonput *j, const char *name, const char *s)
{
	ebb_jsonput_begin(j, name);
	ebb_jsonput_quote(j, s);
}

void ebb_jsonput_number(struct ebb_jsonput *j, const char *name, const char *text)
{
	ebb_jsonput_begin(j, name);
	ebb_jsonput_raw(j, text);
}

int ebb_jsonput_end(struct ebb_jsonput *j, FILE *out, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf room = j->b;

	if (j->bad || ebb_buf_addc(&room, '\n') < 0)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory for JSON");
	fwrite(room.data, 1, room.len, out);
	return ebb_out_flush(out, err);
}
