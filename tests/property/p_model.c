/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Promises: P1 P4 P5 P14
 *
 * Random sequences of scan, plan, apply, undo, restore, trash expiry, kills amid any of them, and changes from outside between any of them, against a
 * simple model of what must exist: every content that was ever written can still be read somewhere (at its key, in the trash, at its
 * destination, decoded, unpacked), unless somebody overwrote or deleted it from outside, its rule said to purge it, or its time in the trash
 * was over. And an undo that nobody disturbed gives back the tree as it was before its run.
 *
 * The commands are the program's own, each in a process of its own, over two folders. A kill is a SIGKILL before or after the n-th
 * call by which a process changes a file. EBB_SEQUENCES says how many sequences; each has a seed of its own, which a failure prints:
 * EBB_SEED=seed EBB_SEQUENCES=1 runs that one again.
 */
#include <stdatomic.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"
#include "compress/codec.h"
#include "core/buf.h"
#include "tests/support/scratch.h"
#include "tests/support/seed.h"
#include "tests/support/snapshot.h"

#define SEQUENCES 40

/* --- Kills ----------------------------------------------------------------------------------------------- */

static atomic_long calls_left;	/* 0: none is coming; threads count it down together */
static bool kill_after;

static void maybe_die(bool after)
{
	if (calls_left && after == kill_after && atomic_fetch_sub(&calls_left, 1) == 1)
		kill(getpid(), SIGKILL);
}

#define INTERPOSE(type, name, params, ...)                                                         \
	type name params                                                                           \
	{                                                                                          \
		maybe_die(false);                                                                  \
		type r = (type)syscall(__VA_ARGS__);                                               \
		maybe_die(true);                                                                   \
		return r;                                                                          \
	}

INTERPOSE(ssize_t, write, (int fd, const void *p, size_t n), SYS_write, fd, p, n)
INTERPOSE(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), SYS_pwrite64, fd, p, n, at)
INTERPOSE(int, fsync, (int fd), SYS_fsync, fd)
INTERPOSE(int, fdatasync, (int fd), SYS_fdatasync, fd)
INTERPOSE(int, ftruncate, (int fd, off_t n), SYS_ftruncate, fd, n)
INTERPOSE(int, unlinkat, (int dir, const char *name, int flags), SYS_unlinkat, dir, name, flags)
INTERPOSE(int, mkdirat, (int dir, const char *name, mode_t mode), SYS_mkdirat, dir, name, mode)
INTERPOSE(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags), SYS_renameat2, a, from, b, to, flags)
INTERPOSE(int, linkat, (int a, const char *from, int b, const char *to, int flags), SYS_linkat, a, from, b, to, flags)
INTERPOSE(int, utimensat, (int dir, const char *name, const struct timespec t[2], int flags), SYS_utimensat, dir, name, t, flags)

/* --- The program ----------------------------------------------------------------------------------------- */

static char root[1000];

static int command(int argc, char **argv)
{
	const struct ebb_cli_command *cmd = NULL;
	EBB_CLEANUP(ebb_cli_args_freep) struct ebb_cli_args *args = NULL;
	EBB_CLEANUP(ebb_app_release) struct ebb_app app = {0};
	struct ebb_err err = {0};
	int r = ebb_cli_parse(argc, argv, &cmd, &args, &err);

	if (r == 0)
		r = ebb_app_init(&app, args, &err);
	if (r == 0)
		r = cmd->run(&app, args, &err);
	ebb_out_flush(ebb_out_standard(), NULL);
	if (r && *err.msg)
		fprintf(stderr, "ebb: %s\n", err.msg);
	return ebb_err_exit_of(r);
}

enum { KILLED = -1 };

/* Run a command; @kill_at: die at that call. The exit status, or KILLED. What it says is in root/said. */
static int ebb(long kill_at, bool after, int64_t now, const char *line)
{
	int status;

	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		char words[512], *argv[16] = {(char[]){"ebb"}}, time[32], path[4200];
		int argc = 1;

		snprintf(words, sizeof(words), "%s", line);
		for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
			argv[argc++] = w;
		snprintf(path, sizeof(path), "%s/said", root);
		int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		dprintf(fd, "$ ebb %s\n", line);
		time_t s = (time_t)now;
		struct tm tm;
		strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&s, &tm));
		setenv("EBB_NOW", time, 1);
		calls_left = kill_at;
		kill_after = after;
		_exit(command(argc, argv));
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? KILLED : WEXITSTATUS(status);
}

