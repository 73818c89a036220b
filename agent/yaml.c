/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "core/mem.h"

/* One more than ebb_tree_add() accepts, so that it is the one to complain. */
enum { DEPTH = 66 };

/* A document being built from events. */
struct build {
	struct ebb_arena *arena;
	const char *name;
	struct ebb_tree_node *root;
	struct ebb_tree_node *stack[DEPTH];	/* open maps and lists; the root is stack[0] */
	size_t depth;
	const char *key;		/* of the value to come, when a map is on top; or NULL */
	struct ebb_tree_pos key_pos;
	unsigned documents;
};

static struct ebb_tree_pos position(yaml_mark_t m)
{
	return (struct ebb_tree_pos){(unsigned)m.line + 1, (unsigned)m.column + 1};
}

__attribute__((format(printf, 4, 5)))
static int bad(const struct build *b, struct ebb_tree_pos at, struct ebb_err *err, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ebb_err_set(err, EBB_ECONFIG, "%s:%u:%u: %s", b->name, at.line, at.column, text);
}

/* What libyaml found wrong. Bytes that are not text have an offset instead of a mark. */
static int syntax_error(const struct build *b, const yaml_parser_t *p, const char *data, size_t len,
			struct ebb_err *err)
{
	struct ebb_tree_pos at = position(p->problem_mark);

	if (p->error == YAML_MEMORY_ERROR)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory for '%s'", b->name);
	if (p->error == YAML_READER_ERROR) {
		at = (struct ebb_tree_pos){1, 1};
		for (size_t i = 0; i < p->problem_offset && i < len; i++) {
			at.column++;
			if (data[i] == '\n')
				at = (struct ebb_tree_pos){at.line + 1, 1};
		}
		return bad(b, at, err, "the file is not UTF-8 text: %s", p->problem);
	}
	if (p->context)
		return bad(b, at, err, "%s, %s in line %u", p->problem, p->context,
			   (unsigned)p->context_mark.line + 1);
	return bad(b, at, err, "%s", p->problem ? p->problem : "this is not YAML");
}

/* A scalar where a map expects a key. */
static int take_key(struct build *b, const yaml_event_t *e, struct ebb_tree_pos at,
		    struct ebb_err *err)
{
	const char *text = (const char *)e->data.scalar.value;

	if (e->type != YAML_SCALAR_EVENT)
		return bad(b, at, err, "a key must be a word, not a map or a list");
	if (strlen(text) != e->data.scalar.length)
		return bad(b, at, err, "a key holds a NUL byte");
	if (strcmp(text, "<<") == 0)
		return bad(b, at, err, "merge keys ('<<') are not supported: write the keys out");
	b->key = ebb_arena_strdup(b->arena, text);
	b->key_pos = at;
	return b->key ? 0 : ebb_err_set(err, EBB_ENOMEM, "out of memory for '%s'", b->name);
}

/* Make the node of a value and put it where it belongs. */
static int place(struct build *b, enum ebb_tree_kind kind, struct ebb_tree_pos at,
		 struct ebb_tree_node **ret, struct ebb_err *err)
{
	if (b->depth) {
		const char *key = b->key;

		b->key = NULL;
		return ebb_tree_add(b->stack[b->depth - 1], key, b->key_pos, kind, at, ret, err);
	}
	if (kind == EBB_TREE_SCALAR)
		return bad(b, at, err, "expected a map of settings, as in 'version: 1'");
	*ret = ebb_tree_new(b->arena, b->name, kind, at);
	if (!*ret)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory for '%s'", b->name);
	b->root = *ret;
	return 0;
}

/* Anchors and tags on any kind of node. */
static int check_plain(const struct build *b, const yaml_char_t *anchor, const yaml_char_t *tag,
		       struct ebb_tree_pos at, struct ebb_err *err)
{
	if (anchor)
		return bad(b, at, err, "anchors ('&%s') are not supported: write the value out", anchor);
	if (tag)
		return bad(b, at, err, "tags ('%s') are not supported", tag);
	return 0;
}

