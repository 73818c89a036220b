/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Access logs at scale: S3 server access logs of EBB_BENCH_LINES lines (10 M) over 20 days and a million keys, made on the other core, through
 * `ebb ingest` by a named pipe; then the same again, when every line is known.
 *
 * Usage: b_ingest [PROGRAM], the ebb to be measured; default build/release/ebb.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/bench.h"
#include "tests/support/prng.h"
#include "tests/support/scratch.h"

/* Write the log to @fd; the same lines every time. */
static void generate(int fd, long lines)
{
	struct ebb_prng r = {1};
	FILE *f = fdopen(fd, "w");
	char stamp[40];
	time_t was = 0;

	setvbuf(f, NULL, _IOFBF, 1 << 20);
	for (long i = 0; i < lines; i++) {
		time_t at = 1762000000 + (time_t)((double)i / (double)lines * 20 * 86400);
		unsigned key = (unsigned)ebb_prng_below(&r, 1000000);
		struct tm tm;

		if (at != was)
			strftime(stamp, sizeof(stamp), "%d/%b/%Y:%H:%M:%S +0000", gmtime_r(&at, &tm));
		was = at;
		fprintf(f,
			"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be lake [%s] 192.0.2.3 arn:aws:iam::123456789012:user/alice "
			"%016lX REST.GET.OBJECT runs/%03u/checkpoint-%06u.pt \"GET /lake/runs/%03u/checkpoint-%06u.pt HTTP/1.1\" 200 - %u %u 7 5 \"-\" "
			"\"aws-sdk-java/1.7.11 Linux/3.2.0\" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3 SigV4 ECDHE-RSA-AES128-GCM-SHA256 "
			"AuthHeader lake.s3.us-west-1.amazonaws.com TLSV1.2 - Yes\n",
			stamp, 7919 * (unsigned long)i, key % 1000, key, key % 1000, key, key, key);
	}
	fclose(f);
}

static void measure(const char *what, const char *const *argv, const char *fifo, long lines)
{
	struct ebb_bench_run run;
	pid_t child;

	child = fork();
	if (child < 0)
		exit(1);
	if (child == 0) {
		generate(open(fifo, O_WRONLY), lines);
		_exit(0);
	}
	run = ebb_bench_run(argv);
	waitpid(child, NULL, 0);
	if (run.status != 0) {
		fprintf(stderr, "ingest failed with status %d\n", run.status);
		exit(1);
	}
	printf("  %-22s %6.1f s wall, %6.1f s CPU, %9.0f lines/s of CPU, %5.0f MiB\n", what, run.wall, run.cpu,
	       (double)lines / run.cpu, run.anon_mib);
}

int main(int argc, char **argv)
{
	const char *env = getenv("EBB_BENCH_LINES"), *program = argc > 1 ? argv[1] : "build/release/ebb";
	long lines = env ? atol(env) : 10000000;
	const char *dir = ebb_scratch_new();
	char config[512], index[512], fifo[512];
	const char *const command[] = {program, "--config", config, "--index", index, "ingest", "--map", "lake=d", fifo, NULL};
	FILE *f;

	snprintf(config, sizeof(config), "%s/ebb.yaml", dir);
	snprintf(index, sizeof(index), "%s/index", dir);
	snprintf(fifo, sizeof(fifo), "%s/log", dir);
	if (mkfifo(fifo, 0600) != 0)
		return 1;
	f = fopen(config, "w");
	if (!f)
		return 1;
	fprintf(f, "version: 1\nstores: {d: {type: fs, path: \"%s\"}}\n", dir);
	fclose(f);
	printf("%ld lines of S3 server access logs, a million keys\n", lines);
	measure("ingested", command, fifo, lines);
	measure("again, all known", command, fifo, lines);
	return 0;
}