/* --- The world, and the model of it ---------------------------------------------------------------------- */

#define VALUES 256
#define KEYS 12

static const char *const kinds[] = {"del", "purge", "tier", "zst", "lz4", "arc", "dup", "keep"};

enum fate { MUST_EXIST, MAY_GO };

/* A content that was written at some time. */
static struct value {
	enum fate fate;
	int like;		/* the value with the same content, itself if none */
	char key[32];
} values[VALUES];

static int nvalues, now_in[EBB_ARRAY_LEN(kinds)][KEYS];	/* value that stands there by the model's last look from outside, -1: none */
static struct ebb_prng rng;
static uint64_t seed_now;
static struct ebb_buf story;

static uint64_t below(uint64_t n)
{
	return ebb_prng_below(&rng, n);
}

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	ebb_buf_addf(&story, "%s\n", line);
}

static void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *fmt, ...)
{
	static char why[1 << 16], cmd[4300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s\n%s\nagain: EBB_SEED=%llu EBB_SEQUENCES=1\n", story.data ? story.data : "", why,
		(unsigned long long)seed_now);
	snprintf(cmd, sizeof(cmd), "find %s/hot %s/cold -printf '%%p %%s %%m %%TY-%%Tm-%%Td %%TT\\n' | sed 's|%s/||' | sort; tail -n 60 %s/said", root, root, root, root);
	if (system(cmd) != 0)
		fputs("cannot show it\n", stderr);
	exit(EXIT_FAILURE);
}

/* Content of a value: some hundred to some thousand bytes that no other has. */
static char *content(int v, size_t *ret_len)
{
	v = values[v].like;
	size_t len = 100 + (size_t)v * 977 % 9000, n = 0;
	char *data = malloc(len + 32);

	for (int k = 0; n < len; k++)
		n += (size_t)snprintf(data + n, 32, "value %03d line %d\n", v, k % 50);
	*ret_len = len;
	return data;
}

static void key_path(char *to, const char *store, const char *key)
{
	snprintf(to, 4300, "%s/%s/%s", root, store, key);
}

