/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Codecs against the formats' own tools on the same input, and hashing against bare reading.
 * Medians of ROUNDS interleaved rounds after one that does not count; wall time, page cache warm.
 * Input: the file named by the first argument, or 256 MiB of made-up log lines. Prints a table;
 * judges nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compress/digest.h"
#include "compress/pipe.h"
#include "tests/support/bench.h"

#define ROUNDS 5
#define MADE_UP ((size_t)256 << 20)

static const char *input;
static char made[] = "/tmp/b_codec.XXXXXX";
static char coded[] = "/tmp/b_codec.coded.XXXXXX";
static int64_t input_size;

static void die(const char *what)
{
	fprintf(stderr, "b_codec: %s\n", what);
	exit(1);
}

/* Log lines with a clock, few hosts and many numbers. */
static void make_input(void)
{
	static const char *const paths[] = {"/v1/train/step", "/health", "/v1/put", "/metrics"};
	int fd = mkstemp(made);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	uint64_t x = 88172645463325252ULL;

	if (!f)
		die("cannot make the input");
	for (size_t n = 0, len = 0; len < MADE_UP; n++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		len += (size_t)fprintf(f, "2026-03-01 %02zu:%02zu.%02zu gpu-%02u GET %s %u %u\n",
				       n / 6000 % 24, n / 100 % 60, n % 100,
				       (unsigned)(x >> 20) % 40, paths[x >> 30 & 3],
				       x >> 40 & 7 ? 200u : 500u, (unsigned)(x >> 44));
	}
	if (fclose(f))
		die("cannot write the input");
	input = made;
}

static int64_t fd_read(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	ssize_t n = read(*(int *)ctx, buf, len);

	return n < 0 ? ebb_err_set(err, EBB_EIO, "cannot read") : n;
}

static int fd_write(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	if (write(*(int *)ctx, buf, len) != (ssize_t)len)
		return ebb_err_set(err, EBB_EIO, "cannot write");
	return 0;
}

/* Run the pipe from file @from to file @to (NULL: nowhere); bytes of the coded side. */
static int64_t pipe_run(enum ebb_pipe_mode mode, const char *codec, int level, unsigned threads,
			const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = to ? open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	struct ebb_pipe_result r;
	struct ebb_err err = {0};
	struct ebb_pipe p = {
		.read = fd_read, .read_ctx = &in, .write = to ? fd_write : NULL, .write_ctx = &out,
		.mode = mode, .codec = ebb_codec_find(codec), .level = level, .threads = threads,
		.raw_size = mode == EBB_PIPE_ENCODE ? input_size : -1,
	};

	if (in < 0 || ebb_pipe_run(&p, &r, &err) < 0)
		die(err.msg);
	close(in);
	if (to)
		close(out);
	return r.coded_size;
}

static int64_t tool_run(const char *command, const char *from, const char *to)
{
	char cmd[400];

	snprintf(cmd, sizeof(cmd), "%s <'%s' >'%s'", command, from, to ? to : "/dev/null");
	if (system(cmd))
		return -1;
	int fd = to ? open(to, O_RDONLY) : -1;
	int64_t size = to ? lseek(fd, 0, SEEK_END) : 0;
	close(fd);
	return size;
}

/* Read in pieces of 1 MiB, with or without hashing. */
static int64_t read_run(bool hash)
{
	static uint8_t buf[EBB_PIPE_BUFFER];
	EBB_CLEANUP(ebb_digest_release) struct ebb_digest d = {0};
	uint8_t out[EBB_DIGEST_MAX];
	int fd = open(input, O_RDONLY);
	ssize_t n;

	if (ebb_digest_init(&d, &ebb_digest_xxh128, NULL) < 0)
		die("no digest");
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (hash)
			ebb_digest_update(&d, buf, (size_t)n);
	}
	close(fd);
	return ebb_digest_final(&d, out, NULL);
}

enum what { READ, HASH, COPY, ENCODE, DECODE, TOOL_ENCODE, TOOL_DECODE };

struct row {
	const char *name;
	enum what what;
	const char *codec;	/* or the tool's command */
	int level;
	unsigned threads;
	double t[ROUNDS];
	int64_t size;
};

static struct row rows[] = {
	{"read", READ, NULL, 0, 0, {0}, 0},
	{"read + xxh128", HASH, NULL, 0, 0, {0}, 0},
	{"pipe copy, no sink", COPY, "", 0, 0, {0}, 0},
	{"ebb zstd 3, 1 thread", ENCODE, "zstd", 3, 1, {0}, 0},
	{"ebb zstd 3, 2 threads", ENCODE, "zstd", 3, 2, {0}, 0},
	{"zstd -3 -T2", TOOL_ENCODE, "zstd -3 -T2 -qc", 0, 0, {0}, 0},
	{"ebb zstd decode", DECODE, "zstd", 0, 0, {0}, 0},
	{"zstd -d", TOOL_DECODE, "zstd -dqc", 0, 0, {0}, 0},
	{"ebb lz4 1", ENCODE, "lz4", 1, 1, {0}, 0},
	{"lz4 -1", TOOL_ENCODE, "lz4 -1 -qqc", 0, 0, {0}, 0},
	{"ebb lz4 decode", DECODE, "lz4", 0, 0, {0}, 0},
	{"lz4 -d", TOOL_DECODE, "lz4 -dqqc", 0, 0, {0}, 0},
};

static int64_t row_run(const struct row *r)
{
	switch (r->what) {
	case READ:
	case HASH:
		return read_run(r->what == HASH);
	case COPY:
		return pipe_run(EBB_PIPE_COPY, "", 0, 0, input, NULL);
	case ENCODE:
		return pipe_run(EBB_PIPE_ENCODE, r->codec, r->level, r->threads, input, coded);
	case DECODE:	/* of what the row before made */
		return pipe_run(EBB_PIPE_DECODE, r->codec, 0, 0, coded, NULL);
	case TOOL_ENCODE:
		return tool_run(r->codec, input, coded);
	default:
		return tool_run(r->codec, coded, NULL);
	}
}

static void print_table(void)
{
	printf("%-22s %8s %10s %8s   (%lld bytes, %d rounds)\n", "", "s", "MB/s", "ratio",
	       (long long)input_size, ROUNDS);
	for (size_t i = 0; i < EBB_ARRAY_LEN(rows); i++) {
		struct row *r = &rows[i];
		double t = ebb_bench_median(r->t, ROUNDS);

		printf("%-22s %8.3f %10.0f", r->name, t, (double)input_size / t / 1e6);
		if (r->size < 0)
			printf("   (the tool failed)");
		else if (r->what == ENCODE || r->what == TOOL_ENCODE)
			printf(" %8.3f", (double)input_size / (double)r->size);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	input = argc > 1 ? argv[1] : NULL;
	if (!input)
		make_input();
	int fd = open(input, O_RDONLY);
	if (fd < 0 || (input_size = lseek(fd, 0, SEEK_END)) <= 0)
		die("cannot open the input");
	close(fd);

	close(mkstemp(coded));
	for (int round = -1; round < ROUNDS; round++) {
		for (size_t i = 0; i < EBB_ARRAY_LEN(rows); i++) {
			double t = ebb_bench_now();

			rows[i].size = row_run(&rows[i]);
			if (round >= 0)
				rows[i].t[round] = ebb_bench_now() - t;
		}
	}
	print_table();
	unlink(coded);
	if (input == made)
		unlink(made);
	return 0;
}
