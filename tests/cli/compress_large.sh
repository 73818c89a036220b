#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Large objects are sampled all over (text behind a noisy beginning is compressed, noise is left alone), and compressed by threads into the
# same bytes as by one.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd zstd

mkdir d
head -c 3M /dev/urandom >d/noise.log
head -c 100000 /dev/urandom >d/text.log
seq 1 400000 >>d/text.log
seq 1 9500000 >d/large.log # over 64 MiB
cp d/text.log d/large.log "$HOME/"
listing d >"$HOME/before"
cat >ebb.yaml <<-END
	version: 1
	stores:
	  d: {type: fs, path: "$PWD/d"}
	rules:
	  - {name: logs, match: "*.log", do: compress, codec: zstd}
END
plan
run "$EBB" explain d:noise.log --sample
expect_status 0
expect_out 'zstd 3 would leave 100.0 % +- 0.0 of it'
run "$EBB" apply plan.jsonl
expect_status 1
expect_err 'skipped d:noise.log: would not shrink'
zstd -qdc d/text.log.zst | cmp - "$HOME/text.log"
zstd -qdc d/large.log.zst | cmp - "$HOME/large.log"
zstd -3 -T1 -qc "$HOME/large.log" | cmp - d/large.log.zst
run "$EBB" undo last
expect_status 0
same_tree d "$HOME/before"
