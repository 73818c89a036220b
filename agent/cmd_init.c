/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ebb init: a commented ebb.yaml for the folders and buckets named, on stdout. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "core/utf8.h"
#include "scanners/mounts.h"

enum { FOLDERS_MAX = 64 };

static const char scheme[] = "s3://";

/* A folder, or a bucket, on its way to being a store. */
struct folder {
	char path[PATH_MAX];	/* or URL */
	char bucket[256];	/* "": a folder */
	const char *prefix;	/* of a bucket, in path; "" or ends in '/' */
	char name[EBB_INDEX_NAME_MAX + 1];
	const char *class;	/* guessed, or NULL */
	const char *because;	/* why, for the comment */
	struct ebb_mount mount;
};

/* 1: spinning, 0: flash, -1: nobody knows. A partition says it through its disk. */
static int rotational(dev_t dev)
{
	static const char *const above[] = {"", "../"};

	for (size_t i = 0; i < EBB_ARRAY_LEN(above); i++) {
		char path[128], c = 0;

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/rotational", major(dev),
			 minor(dev), above[i]);
		EBB_CLEANUP(ebb_mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, &c, 1) == 1 && (c == '0' || c == '1'))
			return c - '0';
	}
	return -1;
}

static void guess_class(struct folder *f, dev_t dev)
{
	int spins = f->mount.network ? -1 : rotational(dev);

	f->class = spins < 0 ? NULL : spins ? "HDD" : "NVME";
	if (f->mount.network)
		f->because = "a network filesystem: what it stands on is not known here";
	else if (spins < 0)
		f->because = "the kernel does not tell what it stands on";
	else
		f->because = spins ? "the kernel says: a spinning disk" : "the kernel says: flash";
}

/* A store's name from a path: its last part in lower-case letters, digits and dashes, unique among those before. */
static void name_folder(struct folder *f, const struct folder *before, size_t n)
{
	const char *base = strrchr(f->path, '/');
	char stem[41];
	size_t len = 0;

	for (base = base ? base + 1 : f->path; *base && len < sizeof(stem) - 1; base++) {
		if (isalnum((unsigned char)*base))
			stem[len++] = (char)tolower((unsigned char)*base);
		else if (len && stem[len - 1] != '-')
			stem[len++] = '-';
	}
	while (len && stem[len - 1] == '-')
		len--;
	stem[len] = 0;
	if (!len || !isalpha((unsigned char)stem[0]))
		snprintf(f->name, sizeof(f->name), len ? "store-%s" : "root%s", stem);
	else
		snprintf(f->name, sizeof(f->name), "%s", stem);
	memcpy(stem, f->name, sizeof(stem) - 1);
	stem[sizeof(stem) - 1] = 0;
	for (size_t i = 0, k = 2; i < n; i++)
		if (strcmp(before[i].name, f->name) == 0) {
			snprintf(f->name, sizeof(f->name), "%s-%zu", stem, k++);
			i = (size_t)-1;
		}
}

static bool inside(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (path[n] == '/' || !path[n] || n == 1);
}

/* s3://BUCKET[/PREFIX]: nothing is asked of the server, so that init works without credentials. */
static int look_at_bucket(const char *url, struct folder *all, size_t n, struct ebb_err *err)
{
	struct folder *f = &all[n];
	size_t len = strcspn(url + strlen(scheme), "/");

	if (len < 3 || len >= sizeof(f->bucket) || strlen(url) + 2 > sizeof(f->path) ||
	    !ebb_utf8_valid(url, strlen(url)))
		return ebb_err_set(err, EBB_EUSAGE, "'%s' names no bucket", url);
	memcpy(f->bucket, url + strlen(scheme), len);
	f->bucket[len] = 0;
	snprintf(f->path, sizeof(f->path), "%s", url);
	for (len = strlen(f->path); f->path[len - 1] == '/'; len--)
		f->path[len - 1] = 0;
	name_folder(f, all, n);
	strcat(f->path, "/");
	f->prefix = strchr(f->path + strlen(scheme), '/') + 1;
	f->class = "STANDARD";
	f->because = "of what the bucket does not say itself";
	f->mount.evidence = EBB_EVIDENCE_MTIME;
	return 0;
}

