#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a scan does not believe: a missing mount, another root, most of a store gone. What it tells but bears: folders
# that cannot be read.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx
mkdir data
for i in {1..150}; do echo "$i" >"data/f$i"; done
cat >ebb.yaml <<END
version: 1
stores:
  d: {type: fs, path: "$PWD/data"}
  e: {type: fs, path: "$PWD/other"}
END
objects() { "$EBB" find d --count --json | jq .objects; }

# A store that is not there does not keep the others from being scanned.
run "$EBB" scan
expect_status 4
expect_err "$PWD/other"
expect_out 'd: 150 objects'
[[ $(objects) == 150 ]] || fail 'the other store was not scanned'

# --- An empty folder where the store was ---
mv data mounted
mkdir data
run "$EBB" scan d
expect_status 4
expect_err "store 'd': '$PWD/data' is empty, but the index holds 150 objects of it; if a mount is missing, mount it; if all is really gone, scan with --accept-losses --accept-new-root"
[[ $(objects) == 150 ]] || fail 'the index changed'

# --- Another folder in its place ---
touch data/x
run "$EBB" scan d
expect_status 4
expect_err "store 'd': '$PWD/data' is not the folder that the last scan saw"
expect_err 'scan with --accept-new-root'
[[ $(objects) == 150 ]] || fail 'the index changed'
rm -r data
mv mounted data
run "$EBB" scan d
expect_status 0

# --- Most of it gone ---
rm data/f1*
run "$EBB" scan d
expect_status 0
[[ $(objects) == 88 ]] || unexpected 'less than half may go'
for i in {200..300}; do echo "$i" >"data/g$i"; done
run "$EBB" scan d
rm data/g*
run "$EBB" scan d
expect_status 4
expect_err "store 'd': 101 of 189 objects are gone since the last scan, which looks like a fault; the index stays as it was; if they are really gone, scan with --accept-losses"
[[ $(objects) == 189 ]] || fail 'the index changed'
run "$EBB" scan d --accept-losses
expect_status 0
[[ $(objects) == 88 ]] || unexpected 'losses were accepted'

# --- Folders that cannot be read; root reads everything unless it gives that power away ---
as=()
if [[ $(id -u) -eq 0 ]]; then
	require_cmd setpriv
	as=(setpriv --bounding-set=-all --inh-caps=-all)
	mkdir -m 0 probe
	"${as[@]}" true || skip 'unreadable folders: setpriv cannot drop capabilities here'
	! "${as[@]}" ls probe 2>/dev/null || skip 'unreadable folders: root still reads everything here'
fi
mkdir -p data/closed/in data/open
touch data/closed/a data/closed/in/b data/open/c
run "${as[@]}" "$EBB" scan d
expect_status 0
chmod 0 data/closed
run "${as[@]}" "$EBB" scan d --json
expect_status 1
expect_err 'ebb: d: cannot read closed/'
expect_err 'ebb: d: 1 folder could not be read; what the index held below stays'
[[ $(jq -c '[.unreadable, .kept_unseen, .gone]' <<<"$out") == '[1,3,0]' ]] || unexpected 'what was kept'
run "${as[@]}" "$EBB" find d:closed/ --json
[[ $(jq -r 'select(.unseen) | .path' <<<"$out" | tr '\n' ' ') == 'closed/a closed/in/ closed/in/b ' ]] || unexpected 'the unseen'
run "${as[@]}" "$EBB" report d
expect_out '3 objects (0 B) were carried over'
chmod 700 data/closed
run "${as[@]}" "$EBB" scan d
expect_status 0
run "${as[@]}" "$EBB" find d:closed/ --json
expect_no_out unseen
