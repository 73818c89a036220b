/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Compression as whole processes beside the stock tool's, on files of several kinds: generic data against
 * zstd -3 -T2, tensors against zstd -3 (one thread both), a mixed set at level 9, where the sample
 * spares what will not shrink. Medians of ROUNDS interleaved rounds after one that does not count; page
 * cache warm, output to /dev/null. Prints ratios; judges nothing.
 *
 *     b_compress [DIR]     DIR: files named *.tar, *.so, *.log and w_*.bin, else made up (synthetic weights)
 */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compress/pipe.h"
#include "compress/sample.h"
#include "core/pool.h"
#include "tests/support/bench.h"
#include "tests/support/prng.h"
#include "tests/support/scratch.h"

#define ROUNDS 3
#define MADE ((size_t)64 << 20)
#define PIECE ((size_t)4 << 20)
#define PIECES 20	/* of the mixed set; every seventh is noise: 15 % */

static const char *self;
static const char *scratch;

static void die(const char *what)
{
	fprintf(stderr, "b_compress: %s\n", what);
	exit(1);
}

/* --- What is measured: this program as a tool ---------------------------------------------------------- */

static int64_t fd_read(void *ctx, void *buf, size_t len, struct ebb_err *err)
{
	ssize_t n = read(*(int *)ctx, buf, len);

	return n < 0 ? ebb_err_set(err, EBB_EIO, "cannot read") : n;
}

static int64_t fd_range(void *ctx, int64_t off, void *buf, size_t len, struct ebb_err *err)
{
	ssize_t n = pread(*(int *)ctx, buf, len, off);

	return n < 0 ? ebb_err_set(err, EBB_EIO, "cannot read") : n;
}

static int fd_write(void *ctx, const void *buf, size_t len, struct ebb_err *err)
{
	return write(*(int *)ctx, buf, len) == (ssize_t)len ? 0 : ebb_err_set(err, EBB_EIO, "cannot write");
}

/* Through the pipe to @out; bytes of the coded side. */
static int64_t code(bool encode, const char *codec, int level, unsigned threads, const char *file, int out)
{
	int in = open(file, O_RDONLY);
	struct ebb_err err = {0};
	struct ebb_pipe_result r;
	struct stat st;
	struct ebb_pipe p = {
		.read = fd_read, .read_ctx = &in, .write = fd_write, .write_ctx = &out,
		.mode = encode ? EBB_PIPE_ENCODE : EBB_PIPE_DECODE,
		.codec = ebb_codec_find(codec), .level = level, .threads = threads, .raw_size = -1,
	};

	if (in < 0 || fstat(in, &st) < 0)
		die(file);
	if (encode)
		p.raw_size = st.st_size;
	if (ebb_pipe_run(&p, &r, &err) < 0)
		die(err.msg);
	close(in);
	return r.coded_size;
}

static int mixed_level;

/* What is done with an object of a mixed set: what will not shrink is left as it is. */
static int code_one(void *arg, struct ebb_err *err)
{
	const char *file = arg;
	int in = open(file, O_RDONLY);
	struct ebb_sample s;

	(void)err;
	if (in < 0 || ebb_sample_guess(fd_range, &in, lseek(in, 0, SEEK_END), &s, NULL) < 0)
		die(file);
	close(in);
	if (s.verdict == EBB_SAMPLE_SHRINKS)
		code(true, "zstd", mixed_level, 1, file, STDOUT_FILENO);
	return 0;
}

/* As the program does: small objects two at a time with one thread each, where zstd -T2 takes them one after the other with two. */
static void code_mixed(int level, char **files)
{
	struct ebb_pool *pool = NULL;

	mixed_level = level;
	if (ebb_pool_new(2, PIECES, &pool, NULL) < 0)
		die("no threads");
	for (; *files; files++)
		if (ebb_pool_submit(pool, code_one, *files, NULL) < 0)
			die(*files);
	ebb_pool_wait(pool, NULL);
	ebb_pool_free(pool);
}