static int look_at(const char *dir, struct folder *all, size_t n, struct ebb_err *err)
{
	struct folder *f = &all[n];
	struct stat st;

	if (strncmp(dir, scheme, strlen(scheme)) == 0)
		return look_at_bucket(dir, all, n, err);
	if (!realpath(dir, f->path) || stat(f->path, &st))
		return ebb_err_set(err, EBB_EUSAGE, "cannot look at '%s': %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return ebb_err_set(err, EBB_EUSAGE, "'%s' is not a folder", dir);
	if (!ebb_utf8_valid(f->path, strlen(f->path)))
		return ebb_err_set(err, EBB_ESTORE, "the path '%s' is not UTF-8, which YAML demands", dir);
	for (size_t i = 0; i < n; i++)
		if (inside(f->path, all[i].path) || inside(all[i].path, f->path))
			return ebb_err_set(err, EBB_EUSAGE,
					   "'%s' and '%s' lie in one another: name the outer one only",
					   all[i].path, f->path);
	int r = ebb_mounts_at(f->path, &f->mount, err);
	if (r)
		return r;
	guess_class(f, st.st_dev);
	name_folder(f, all, n);
	return 0;
}

/* A YAML scalar in double quotes. */
static void quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*s);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

/* Where the provider is another than AWS its own variables say so, as they do to other clients. */
static void print_bucket(FILE *out, const struct folder *f)
{
	const char *region = getenv("AWS_REGION"), *endpoint = getenv("AWS_ENDPOINT_URL");

	region = region && *region ? region : getenv("AWS_DEFAULT_REGION");
	fprintf(out, "  %s:\n    type: s3\n    bucket: %s\n", f->name, f->bucket);
	if (*f->prefix) {
		fputs("    prefix: ", out);
		quoted(out, f->prefix);
		fputc('\n', out);
	}
	fputs("    region: ", out);
	quoted(out, region && *region ? region : "us-east-1");
	fputs(region && *region ? "   # as the environment says\n" : "   # change it where the bucket lies elsewhere\n", out);
	if (endpoint && *endpoint) {
		fputs("    endpoint: ", out);
		quoted(out, endpoint);
		fputs("\n    path_style: true\n", out);
	} else {
		fputs("    # endpoint: \"https://HOST:PORT\"   # where it is not at AWS\n", out);
	}
	fprintf(out, "    class: %s   # %s\n", f->class, f->because);
}

static void print_stores(FILE *out, const struct folder *f, size_t n)
{
	fputs("# Where the data lies. `class` says what a store is made of, so that it can be priced; the names are those of\n"
	      "# the price book below (NVME, SSD, HDD, TAPE in `onprem`). `site` and `jurisdiction` may say where it stands.\n"
	      "stores:\n",
	      out);
	for (size_t i = 0; i < n; i++) {
		if (*f[i].bucket) {
			print_bucket(out, &f[i]);
			continue;
		}
		fprintf(out, "  %s:\n    type: fs\n    path: ", f[i].name);
		quoted(out, f[i].path);
		if (f[i].class)
			fprintf(out, "\n    class: %s   # %s (%s)\n", f[i].class, f[i].because,
				f[i].mount.fstype);
		else
			fprintf(out, "\n    # class: HDD   # %s (%s); without a class nothing is priced\n",
				f[i].because, f[i].mount.fstype);
	}
	fputs("    # watermark: {high: 90%, low: 80%}   # of a folder: `ebb agent` frees its filesystem down to low\n"
	      "    # site: dubai-1\n    # jurisdiction: AE\n    # exclude: [\"**/.snapshot/**\", \"**/lost+found/**\"]\n\n", out);
}

static bool reads(const struct folder *f)
{
	return f->mount.evidence == EBB_EVIDENCE_RELATIME || f->mount.evidence == EBB_EVIDENCE_ATIME;
}