/* Write a new value under hot/KIND/N, as a new file or over what stands there. */
static void put(int kind, int n, bool in_place)
{
	char key[32], path[4300], tmp[4400];
	size_t len;

	if (nvalues == VALUES)
		return;
	int v = nvalues++;
	snprintf(key, sizeof(key), "%s/f%d", kinds[kind], n);
	values[v] = (struct value){.like = v};
	/* twins are put by pairs: the second of two gets what the first has */
	if (kind == 6 && n % 2 && now_in[kind][n - 1] >= 0)
		values[v].like = values[now_in[kind][n - 1]].like;
	snprintf(values[v].key, sizeof(values[v].key), "%s", key);
	values[v].fate = kind == 1 ? MAY_GO : MUST_EXIST;
	if (now_in[kind][n] >= 0 && access((key_path(path, "hot", key), path), F_OK) == 0)
		values[now_in[kind][n]].fate = MAY_GO;
	now_in[kind][n] = v;
	char *data = content(v, &len);
	snprintf(path, sizeof(path), "%s/hot/%s", root, kinds[kind]);
	mkdir(path, 0755);
	key_path(path, "hot", key);
	snprintf(tmp, sizeof(tmp), "%s/new", root);
	int fd = open(in_place ? path : tmp, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	close(fd);
	if (!in_place && rename(tmp, path) < 0)
		abort();
	const struct timespec t[2] = {{1500000000 + v, 5}, {1500000000 + values[v].like, 5}};
	utimensat(AT_FDCWD, path, t, 0);
	free(data);
	tell("  outside: value %d (like %d) %s hot/%s", v, values[v].like, in_place ? "into" : "as", key);
}

/* --- Where contents are ---------------------------------------------------------------------------------- */

static bool found[VALUES];
static int temporaries;
static bool struck_off;		/* something was deleted in a pack in this sequence */

static void slurp(const char *path, struct ebb_buf *out)
{
	char buf[1 << 14];
	ssize_t n;
	int fd = open(path, O_RDONLY);

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		ebb_buf_add(out, buf, (size_t)n);
	close(fd);
}

static void decode(const struct ebb_codec *c, struct ebb_buf *b)
{
	EBB_CLEANUP(ebb_codec_stream_freep) struct ebb_codec_stream *s = NULL;
	struct ebb_codec_io io = {.in = (const uint8_t *)b->data, .in_len = b->len};
	struct ebb_buf out = EBB_BUF_INIT(1 << 26);
	static uint8_t room[1 << 16];
	int r = ebb_codec_decoder_new(c, &s, NULL);

	while (r == 0) {
		io.out = room;
		io.out_len = sizeof(room);
		r = ebb_codec_step(s, &io, true, NULL);
		ebb_buf_add(&out, room, sizeof(room) - io.out_len);
	}
	if (r < 0)
		ebb_buf_clear(&out);
	ebb_buf_release(b);
	*b = out;
}

static void note(const char *path, const char *name)
{
	EBB_CLEANUP(ebb_buf_release) struct ebb_buf b = EBB_BUF_INIT(1 << 26);
	const struct ebb_codec *c = ebb_codec_of_key(name, strlen(name));

	if (strncmp(name, ".ebb-tmp", 8) == 0) {
		temporaries++;
		return;
	}
	struck_off = struck_off || strstr(path, ".gone/");
	slurp(path, &b);
	if (c && b.data)
		decode(c, &b);
	for (int v = 0; v < nvalues; v++) {
		size_t len;

		if (values[v].like != v)
			continue;
		char *data = content(v, &len);
		found[v] = found[v] || (b.len >= len && (strstr(name, ".tar.zst") ? memmem(b.data, b.len, data, len) != NULL
									      : b.len == len && memcmp(b.data, data, len) == 0));
		free(data);
	}
}

static void walk(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[8192];
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
			walk(path);
		else
			note(path, e->d_name);
	}
	if (d)
		closedir(d);
}

static void look(void)
{
	char path[4200];

	memset(found, 0, sizeof(found));
	temporaries = 0;
	for (const char *const *s = (const char *const[]){"hot", "cold", NULL}; *s; s++) {
		snprintf(path, sizeof(path), "%s/%s", root, *s);
		walk(path);
	}
	for (int v = 0; v < nvalues; v++)
		if (values[v].fate == MUST_EXIST && !found[values[v].like])
			fail("value %d of '%s' is lost", v, values[v].key);
}

/* --- Steps ----------------------------------------------------------------------------------------------- */

static int64_t now;
static char *before;		/* hot as it was before the run that is the last one; NULL: somebody has changed something since */
static bool scanned, planned;
static bool begun;		/* the plan has been applied, be it in part */
static bool clean;		/* no run was killed that has not gone on since */

static void disturb(void)
{
	free(before);
	before = NULL;
}

static char *snapshot(void)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/hot", root);
	char *text = ebb_snapshot_of(path), *to = text;

	/* folders have times that a run of which a part was purged cannot give back; the trash may stay as an empty folder */
	for (char *line = text, *end; *line; line = end) {
		end = strchr(line, '\n') + 1;
		const char *mode = strchr(line, ' ');
		if (mode[1] == '4' || strncmp(line, "purge/", 6) == 0)
			continue;
		char *atime = memmem(line, (size_t)(end - line), " a=", 3);
		if (atime)
			memset(atime + 3, '-', strcspn(atime + 3, " \n"));
		memmove(to, line, (size_t)(end - line));
		to += end - line;
	}
	*to = 0;
	return text;
}

static int run(const char *line, bool may_die)
{
	long at = may_die && below(3) == 0 ? 1 + (long)below(below(2) ? 30 : 400) : 0;
	int status = ebb(at, below(2), now, line);

	now += 1 + (int64_t)below(3600);
	tell("  ebb %s: %s%d", line, status == KILLED ? "killed " : "", status);
	return status;
}

