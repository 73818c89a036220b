/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/bench.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double ebb_bench_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double ebb_bench_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double ebb_bench_memory(void)
{
	const size_t n = (512u << 20) / 8;
	uint64_t *p = malloc(n * 8);
	volatile uint64_t sink;
	double best = 0;

	if (!p)
		return 0;
	memset(p, 1, n * 8);
	for (int pass = 0; pass < 4; pass++) {
		uint64_t a = 0, b = 0, c = 0, d = 0;
		double t = ebb_bench_now();
		for (size_t i = 0; i < n; i += 4) {
			a += p[i];
			b += p[i + 1];
			c += p[i + 2];
			d += p[i + 3];
		}
		sink = a + b + c + d;
		t = ebb_bench_now() - t;
		if ((double)n * 8 / t > best)
			best = (double)n * 8 / t;
	}
	(void)sink;
	free(p);
	return best;
}

static double anon_mib(pid_t pid)
{
	char path[64], line[256];
	unsigned long kib = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return (double)kib / 1024;
}

struct ebb_bench_run ebb_bench_run(const char *const *argv)
{
	struct ebb_bench_run r = {.status = -1};
	struct timespec nap = {0, 5000000};
	struct rusage ru;
	double t = ebb_bench_now();
	int status;
	pid_t pid = fork(), got;

	if (pid < 0)
		return r;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	while ((got = wait4(pid, &status, WNOHANG, &ru)) == 0) {
		double m = anon_mib(pid);
		if (m > r.anon_mib)
			r.anon_mib = m;
		nanosleep(&nap, NULL);
	}
	r.wall = ebb_bench_now() - t;
	r.cpu = (double)ru.ru_utime.tv_sec + (double)ru.ru_stime.tv_sec +
		(double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1e-6;
	if (got == pid && WIFEXITED(status))
		r.status = WEXITSTATUS(status);
	return r;
}
