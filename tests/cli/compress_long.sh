#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `long`: repeats far apart are found, where no sample could see them; stock zstd reads the file without being told; memory is shown; and it can
# be taken back. Windows that zstd -d would refuse are refused.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd zstd

conf() {
	cat >ebb.yaml <<-END
		version: 1
		stores:
		  d: {type: fs, path: "$PWD/d"}
		rules:
		  - {name: far, match: "*", do: compress, $1}
	END
}
mkdir d
head -c 12M /dev/urandom >d/noise
cat d/noise d/noise >d/twice
rm d/noise
listing d >"$HOME/before"
cp d/twice "$HOME/"

conf 'codec: zstd, level: 1'
plan
run "$EBB" apply plan.jsonl
expect_status 1
expect_err 'skipped d:twice: would not shrink'

conf 'codec: zstd, level: 1, long: 25'
run "$EBB" check
expect_status 0
expect_out 'compress with zstd, level 1, repeats within 32MiB (some 86.0 MiB of memory an object)'
rm -rf plan.jsonl "$EBB_INDEX/runs"	# the clock stands, so no run is the last one
plan
run "$EBB" apply plan.jsonl
expect_status 0
(($(stat -c %s d/twice.zst) < 13000000)) || fail "not smaller: $(stat -c %s d/twice.zst)"
zstd -qdc d/twice.zst | cmp - "$HOME/twice"
run "$EBB" get d:twice
expect_status 0
run "$EBB" undo last
expect_status 0
same_tree d "$HOME/before"

for bad in 'codec: zstd, long: 28' 'codec: zstd, long: 9' 'codec: zstd, long: far'; do
	conf "$bad"
	run "$EBB" check
	expect_status 3
	expect_err "'long' is true, false, or 10 to 27 (a window of 2^27 bytes): what is wider, zstd -d refuses to read without --long=N"
done
conf 'codec: lz4, long: true'
run "$EBB" check
expect_status 3
expect_err "'long'"
