/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scanning a tree against its peers, warm, in interleaved rounds: ratios of one run, medians.
 *
 *   EBB_BENCH_TREE   the tree (default: made below TMPDIR, EBB_BENCH_FILES files, one million)
 *   EBB_BENCH_ROUNDS rounds after one warm-up (3)
 *
 * The tree: log-normal files a directory, one directory with 3 % of all files, nested up to 15 deep, names of four
 * kinds, 2 % hard links, 1 % symlinks, most files sparse.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scanners/walk.h"
#include "tests/support/bench.h"

#define DIRS_SHARE 20 /* files for each directory */

static uint64_t state = 42;
static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * UINT64_C(0x2545F4914F6CDD1D);
}

static double uniform(void)
{
	return (double)((rnd() >> 11) + 1) / 9007199254740993.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

static void file_name(char *out, size_t size, long i)
{
	static const char *const word[] = {"report", "model", "shard", "train", "metrics", "events", "raw", "batch"};
	static const char *const ext[] = {".json", ".parquet", ".log", ".npy", ".txt", ".bin", ".csv.gz", ""};
	const char *w = word[rnd() % 8], *e = ext[rnd() % 8];

	switch (rnd() % 4) {
	case 0:
		snprintf(out, size, "%s_%06ld%s", w, i, e);
		break;
	case 1:
		snprintf(out, size, "%s-%05ld-of-99999%s", w, i, e);
		break;
	case 2:
		snprintf(out, size, "%016llx%lx%s", (unsigned long long)rnd(), i, e);
		break;
	default:
		snprintf(out, size, "%s %s (copy %ld) rev%02u%s", w, word[rnd() % 8], i, (unsigned)(rnd() % 50), e);
	}
}

static void make_file(int dir, const char *name, char *last, const char *path)
{
	struct timespec t[2] = {{0}};
	unsigned kind = (unsigned)(rnd() % 100);
	int fd;

	if (kind < 2 && *last && linkat(AT_FDCWD, last, dir, name, 0) == 0)
		return;
	if (kind == 2 && symlinkat("elsewhere", dir, name) == 0)
		return;
	fd = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY, 0644);
	if (fd < 0)
		return;
	if (ftruncate(fd, (off_t)exp(8.3 + 2.4 * normal())) < 0)
		perror("ftruncate");
	t[1].tv_sec = 1750000000 - (long)exp(uniform() * log(157680000.0));
	t[1].tv_nsec = (long)(rnd() % 1000000000);
	t[0].tv_sec = t[1].tv_sec + 3600;
	futimens(fd, t);
	close(fd);
	if (rnd() % 97 == 0)
		snprintf(last, 4096, "%s/%s", path, name);
}

static void make_tree(const char *root, long files)
{
	long ndirs = files / DIRS_SHARE + 1, made = 0;
	char (*paths)[512] = calloc((size_t)ndirs, sizeof(*paths));
	char name[256], last[4096] = "";

	fprintf(stderr, "making %s with %ld files\n", root, files);
	if (!paths || mkdir(root, 0755) < 0)
		exit(1);
	if (snprintf(paths[0], sizeof(*paths), "%s", root) >= (int)sizeof(*paths))
		exit(1);
	for (long i = 1; i < ndirs; i++) {
		long p = uniform() < 0.5 ? (long)(rnd() % (uint64_t)i) : i - 1 - (long)(rnd() % (uint64_t)(i < 64 ? i : 64));
		if (strlen(paths[p]) > 400)
			p = 0;
		char path[512];
		snprintf(path, sizeof(path), "%.480s/d%ld", paths[p], i);
		memcpy(paths[i], path, sizeof(path));
		if (mkdir(paths[i], 0755) < 0)
			exit(1);
	}
	for (long i = 0; made < files; i = (i + 1) % ndirs) {
		long n = i == ndirs / 3 ? files * 3 / 100 : (long)(exp(1.3 * normal()) * DIRS_SHARE * 0.42);
		int dir = open(paths[i], O_RDONLY | O_DIRECTORY);
		for (long k = 0; k < n && made < files; k++, made++) {
			file_name(name, sizeof(name), made);
			make_file(dir, name, last, paths[i]);
		}
		close(dir);
	}
	free(paths);
}

static int ignore_record(void *ctx, const struct ebb_record *r, struct ebb_err *err)
{
	(void)ctx, (void)r, (void)err;
	return 0;
}

static int ignore_unreadable(void *ctx, const char *key, size_t len, const char *why, struct ebb_err *err)
{
	(void)ctx, (void)key, (void)len, (void)why, (void)err;
	return 0;
}

