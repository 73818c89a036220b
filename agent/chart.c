/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/chart.h"

#include <math.h>
#include <string.h>

#include "agent/html.h"
#include "core/date.h"

/* Pictures are drawn 440 wide, so that text of 11 is legible at phone width and not huge on a desk. */
#define WIDTH 440.0
#define HEIGHT 220.0
#define LEFT 62.0
#define RIGHT 8.0
#define TOP 10.0
#define BOTTOM 24.0

double ebb_chart_step(double most)
{
	if (!(most > 0))
		return 1;
	double unit = pow(10, floor(log10(most / 3)));

	for (int i = 0; i < 3; i++) {
		static const double factors[] = {5, 2, 1};

		if (most / (unit * factors[i]) >= 3)
			return unit * factors[i];
	}
	return unit;
}

static void svg_begin(FILE *f, const char *title, double height)
{
	fprintf(f, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\"><title>", WIDTH,
		height);
	ebb_html_text(f, title);
	fputs("</title>\n", f);
}

/* --- Lines --- */

struct frame {
	FILE *f;
	int64_t first, last;
	double top;	/* value at the upper edge */
};

static double x_of(const struct frame *r, int64_t day)
{
	return LEFT + (double)(day - r->first) / (double)(r->last - r->first) * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct frame *r, double value)
{
	return TOP + (1 - value / r->top) * (HEIGHT - TOP - BOTTOM);
}

static void path(const struct frame *r, const struct ebb_chart_point *p, size_t n, const char *class)
{
	fprintf(r->f, "<path class=\"%s\" d=\"", class);
	for (size_t i = 0; i < n; i++)
		fprintf(r->f, "%c%.1f %.1f", i ? 'L' : 'M', x_of(r, p[i].day), y_of(r, p[i].value));
	fputs("\"/>\n", r->f);
}

static void area(const struct frame *r, const struct ebb_chart_point *p, size_t n)
{
	fprintf(r->f, "<path class=\"area\" d=\"M%.1f %.1f", x_of(r, p[0].day), y_of(r, 0));
	for (size_t i = 0; i < n; i++)
		fprintf(r->f, "L%.1f %.1f", x_of(r, p[i].day), y_of(r, p[i].value));
	fprintf(r->f, "L%.1f %.1fZ\"/>\n", x_of(r, p[n - 1].day), y_of(r, 0));
}

static void band(const struct frame *r, const struct ebb_chart_point *p, size_t n)
{
	fputs("<path class=\"band\" d=\"", r->f);
	for (size_t i = 0; i < n; i++)
		fprintf(r->f, "%c%.1f %.1f", i ? 'L' : 'M', x_of(r, p[i].day), y_of(r, p[i].hi));
	for (size_t i = n; i-- > 0;)
		fprintf(r->f, "L%.1f %.1f", x_of(r, p[i].day), y_of(r, p[i].lo));
	fputs("Z\"/>\n", r->f);
}

static void value_axis(const struct frame *r, const struct ebb_chart_line *c, double step)
{
	char text[32];

	for (int i = 0; i * step <= r->top * 1.0001; i++) {
		double y = y_of(r, i * step);

		c->label(c->ctx, i * step, text);
		fprintf(r->f, "<path class=\"%s\" d=\"M%.0f %.1fH%.0f\"/><text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">",
			i ? "grid-line" : "axis", LEFT, y, WIDTH - RIGHT, LEFT - 5, y + 4);
		ebb_html_text(r->f, text);
		fputs("</text>\n", r->f);
	}
}

/* The first, a middle and the last day. */
static void day_axis(const struct frame *r)
{
	static const char *const anchors[] = {"start", "middle", "end"};

	for (int i = 0; i < 3; i++) {
		int64_t day = r->first + (r->last - r->first) * i / 2;
		struct ebb_date d = ebb_date_of(day * EBB_DATE_DAY_NS);

		fprintf(r->f, "<text x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">%04d-%02d-%02d</text>\n", x_of(r, day),
			HEIGHT - 7, anchors[i], d.year, d.month, d.day);
	}
}

static void marks(const struct frame *r, const struct ebb_chart_line *c)
{
	for (size_t i = 0; i < c->nmarks; i++) {
		const struct ebb_chart_mark *m = &c->marks[i];

		fprintf(r->f, "<circle class=\"mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>", x_of(r, m->day),
			y_of(r, m->value));
		ebb_html_text(r->f, m->text);
		fputs("</title></circle>\n", r->f);
	}
}

static double greatest(const struct ebb_chart_point *p, size_t n, double so_far)
{
	for (size_t i = 0; i < n; i++)
		so_far = fmax(so_far, fmax(p[i].value, p[i].hi));
	return so_far;
}

