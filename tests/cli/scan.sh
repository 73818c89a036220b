#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb scan: what is new, changed and gone; what is left out; names of any bytes; what is asked of the index afterwards.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir -p data/a/b data/c 'data/.ebb-trash/run' data/skip/deep data/inner
head -c 1000 /dev/zero >data/a/one.log
head -c 200000 /dev/zero >data/a/b/two.csv
ln data/a/one.log data/c/link.log
ln -s ../a data/c/symlink
mkfifo data/c/fifo
: >data/empty
: >"data/.ebb-trash/run/x"
: >data/a/.ebb-tmp.1.2
: >data/skip/deep/f
: >data/inner/f
truncate -s 1M data/c/sparse
printf 'x' >$'data/new\nline'
printf 'x' >$'data/bad\xff'
find data -exec touch -h -d 2026-10-01T00:00:00Z {} +
cat >ebb.yaml <<END
version: 1
stores:
  d: {type: fs, path: "$PWD/data", exclude: ["skip/**"]}
  inner: {type: fs, path: "$PWD/data/inner"}
END

# --- A first scan ---
run "$EBB" du
expect_status 5
expect_err "there is no index in '$EBB_INDEX': run 'ebb scan'"
run "$EBB" scan nosuch
expect_status 2
expect_err "no store is called 'nosuch' in 'ebb.yaml'"
run "$EBB" --json scan d
expect_status 0
[[ $(jq -c '[.objects, .added, .gone, .unreadable]' <<<"$out") == '[12,12,0,0]' ]] || unexpected 'counts'
[[ $(jq .bytes <<<"$out") == $((1000 + 200000 + 1048576 + 2)) ]] || unexpected 'bytes'

run "$EBB" find d --json
expect_status 0
[[ $(jq -s length <<<"$out") == 12 ]] || unexpected 'objects'
expect_no_out ebb-t
expect_no_out skip
expect_no_out inner
expect_out '"path":"new\nline"'
expect_out '"path_b64":"YmFk/w=="'
[[ $(jq -r 'select(.path == "c/link.log") | .linked_twin' <<<"$out") == true ]] || unexpected 'the twin'
[[ $(jq -r 'select(.path == "c/symlink") | .kind' <<<"$out") == symlink ]] || unexpected 'the symlink'
[[ $(jq -r 'select(.path == "c/fifo") | .kind' <<<"$out") == special ]] || unexpected 'the fifo'
[[ $(jq -r 'select(.path == "a/one.log") | .mtime' <<<"$out") == 2026-10-01T00:00:00Z ]] || unexpected 'mtime'

# For people a name stays on its line.
run "$EBB" find d
[[ $(wc -l <<<"$out") == 12 ]] || unexpected 'lines'
expect_out 'd:new\nline'
expect_out 'd:bad\xff'

# --- Changes ---
rm data/empty data/a/b/two.csv
echo more >>data/a/one.log
: >data/later
touch -d 2026-11-01T00:00:00Z data/later data/a/one.log
run "$EBB" scan d --json
expect_status 0
# one.log and its other name, and the folders whose entries changed
[[ $(jq -c '[.added, .gone]' <<<"$out") == '[1,2]' ]] || unexpected 'added and gone'
[[ $(jq .changed <<<"$out") -ge 2 ]] || unexpected 'changed'
run "$EBB" scan d --json
[[ $(jq -c '[.objects, .same, .added, .changed, .gone]' <<<"$out") == '[11,11,0,0,0]' ]] || unexpected 'unchanged'
run "$EBB" scan d --exclude 'c/**' --json
[[ $(jq .objects <<<"$out") == 6 ]] || unexpected 'excluded'
run "$EBB" scan
expect_status 0
expect_out 'd: 11 objects'
expect_no_err 'info'
expect_out 'inner: 1 object,'
[[ -e data/.ebb-trash/run/x && -e data/a/.ebb-tmp.1.2 ]] || fail 'a scan changed the store'

# --- Scanning does not read ---
touch -a -d 2026-09-01T00:00:00Z data/a data/c data/c/link.log
before=$(stat -c %X data/a data/c data/c/link.log)
run "$EBB" scan d --restart
[[ $(stat -c %X data/a data/c data/c/link.log) == "$before" ]] || fail 'a scan changed access times'