/* The rule that protects what is in use stands only where reads are recorded: elsewhere it would keep everything. */
static void print_keep(FILE *out, const struct folder *f, size_t n)
{
	size_t recorded = 0;

	fputs("  # What was read or written lately stays as it is. A `keep` rule protects also when nobody knows for certain.\n", out);
	for (size_t i = 0; i < n; i++)
		recorded += reads(&f[i]);
	if (recorded == n)
		fputs("  - {name: in use, when: \"idle < 7d\", do: keep}\n", out);
	for (size_t i = 0; i < n && recorded < n; i++) {
		if (reads(&f[i]))
			fprintf(out, "  - {name: in use (%s), store: %s, when: \"idle < 7d\", do: keep}\n",
				f[i].name, f[i].name);
		else
			fprintf(out,
				"  # %s %s; there this rule would keep everything:\n"
				"  # - {name: in use (%s), store: %s, when: \"idle < 7d\", do: keep}\n",
				f[i].name, *f[i].bucket ? "is a bucket, which does not tell of reads"
							: "is mounted so that reads are not recorded",
				f[i].name, f[i].name);
	}
	fputs("  - {name: just written, when: \"age < 30d\", do: keep}\n\n", out);
}

static void print_rules(FILE *out, const struct folder *f, size_t n)
{
	fputs("# What is to happen. The first rule that matches an object decides; what no rule matches stays as it is.\n"
	      "#   match  a pattern over keys: * stops at /, ** crosses it, {name} captures\n"
	      "#   when   a condition: idle (since last access), age (since last change), size, ext, uid, ...\n"
	      "#   do     keep, delete (into a trash first), tier (to another store), compress\n"
	      "# `idle` is known only as far as something recorded it. A rule that changes anything fires only on what is certain.\n"
	      "rules:\n",
	      out);
	print_keep(out, f, n);
	fputs("  # Leftovers that nobody has touched for half a year. They wait in a trash on the same store, so `ebb undo` brings\n"
	      "  # them back; the space is free when the trash expires.\n"
	      "  - name: stale temporary files\n"
	      "    when: 'ext in [\"tmp\", \"temp\", \"bak\", \"swp\"] and idle > 180d'\n"
	      "    do: delete\n"
	      "    trash: 30d\n"
	      "  - {name: stale temporary folders, match: \"**/tmp/**\", when: \"idle > 180d\", do: delete, trash: 30d}\n"
	      "  - {name: stale caches, match: \"**/.cache/**\", when: \"idle > 180d\", do: delete, trash: 30d}\n"
	      "  - {name: old core dumps, match: \"**/core.{pid}\", when: \"idle > 180d and size > 1MiB\", do: delete, trash: 30d}\n"
	      "\n"
	      "  # Text shrinks to a fifth. The file becomes NAME.zst beside it, which zstdcat, zgrep-like tools and pandas read as it\n"
	      "  # is; programs that open it by its old name will not find it, so name here only what you know.\n"
	      "  - name: old text\n"
	      "    when: 'ext in [\"log\", \"csv\", \"tsv\", \"json\", \"jsonl\", \"ndjson\", \"txt\", \"xml\", \"sql\"] and age > 30d and size > 64KiB'\n"
	      "    do: compress\n"
	      "    codec: zstd\n"
	      "\n"
	      "  # To move what is cold to a cheaper store, declare that store above and take away the marks:\n"
	      "  # - {name: cold, when: \"idle > 180d and size > 1MiB\", do: tier, to: cold, require: {payback: 180d}}\n\n",
	      out);
}

static void print_limits(FILE *out)
{
	fputs("# Where a run stops by itself, whatever the plan says.\n"
	      "limits:\n"
	      "  max_delete: 10%      # of a store's objects, or a number of objects\n"
	      "  max_bytes: 1TiB      # moved, compressed or deleted in one run\n"
	      "  max_errors: 100      # failed actions\n"
	      "  # max_objects: 100000\n"
	      "  # max_cost: 50 USD   # one-off cost of a run\n"
	      "  # bandwidth: \"08:00-18:00 50MB/s; otherwise 500MB/s\"   # bytes read from stores\n"
	      "  # requests: \"Mon-Fri 08:00-18:00 20/s\"   # operations on objects of buckets\n"
	      "  # window: \"Mon-Fri 20:00-06:00; Sat,Sun\"   # local time in which a run may work\n"
	      "  # A plan of `ebb run` above one of these waits for `ebb approve`.\n"
	      "  # approve_above: {cost: 20 USD, bytes: 1TiB, deletions: 1000}\n",
	      out);
}

