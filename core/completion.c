/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "core/completion.h"

void ebb_completion_init(struct ebb_completion *c)
{
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->cond, NULL);
	c->done = false;
}

void ebb_completion_signal(struct ebb_completion *c)
{
	pthread_mutex_lock(&c->mutex);
	c->done = true;
	pthread_cond_signal(&c->cond);	/* under the lock: the waiter cannot leave in between */
	pthread_mutex_unlock(&c->mutex);
}

void ebb_completion_wait(struct ebb_completion *c)
{
	pthread_mutex_lock(&c->mutex);
	while (!c->done)
		pthread_cond_wait(&c->cond, &c->mutex);
	pthread_mutex_unlock(&c->mutex);
	pthread_cond_destroy(&c->cond);
	pthread_mutex_destroy(&c->mutex);
}
