/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/progress.h"

#include <unistd.h>

#include "agent/out.h"
#include "core/clock.h"

void ebb_progress_start(struct ebb_progress *p, FILE *f, bool quiet, const char *what,
			const char *unit)
{
	*p = (struct ebb_progress){
		.f = quiet || !isatty(fileno(f)) ? NULL : f,
		.what = what,
		.unit = unit,
		.started = ebb_clock_monotonic(),
	};
	p->drawn = p->started;
}

int64_t ebb_progress_elapsed(const struct ebb_progress *p)
{
	return ebb_clock_monotonic() - p->started;
}

/* "0:12", "1:02:03" */
static void to_go(FILE *f, double seconds)
{
	long s = (long)(seconds + 0.5);

	if (s >= 3600)
		fprintf(f, "  %ld:%02ld:%02ld to go", s / 3600, s / 60 % 60, s % 60);
	else
		fprintf(f, "  %ld:%02ld to go", s / 60, s % 60);
}

void ebb_progress_tick(struct ebb_progress *p, uint64_t done, uint64_t total, uint64_t bytes)
{
	char a[EBB_OUT_TEXT_MAX], b[EBB_OUT_TEXT_MAX];

	if (!p->f)
		return;
	int64_t now = ebb_clock_monotonic();
	if (now - p->drawn < EBB_CLOCK_SECOND / 5)
		return;
	p->drawn = now;
	p->visible = true;

	double seconds = (double)(now - p->started) / (double)EBB_CLOCK_SECOND;
	double rate = (double)done / seconds;
	fprintf(p->f, "\r\033[K%s  %s %s  %s/s", p->what, ebb_out_count(done, a), p->unit,
		ebb_out_count((uint64_t)rate, b));
	if (bytes)
		fprintf(p->f, "  %s", ebb_out_bytes(bytes, a));
	if (total && done < total && done) {
		fprintf(p->f, "  %d %%", (int)((double)done * 100 / (double)total));
		to_go(p->f, (double)(total - done) / rate);
	}
	fflush(p->f);
}

void ebb_progress_end(struct ebb_progress *p)
{
	if (p->f && p->visible) {
		fputs("\r\033[K", p->f);
		fflush(p->f);
	}
	p->visible = false;
}