static void expect(const char *line, int status, int most)
{
	if (status > most && status != 6 && status != 7)
		fail("'%s' ended with %d", line, status);
}

static void step_scan(void)
{
	int status = run("scan --hash candidates -q", true);

	/* one that went on after a kill may find that what it saw has gone */
	expect("scan", status, 1);
	scanned = scanned || status == 0;
}

static void step_plan(void)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/plan", root);
	unlink(path);
	int status = run("plan -q -o plan", true);
	planned = status == 0;
	begun = false;
	disturb();
	/* of a first scan that was killed there is no index yet */
	expect("plan", status, scanned ? 0 : 5);
}

/* Runs that have a journal. */
static int runs(void)
{
	char path[4200], journal[4500];
	int n = 0;

	snprintf(path, sizeof(path), "%s/idx/runs", root);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		snprintf(journal, sizeof(journal), "%.4000s/%s/journal", path, e->d_name);
		n += access(journal, F_OK) == 0;
	}
	if (d)
		closedir(d);
	return n;
}

/* A plan is applied until it is at its end; a kill on the way changes nothing but the number of attempts. */
static void step_apply(void)
{
	if (!planned)
		return;
	if (!begun && clean && !before)
		before = snapshot();
	begun = true;
	int known = runs(), status = run("apply -q plan", true);
	clean = status != KILLED;
	if (status == KILLED && below(2)) {
		if (runs() == known)
			disturb(); /* it had not begun one: the last run is another */
		return; /* others come first */
	}
	for (int i = 0; status == KILLED && i < 20; i++)
		status = run("apply -q plan", i < 19);
	clean = true;
	expect("apply", status, 1);
	planned = false;
	look();
	if (temporaries)
		fail("%d temporaries stay", temporaries);
}

static void step_undo(void)
{
	int status = run("undo -q last", true);

	for (int i = 0; status == KILLED && i < 20; i++)
		status = run("undo -q last", i < 19);
	clean = true;
	if (status == 2 || status == 5)
		return; /* no run yet */
	expect("undo", status, 1);
	look();
	if (before && status == 0) {
		char *is = snapshot();

		if (strcmp(is, before) != 0)
			fail("undone it is\n%s\nand was\n%s", is, before);
		free(is);
	}
	disturb();
}

/* One key, whichever run took it. */
static void step_restore(void)
{
	char line[64];

	snprintf(line, sizeof(line), "restore -q hot:%s/f%d", kinds[below(EBB_ARRAY_LEN(kinds))], (int)below(KEYS));
	int status = run(line, true);
	for (int i = 0; status == KILLED && i < 20; i++)
		status = run(line, i < 19);
	clean = true;
	disturb();
	/* no run took it, most often */
	expect(line, status, 5);
	look();
}

static void step_expire(void)
{
	now += 40 * 86400;
	/* what lies in the trash may go from here on, and nothing else: what was deleted in a pack stays in it until that is packed anew */
	for (int v = 0; v < nvalues; v++) {
		char path[4300];
		bool stands = false;

		if (strncmp(values[v].key, "del/", 4) != 0)
			continue;
		key_path(path, "hot", values[v].key);
		for (int n = 0; n < KEYS; n++)
			stands = stands || (now_in[0][n] == v && access(path, F_OK) == 0);
		if (!stands)
			values[v].fate = MAY_GO;
	}
	disturb();
	int status = run("trash --empty -q", true);
	clean = status != KILLED;
	expect("trash", status, 1);
}

static void step_outside(void)
{
	int kind = (int)below(EBB_ARRAY_LEN(kinds)), n = (int)below(KEYS);
	char key[32], path[4300];
	struct stat st;

	snprintf(key, sizeof(key), "%s/f%d", kinds[kind], n);
	key_path(path, "hot", key);
	bool stands = lstat(path, &st) == 0;
	disturb();
	/* where a run has moved something away, it stays the model's: undo may bring it back */
	if (!stands && now_in[kind][n] >= 0 && below(3))
		return;
	switch (below(4)) {
	case 0:
		if (stands && st.st_nlink == 1) {
			tell("  outside: remove hot/%s", key);
			values[now_in[kind][n]].fate = MAY_GO;
			now_in[kind][n] = -1;
			unlink(path);
		}
		return;
	case 1:
		if (stands) {
			const struct timespec t[2] = {{0, UTIME_OMIT}, {1400000000 + (time_t)below(1000), 9}};

			tell("  outside: touch hot/%s", key);
			utimensat(AT_FDCWD, path, t, 0);
		}
		return;
	case 2:
		if (stands && st.st_nlink == 1)
			put(kind, n, true);
		return;
	default:
		put(kind, n, false);
	}
}

