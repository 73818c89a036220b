/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For benchmarks: time, memory bandwidth as the floor under scans, and commands run as whole processes.
 */
#ifndef EBB_TESTS_SUPPORT_BENCH_H
#define EBB_TESTS_SUPPORT_BENCH_H

#include <stddef.h>

/* Monotonic seconds. */
double ebb_bench_now(void);

/* Median; sorts @v. */
double ebb_bench_median(double *v, size_t n);

/* Bytes a second that one core reads from memory, the best of a few passes over 512 MiB. */
double ebb_bench_memory(void);

/* What a command took. */
struct ebb_bench_run {
	double wall, cpu;	/* seconds; cpu is user + system of the process and its children */
	double anon_mib;	/* greatest RssAnon seen, sampled every 5 ms */
	int status;		/* exit status, -1: killed or not started */
};

/* Run @argv with stdout to /dev/null. */
struct ebb_bench_run ebb_bench_run(const char *const *argv);

#endif
