# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the tests of apply share: two stores, hot and cold, rules that do everything, and a listing by tools that are not ebb.
#
#   make_stores         hot/ and cold/ with files of all kinds, and ebb.yaml
#   plan                scan and plan into plan.jsonl
#   listing DIR         all of a tree: names, types, modes, owners, sizes of files, times, links, attributes, contents
#   same_tree DIR FILE  the listing of DIR is FILE
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z

make_stores() {
	mkdir -p hot/tmp/deep hot/logs/x hot/data/a/b cold
	chmod 0750 hot/data/a
	chmod 2775 hot/logs/x
	head -c 5000 /dev/urandom >hot/tmp/deep/junk.bin
	printf 'x' >$'hot/tmp/bad\xff name\n.bin'
	: >hot/tmp/empty.bin
	seq 1 40000 >hot/logs/x/app.log
	seq 1 3000 >hot/logs/other.log
	head -c 300000 /dev/urandom >hot/logs/noise.log
	seq 1 90000 >hot/data/a/b/table.csv
	truncate -s 4M hot/data/sparse.csv
	printf 'end' >>hot/data/sparse.csv
	printf 'keep me' >hot/data/keep.txt
	ln -s ../data/keep.txt hot/tmp/link
	mkfifo hot/tmp/fifo
	chmod 0600 hot/logs/other.log
	chmod 4711 hot/data/a/b/table.csv
	if command -v setfattr >/dev/null; then
		setfattr -n user.owner -v research hot/data/a/b/table.csv 2>/dev/null || true
	fi
	if command -v setfacl >/dev/null; then
		setfacl -m u:12345:r hot/logs/x/app.log 2>/dev/null || true
	fi
	find hot -exec touch -h -d 2026-10-01T01:02:03.123456789Z {} +
	find cold -exec touch -d 2026-09-01T00:00:00.5Z {} +
	cat >ebb.yaml <<-END
		version: 1
		stores:
		  hot: {type: fs, path: "$PWD/hot"}
		  cold: {type: fs, path: "$PWD/cold"}
		rules:
		  - {name: keep, match: "data/keep*", do: keep}
		  - {name: junk, match: "tmp/**", when: 'ext == "bin"', do: delete, trash: 30d}
		  - {name: logs, match: "logs/**", do: compress, codec: zstd}
		  - {name: tables, match: "data/**", do: tier, to: cold}
	END
}

plan() {
	run "$EBB" scan --quiet
	expect_status 0
	run "$EBB" plan -o plan.jsonl
	expect_status 0
}

listing() {
	(
		cd "$1"
		find . -type d -printf '%p|%y|%m|%U:%G|%T@\n' -o -printf '%p|%y|%m|%U:%G|%T@|%s|%l|%n\n' |
			LC_ALL=C sort
		find . -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
		if command -v getfattr >/dev/null; then
			find . -print0 | LC_ALL=C sort -z | xargs -0r getfattr -h -d -m- -- 2>/dev/null
		fi
	)
}

same_tree() {
	listing "$1" >"$HOME/is"
	expect_same "$2" "$HOME/is"
}