static int as_tool(char **argv)
{
	if (strcmp(argv[1], "--mixed") == 0)
		code_mixed(atoi(argv[2]), argv + 3);
	else
		code(strcmp(argv[1], "--encode") == 0, argv[2], atoi(argv[3]), (unsigned)atoi(argv[4]), argv[5],
		     STDOUT_FILENO);
	return 0;
}

/* --- Comparing ---------------------------------------------------------------------------------------- */

struct tool {
	const char *argv[40];
	double wall[ROUNDS], cpu[ROUNDS];
};

static void run(struct tool *t, int round)
{
	struct ebb_bench_run r = ebb_bench_run(t->argv);

	if (r.status != 0)
		die(t->argv[0]);
	if (round >= 0) {
		t->wall[round] = r.wall;
		t->cpu[round] = r.cpu;
	}
}

/* Both, interleaved; how many times faster ours is. */
static void compare(const char *what, struct tool *ours, struct tool *theirs)
{
	for (int round = -1; round < ROUNDS; round++) {
		run(ours, round);
		run(theirs, round);
	}
	double wall = ebb_bench_median(theirs->wall, ROUNDS) / ebb_bench_median(ours->wall, ROUNDS);
	double cpu = ebb_bench_median(theirs->cpu, ROUNDS) / ebb_bench_median(ours->cpu, ROUNDS);

	printf("%-28s %6.2fx wall  %6.2fx cpu", what, wall, cpu);
	fflush(stdout);
}

static int64_t size_of(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 ? st.st_size : -1;
}