static void write_config(void)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/ebb.yaml", root);
	FILE *f = fopen(path, "w");
	fprintf(f,
		"version: 1\n"
		"stores:\n"
		"  hot: {type: fs, path: %s/hot}\n"
		"  cold: {type: fs, path: %s/cold}\n"
		"rules:\n"
		"  - {name: d, store: hot, match: \"del/**\", do: delete, trash: 1d}\n"
		"  - {name: p, store: hot, match: \"purge/**\", do: delete, purge: \"cannot be undone\"}\n"
		"  - {name: t, store: hot, match: \"tier/**\", do: tier, to: cold}\n"
		"  - {name: z, store: hot, match: \"zst/f*\", do: compress, codec: zstd}\n"
		"  - {name: l, store: hot, match: \"lz4/f*\", do: compress, codec: lz4}\n"
		"  - {name: a, store: hot, match: \"arc/**\", do: archive, to: cold}\n"
		"  - {name: u, store: hot, match: \"dup/**\", do: dedup, how: hardlink}\n"
		"  - {name: s, match: \"arc/f[0-4]\", when: \"age > 1y\", store: hot, do: delete, packed: true, trash: 30d}\n"
		"limits: {max_delete: 100%%}\n", root, root);
	fclose(f);
}

/* --- A sequence ------------------------------------------------------------------------------------------ */

static void sequence(const char *base, uint64_t seed, int number)
{
	static void (*const steps[])(void) = {
		step_scan, step_plan, step_apply, step_apply, step_undo, step_restore, step_outside, step_outside, step_outside,
		step_expire,
	};
	char cmd[8400];

	seed_now = seed;
	rng = (struct ebb_prng){seed};
	now = 1795460400;
	nvalues = 0;
	planned = scanned = begun = struck_off = false;
	clean = true;
	memset(now_in, -1, sizeof(now_in));
	ebb_buf_clear(&story);
	snprintf(root, sizeof(root), "%.900s/%d", base, number);
	snprintf(cmd, sizeof(cmd), "mkdir -p %s/hot %s/cold && echo x >%s/hot/anchor && echo x >%s/cold/anchor", root, root, root, root);
	if (system(cmd) != 0 || chdir(root) < 0)
		abort();
	setenv("EBB_INDEX", "idx", 1);
	write_config();
	for (int i = 0; i < 10; i++)
		put((int)below(EBB_ARRAY_LEN(kinds)), (int)below(KEYS), false);
	/* mostly in the order that leads somewhere, now and then in any */
	for (int round = 0; round < 3; round++) {
		step_scan();
		if (below(3) == 0)
			step_outside();
		step_plan();
		for (int n = 2 + (int)below(6); n > 0; n--) {
			steps[below(EBB_ARRAY_LEN(steps))]();
			look();
		}
		step_apply();
		look();
	}
	disturb();
	if (chdir("/") < 0)
		abort();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	if (system(cmd) != 0)
		abort();
}

int main(void)
{
	struct ebb_prng seeds = ebb_seed_start();
	const char *base = ebb_scratch_new(), *n = getenv("EBB_SEQUENCES");
	int sequences = n ? atoi(n) : SEQUENCES, with_stones = 0;

	umask(022);
	ebb_buf_init(&story, 1 << 20);
	for (int i = 0; i < sequences; i++) {
		sequence(base, i == 0 ? seeds.state : ebb_prng_next(&seeds), i);
		with_stones += struck_off;
	}
	printf("%d sequences: 0 violations, objects in packs deleted in %d\n", sequences, with_stones);
	ebb_buf_release(&story);
	return EXIT_SUCCESS;
}