void ebb_chart_line(FILE *f, const struct ebb_chart_line *c)
{
	if (c->npast < 2)
		return;
	double most = greatest(c->next, c->nnext, greatest(c->past, c->npast, 0));
	double unit = c->binary && most >= 1024 ? pow(1024, floor(log2(most) / 10)) : 1;
	double step = ebb_chart_step(most / unit) * unit;
	struct frame r = {
		.f = f,
		.first = c->past[0].day,
		.last = c->nnext ? c->next[c->nnext - 1].day : c->past[c->npast - 1].day,
		.top = step * fmax(ceil(most / step - 1e-9), 1),
	};

	svg_begin(f, c->title, HEIGHT);
	value_axis(&r, c, step);
	day_axis(&r);
	area(&r, c->past, c->npast);
	path(&r, c->past, c->npast, "line");
	if (c->nnext) {
		band(&r, c->next, c->nnext);
		path(&r, c->next, c->nnext, "line next");
	}
	if (c->nwith)
		path(&r, c->with, c->nwith, "line with");
	marks(&r, c);
	fputs("</svg>\n", f);
}

/* --- Treemaps --- */

struct box {
	double x, y, w, h;
};

/* Bytes of @s up to its last @letters letters. */
static size_t before_last(const char *s, size_t letters)
{
	size_t at = strlen(s);

	for (; at > 0 && letters > 0; letters--)
		do
			at--;
		while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80);
	return at;
}

/* What fits of a text, at some 6.2 a letter: its end, which tells folders apart. */
static void box_text(FILE *f, const struct box *b, double dy, const char *s)
{
	size_t room = (size_t)((b->w - 10) / 6.2), at = before_last(s, room);

	fprintf(f, "<text class=\"on\" x=\"%.1f\" y=\"%.1f\">", b->x + 5, b->y + dy);
	if (at) {
		at = before_last(s, room - 1);
		fputs("…", f);
	}
	ebb_html_text(f, s + at);
	fputs("</text>", f);
}

static void draw_box(FILE *f, const struct box *b, const struct ebb_chart_part *p)
{
	fprintf(f, "<g><title>");
	ebb_html_text(f, p->name);
	fputs(": ", f);
	ebb_html_text(f, p->text);
	fprintf(f, "</title><rect class=\"box c%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", p->group % 8,
		b->x, b->y, b->w, b->h);
	if (b->w > 48 && b->h > 17)
		box_text(f, b, 13, p->name);
	if (b->w > 60 && b->h > 32)
		box_text(f, b, 27, p->text);
	fputs("</g>\n", f);
}

/* Worst ratio of sides when parts [from, to) with sum @sum stand along a side of length @side; @scale: area of one unit of value. */
static double worst(const struct ebb_chart_part *p, size_t from, size_t to, double sum, double side, double scale)
{
	double thick = sum * scale / side, bad = 1;

	for (size_t i = from; i < to; i++) {
		double along = p[i].value * scale / thick;

		bad = fmax(bad, fmax(along / thick, thick / along));
	}
	return bad;
}

/* Lay parts [from, to) along the shorter side of what is left, and take their strip away from it. */
static void strip(FILE *f, const struct ebb_chart_part *p, size_t from, size_t to, double sum, double scale,
		  struct box *left)
{
	bool across = left->w >= left->h;	/* the strip stands upright at the left */
	double thick = sum * scale / (across ? left->h : left->w), at = 0;

	for (size_t i = from; i < to; i++) {
		double along = p[i].value * scale / thick;
		struct box b = across ? (struct box){left->x, left->y + at, thick, along}
				      : (struct box){left->x + at, left->y, along, thick};

		draw_box(f, &b, &p[i]);
		at += along;
	}
	if (across) {
		left->x += thick;
		left->w -= thick;
	} else {
		left->y += thick;
		left->h -= thick;
	}
}

void ebb_chart_treemap(FILE *f, const char *title, const struct ebb_chart_part *parts, size_t n)
{
	struct box left = {0, 0, WIDTH, 280};
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += parts[i].value;
	if (!(sum > 0))
		return;
	double scale = left.w * left.h / sum;
	svg_begin(f, title, left.h);
	for (size_t from = 0; from < n;) {
		double side = fmin(left.w, left.h), row = parts[from].value;
		size_t to = from + 1;

		while (to < n && worst(parts, from, to + 1, row + parts[to].value, side, scale) <=
					 worst(parts, from, to, row, side, scale))
			row += parts[to++].value;
		strip(f, parts, from, to, row, scale, &left);
		from = to;
	}
	fputs("</svg>\n", f);
}

void ebb_chart_bar(FILE *f, double value, double most)
{
	fprintf(f, "<i style=\"width:%.1f%%\"></i>", most > 0 ? fmax(value / most * 100, value > 0 ? 0.7 : 0) : 0);
}
