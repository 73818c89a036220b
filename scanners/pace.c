/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scanners/pace.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"

/* One limit: when the next unit may come, were it not for what was not used. */
struct lane {
	ebb_pace_rate_fn *rate;
	int64_t next;	/* monotonic, ns */
};

struct ebb_pace {
	pthread_mutex_t mutex;	/* protects both lanes */
	struct lane bytes, requests;
	void *ctx;
	struct ebb_pace_time time;
};

static int64_t real_wall(void *ctx)
{
	(void)ctx;
	return ebb_clock_now(&ebb_clock_real);
}

static int64_t real_monotonic(void *ctx)
{
	(void)ctx;
	return ebb_clock_monotonic();
}

/* A signal wakes it, so that whoever was asked to stop finds out. */
static void real_pause(void *ctx, int64_t ns)
{
	const struct timespec t = {ns / EBB_CLOCK_SECOND, ns % EBB_CLOCK_SECOND};

	(void)ctx;
	nanosleep(&t, NULL);
}

struct ebb_pace *ebb_pace_new(ebb_pace_rate_fn *bytes, ebb_pace_rate_fn *requests, void *ctx, const struct ebb_pace_time *time)
{
	struct ebb_pace *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	pthread_mutex_init(&p->mutex, NULL);
	p->bytes.rate = bytes;
	p->requests.rate = requests;
	p->ctx = ctx;
	p->time = time ? *time : (struct ebb_pace_time){real_wall, real_monotonic, real_pause, NULL};
	return p;
}

void ebb_pace_free(struct ebb_pace *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

/* How long whoever took @n units has to wait, ns. */
static int64_t take(struct ebb_pace *p, struct lane *l, int64_t n)
{
	int64_t wait = 0;

	pthread_mutex_lock(&p->mutex);
	int64_t rate = l->rate(p->ctx, p->time.wall(p->time.ctx)), now = p->time.monotonic(p->time.ctx);
	if (rate <= 0) {
		l->next = now;
	} else {
		if (l->next < now - EBB_CLOCK_SECOND)
			l->next = now - EBB_CLOCK_SECOND;
		__int128 takes = (__int128)n * EBB_CLOCK_SECOND / rate;
		l->next += takes < INT64_MAX / 4 ? (int64_t)takes : INT64_MAX / 4;
		wait = l->next - now;
	}
	pthread_mutex_unlock(&p->mutex);
	return wait;
}

void ebb_pace_bytes(struct ebb_pace *p, int64_t n)
{
	int64_t wait = p && p->bytes.rate && n > 0 ? take(p, &p->bytes, n) : 0;

	if (wait > 0)
		p->time.pause(p->time.ctx, wait);
}

void ebb_pace_request(struct ebb_pace *p)
{
	int64_t wait = p && p->requests.rate ? take(p, &p->requests, 1) : 0;

	if (wait > 0)
		p->time.pause(p->time.ctx, wait);
}