static void print_nights(FILE *out)
{
	fputs("\n# Who pays, and what is too much: `ebb report` and `ebb alerts` tell.\n"
	      "# datasets: [{match: \"runs/{project}/**\", team: research}]\n"
	      "# labels: owners.csv   # by,value,label,is: labels by prefix, owner, group or store, where datasets give none\n"
	      "# shared: [{label: team, of: platform, split: by-cost}]   # what platform costs is split among the others\n"
	      "# budgets: [{name: research, for: {team: research}, month: 500 USD, warn: [80%, 100%], forecast: 100%}]\n"
	      "# alerts: {min_share: 15%, webhook: {url: \"https://hooks.example/ebb\", token_env: EBB_HOOK_TOKEN}}\n", out);
	fputs("\n# Every night. `ebb run` scans, plans, applies within the limits above, and reports: put it into a crontab, or let\n"
	      "# `ebb agent` do it by this schedule. `ebb run -n` says what it would do.\n"
	      "run:\n"
	      "  empty_trash: true    # remove for good what has expired in the trash\n"
	      "  # hash: candidates   # read files that may be duplicates, for rules with `do: dedup`\n"
	      "  # reports: [\"reports/{date}.html\", /var/lib/prometheus/node-exporter/ebb.prom]\n"
	      "schedule:\n"
	      "  at: \"02:30\"          # or a list of times\n"
	      "  # days: Mon-Fri\n"
	      "  # zone: Asia/Dubai   # of this schedule and of the window; without: that of the machine\n"
	      "  jitter: 10min        # each machine begins up to so much later\n",
	      out);
}

static int run(struct ebb_app *app, const struct ebb_cli_args *args, struct ebb_err *err)
{
	size_t n = (size_t)ebb_cli_argc(args);
	EBB_CLEANUP(ebb_mem_freep) struct folder *f = calloc(n, sizeof(*f));

	if (!f)
		return ebb_err_set(err, EBB_ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		int r = look_at(ebb_cli_arg(args, (int)i), f, i, err);
		if (r)
			return r;
	}
	fputs("# Configuration of ebb, written by `ebb init`. `ebb check` says what ebb understood; nothing is changed before\n"
	      "# `ebb apply`. Sizes: KiB MiB GiB are powers of 1,024, KB MB GB of 1,000. Times: s min h d w mo y.\n"
	      "version: 1\n"
	      "# jurisdiction: AE     # where ebb runs; asked where a dataset has a residency\n"
	      "# guards: {recent: 10min}   # leave alone what was written so shortly before the scan\n\n",
	      app->out);
	print_stores(app->out, f, n);
	fputs("# What a GiB costs a month, by class. `onprem` ships with ebb as a sample: put your own figures into a file and name\n"
	      "# it here (./prices.yaml); a later book wins.\n"
	      "prices: [onprem]\n\n",
	      app->out);
	print_rules(app->out, f, n);
	print_limits(app->out);
	print_nights(app->out);
	return 0;
}

static const char *const examples[] = {
	"ebb init /data/scratch /mnt/cold > ebb.yaml", "begin with two stores",
	"ebb init s3://lake/raw > ebb.yaml", "begin with a part of a bucket",
	NULL,
};

const struct ebb_cli_command ebb_cmd_init = {
	.name = "init",
	.summary = "write a commented ebb.yaml for the folders and buckets named",
	.usage = "DIR|s3://BUCKET[/PREFIX]...",
	.description =
		"Prints a configuration to standard output: a store for each folder or bucket, a sample price book, a cautious set of rules\n"
		"and limits, each explained in comments.\nNothing is read but the folders' mounts, and nothing is written.\n"
		"\n"
		"The rules keep what was read in the last 7 days or written in the last 30, put stale temporary files and caches into a trash, and\n"
		"compress old text.\nThey are a place to begin: read them, change them, and let\n"
		"ebb-check show what they mean.",
	.examples = examples,
	.min_args = 1,
	.max_args = FOLDERS_MAX,
	.run = run,
};