/* Both encode @file to a file beside; ours against theirs in size. The names are for decoding. */
static double sizes(const char *codec, unsigned threads, const char *file, char *ours, char *theirs)
{
	char cmd[1000];

	sprintf(ours, "%s/ours", scratch);
	sprintf(theirs, "%s.zst", ours);
	int out = open(ours, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int64_t n = code(true, codec, 0, threads, file, out);
	close(out);
	snprintf(cmd, sizeof(cmd), "zstd -3 -T%u -qf -o '%s' '%s'", threads, theirs, file);
	if (system(cmd) != 0)
		die("no zstd");
	return (double)n / (double)size_of(theirs);
}

static void compare_file(const char *codec, unsigned threads, const char *file)
{
	static char ours[300], theirs[310];
	char n[12], t[12], what[100];
	double size = sizes(codec, threads, file, ours, theirs);

	snprintf(n, sizeof(n), "%u", threads);
	snprintf(t, sizeof(t), "-T%u", threads);
	struct tool a = {.argv = {self, "--encode", codec, "0", n, file}};
	struct tool b = {.argv = {"zstd", "-3", t, "-qc", file}};
	snprintf(what, sizeof(what), "%s %s in", strrchr(file, '/') + 1, codec);
	compare(what, &a, &b);
	printf("  %6.3fx size\n", size);

	struct tool c = {.argv = {self, "--decode", codec, "0", "1", ours}};
	struct tool d = {.argv = {"zstd", "-dqc", theirs}};
	snprintf(what, sizeof(what), "%s %s out", strrchr(file, '/') + 1, codec);
	compare(what, &c, &d);
	printf("\n");
	unlink(ours);
	unlink(theirs);
}

/* --- Input -------------------------------------------------------------------------------------------- */

static void make_log(FILE *f)
{
	struct ebb_prng r = {1};

	for (size_t len = 0, n = 0; len < MADE; n++)
		len += (size_t)fprintf(f, "2026-03-01 %02zu:%02zu.%02zu gpu-%02u GET /v1/%s %u %u\n",
				       n / 6000 % 24, n / 100 % 60, n % 100, (unsigned)ebb_prng_below(&r, 40),
				       n % 3 ? "train/step" : "metrics", n % 9 ? 200u : 500u,
				       (unsigned)ebb_prng_below(&r, 1 << 20));
}

/* Sums of twelve, so nearly normal; sigma by 64 Ki elements. @bytes of each float from the top. */
static void make_weights(FILE *f, size_t bytes)
{
	struct ebb_prng r = {7};
	float sigma = 1;

	for (size_t i = 0; i < MADE / bytes; i++) {
		double sum = -6;

		if (i % 65536 == 0)
			sigma = 0.01f + (float)ebb_prng_below(&r, 100) / 2000;
		for (int k = 0; k < 6; k++) {
			uint64_t x = ebb_prng_next(&r);

			sum += (double)(uint32_t)x / 4294967296.0 + (double)(x >> 32) / 4294967296.0;
		}
		float w = sigma * (float)sum;
		fwrite((const char *)&w + 4 - bytes, 1, bytes, f);
	}
}

static void make_noise(FILE *f)
{
	struct ebb_prng r = {3};

	for (size_t i = 0; i < MADE / 8; i++) {
		uint64_t x = ebb_prng_next(&r);

		fwrite(&x, 1, sizeof(x), f);
	}
}

static const char *make_input(void)
{
	static const char *const names[] = {"made.log", "w_bf16.bin", "w_fp32.bin", "random.bin"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(names); i++) {
		char path[500];

		snprintf(path, sizeof(path), "%s/%s", scratch, names[i]);
		FILE *f = fopen(path, "wb");
		if (!f)
			die("cannot make the input");
		if (i == 0)
			make_log(f);
		else if (i == 3)
			make_noise(f);
		else
			make_weights(f, i == 1 ? 2 : 4);
		if (fclose(f) != 0)
			die("cannot write the input");
	}
	return scratch;
}

static struct dirent **list;
static int nlist;

/* Files of @dir that match, by name, to @fn. */
static void each(const char *dir, const char *pattern, void (*fn)(const char *path))
{
	for (int i = 0; i < nlist; i++) {
		char path[1000];

		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		if (fnmatch(pattern, list[i]->d_name, 0) == 0)
			fn(path);
	}
}

static void compare_generic(const char *path)
{
	compare_file("zstd", 2, path);
}

static void compare_tensors(const char *path)
{
	compare_file("tensor", 1, path);
}

/* --- The mixed set ------------------------------------------------------------------------------------ */

static char pieces[PIECES][300];
static int npieces;

/* Pieces of this file, as many as its kind is to have. */
static void cut(const char *path)
{
	static uint8_t buf[PIECE];
	int want = fnmatch("*random*", path, 0) == 0 ? PIECES * 15 / 100 : PIECES, in = open(path, O_RDONLY);

	for (int i = 0; i < want && npieces < PIECES && pread(in, buf, PIECE, (off_t)i * (off_t)PIECE) > 0; i++) {
		snprintf(pieces[npieces], sizeof(pieces[0]), "%s/%d", scratch, npieces);
		int out = open(pieces[npieces++], O_WRONLY | O_CREAT, 0600);
		if (write(out, buf, PIECE) != (ssize_t)PIECE)
			die("cannot write a piece");
		close(out);
	}
	close(in);
}

static void compare_mixed(const char *dir)
{
	struct tool a = {.argv = {self, "--mixed", "9"}}, b = {.argv = {"zstd", "-9", "-T2", "-qc"}};

	each(dir, "random*", cut);
	each(dir, "*.log", cut);
	for (int i = 0; i < npieces; i++)
		a.argv[3 + i] = b.argv[4 + i] = pieces[i];
	compare("mixed set, level 9", &a, &b);
	printf("\n");
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 2)
		return as_tool(argv);

	scratch = ebb_scratch_new();
	const char *dir = argc > 1 ? argv[1] : make_input();
	if ((nlist = scandir(dir, &list, NULL, alphasort)) < 0)
		die("cannot read the folder");
	printf("times faster than zstd (more is better), and size against its (less is better)\n");
	each(dir, "*.tar", compare_generic);
	each(dir, "*.so", compare_generic);
	each(dir, "*.log", compare_generic);
	each(dir, "w_*.bin", compare_tensors);
	compare_mixed(dir);
	return 0;
}