/* The beginning of a value, or of a key. */
static int node(struct build *b, const yaml_event_t *e, struct ebb_err *err)
{
	struct ebb_tree_pos at = position(e->start_mark);
	bool scalar = e->type == YAML_SCALAR_EVENT, map = e->type == YAML_MAPPING_START_EVENT;
	struct ebb_tree_node *n = NULL;
	int r = scalar ? check_plain(b, e->data.scalar.anchor, e->data.scalar.tag, at, err)
		: map  ? check_plain(b, e->data.mapping_start.anchor, e->data.mapping_start.tag, at, err)
		       : check_plain(b, e->data.sequence_start.anchor, e->data.sequence_start.tag, at, err);

	if (r)
		return r;
	if (b->depth && b->stack[b->depth - 1]->kind == EBB_TREE_MAP && !b->key)
		return take_key(b, e, at, err);
	r = place(b, scalar ? EBB_TREE_SCALAR : map ? EBB_TREE_MAP : EBB_TREE_SEQ, at, &n, err);
	if (r)
		return r;
	if (scalar)
		return ebb_tree_set_text(n, (const char *)e->data.scalar.value, e->data.scalar.length,
					 e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE, err);
	if (b->depth == DEPTH)
		return bad(b, at, err, "nested too deeply");
	b->stack[b->depth++] = n;
	return 0;
}

static int event(struct build *b, const yaml_event_t *e, struct ebb_err *err)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++)
			return bad(b, position(e->start_mark), err,
				   "a second document begins here: one file holds one");
		return 0;
	case YAML_ALIAS_EVENT:
		return bad(b, position(e->start_mark), err,
			   "aliases ('*%s') are not supported: write the value out", e->data.alias.anchor);
	case YAML_SCALAR_EVENT:
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return node(b, e, err);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

int ebb_yaml_parse(struct ebb_arena *arena, const char *name, const void *data, size_t len,
		   struct ebb_tree_node **ret, struct ebb_err *err)
{
	struct build b = {.arena = arena, .name = name};
	bool done = false;
	yaml_parser_t p;
	int r = 0;

	if (!yaml_parser_initialize(&p))
		return ebb_err_set(err, EBB_ENOMEM, "out of memory for '%s'", name);
	yaml_parser_set_input_string(&p, data, len);
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	while (!r && !done) {
		yaml_event_t e;

		if (!yaml_parser_parse(&p, &e)) {
			r = syntax_error(&b, &p, data, len, err);
			break;
		}
		r = event(&b, &e, err);
		done = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&p);
	if (!r && !b.root)
		r = bad(&b, (struct ebb_tree_pos){1, 1}, err, "the file is empty");
	if (!r)
		*ret = b.root;
	return r;
}

int ebb_yaml_load(struct ebb_arena *arena, const char *path, struct ebb_buf *bytes,
		  struct ebb_tree_node **ret, struct ebb_err *err)
{
	char part[65536];
	struct stat st;
	ssize_t n;

	EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st))
		return ebb_err_sys(err, errno, "cannot open '%s'", path);
	if (S_ISDIR(st.st_mode))
		return ebb_err_set(err, EBB_ECONFIG, "'%s' is a folder, not a file", path);
	ebb_buf_clear(bytes);
	while ((n = read(fd, part, sizeof(part))) > 0) {
		if (bytes->len + (size_t)n > EBB_YAML_MAX)
			return ebb_err_set(err, EBB_ECONFIG, "'%s' is too large: at most %d MiB", path,
					   EBB_YAML_MAX >> 20);
		if (ebb_buf_add(bytes, part, (size_t)n))
			return ebb_err_set(err, EBB_ENOMEM, "out of memory for '%s'", path);
	}
	if (n < 0)
		return ebb_err_sys(err, errno, "cannot read '%s'", path);
	return ebb_yaml_parse(arena, path, bytes->data ? bytes->data : "", bytes->len, ret, err);
}