/* The walk alone, as a command of its own: getdents, statx and key order without an index. */
static int walk_only(const char *root)
{
	struct ebb_walk_opts o = {.root = root, .started = INT64_MAX};
	struct ebb_walk_fns fns = {ignore_record, ignore_unreadable, NULL};

	return ebb_walk_run(&o, &fns, NULL, NULL) < 0;
}

static char work[512], tree[600], config[700], index_dir[600];

static void write_config(void)
{
	FILE *f;

	snprintf(config, sizeof(config), "%s/ebb.yaml", work);
	f = fopen(config, "w");
	if (!f)
		exit(1);
	fprintf(f, "version: 1\nstores:\n  tree: {type: fs, path: '%s', class: NVME}\nrules:\n  - {name: all, do: keep}\n",
		tree);
	fclose(f);
}

static void drop_index(void)
{
	char cmd[700];
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", index_dir);
	if (system(cmd) != 0)
		exit(1);
}

struct contender {
	const char *name;
	const char *argv[10];
	bool fresh;		/* needs an index that does not exist */
	double wall[32], cpu[32], anon;
	bool failed;
};

static void run_rounds(struct contender *c, size_t n, int rounds)
{
	for (int r = -1; r < rounds; r++) {
		for (size_t i = 0; i < n; i++) {
			if (c[i].fresh)
				drop_index();
			struct ebb_bench_run run = ebb_bench_run(c[i].argv);
			c[i].failed |= run.status != 0;
			if (r < 0)
				continue;
			c[i].wall[r] = run.wall;
			c[i].cpu[r] = run.cpu;
			if (run.anon_mib > c[i].anon)
				c[i].anon = run.anon_mib;
		}
	}
}

static void print_table(struct contender *c, size_t n, int rounds)
{
	double base = 0;

	printf("%-40s %8s %8s %9s %12s %12s\n", "warm, median of rounds", "wall s", "cpu s", "anon MiB", "x bfs wall",
	       "x bfs cpu");
	double base_cpu = 0;
	for (size_t i = 0; i < n; i++) {
		double w = ebb_bench_median(c[i].wall, (size_t)rounds), u = ebb_bench_median(c[i].cpu, (size_t)rounds);
		if (i == 0) {
			base = w;
			base_cpu = u;
		}
		if (c[i].failed)
			printf("%-40s did not run\n", c[i].name);
		else
			printf("%-40s %8.3f %8.3f %9.1f %12.2f %12.2f\n", c[i].name, w, u, c[i].anon, base / w,
			       base_cpu / u);
	}
}

int main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR"), *ebb = getenv("EBB"), *given = getenv("EBB_BENCH_TREE");
	const char *files = getenv("EBB_BENCH_FILES"), *times = getenv("EBB_BENCH_ROUNDS");
	int rounds = times ? atoi(times) : 3;

	if (argc == 3 && strcmp(argv[1], "--walk") == 0)
		return walk_only(argv[2]);
	if (rounds < 1 || rounds > 32 || !ebb) {
		fprintf(stderr, "b_scan: set EBB to the program; EBB_BENCH_ROUNDS is 1 to 32\n");
		return 2;
	}
	snprintf(work, sizeof(work), "%s/b_scan.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(work))
		return 1;
	snprintf(tree, sizeof(tree), "%s", given ? given : "");
	if (!given) {
		snprintf(tree, sizeof(tree), "%s/tree", work);
		make_tree(tree, files ? atol(files) : 1000000);
	}
	snprintf(index_dir, sizeof(index_dir), "%s/index", work);
	write_config();
	struct contender c[] = {
		{.name = "bfs -printf, all stat fields",
		 .argv = {"bfs", tree, "-printf", "%p %s %b %m %U %G %n %i %D %T@ %A@ %C@ %y\\n"}},
		{.name = "find -printf, all stat fields",
		 .argv = {"find", tree, "-printf", "%p %s %b %m %U %G %n %i %D %T@ %A@ %C@ %y\\n"}},
		{.name = "du -s", .argv = {"du", "-s", tree}},
		{.name = "ebb scan, new index", .fresh = true,
		 .argv = {ebb, "--quiet", "--config", config, "--index", index_dir, "scan"}},
		{.name = "ebb scan again, nothing changed",
		 .argv = {ebb, "--quiet", "--config", config, "--index", index_dir, "scan"}},
		{.name = "floor: walk and statx, no index", .argv = {argv[0], "--walk", tree}},
	};
	run_rounds(c, sizeof(c) / sizeof(c[0]), rounds);
	print_table(c, sizeof(c) / sizeof(c[0]), rounds);
	char cmd[700];
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", work);
	return system(cmd) != 0;
}
