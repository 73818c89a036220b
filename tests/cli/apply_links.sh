#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P13
# Names of one file: each may go and come back, whatever happens to the others meanwhile.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"

mkdir -p hot cold
echo one >hot/a.bin
ln hot/a.bin hot/b.bin
ln hot/a.bin hot/c.txt
find hot -exec touch -d 2026-10-01T01:02:03.123456789Z {} +
cat >ebb.yaml <<-END
	version: 1
	stores:
	  hot: {type: fs, path: "$PWD/hot"}
	limits: {max_delete: 100%}
	rules:
	  - {name: junk, match: "*.bin", do: delete, trash: 30d}
END
listing hot >"$HOME/before"
plan
run "$EBB" apply plan.jsonl -j 1
expect_status 0
expect_out '2 applied'

# --- Another name changes owner: not the business of those in the trash ---
chmod 0640 hot/c.txt
chmod 0644 hot/c.txt
run "$EBB" undo last
expect_status 0
same_tree hot "$HOME/before"

EBB_NOW=2026-11-21T12:00:00Z
# --- It is written to: the names come back, to what the file is now ---
plan
run "$EBB" apply plan.jsonl
expect_status 0
echo more >>hot/c.txt
run "$EBB" undo last
expect_status 0
[[ hot/a.bin -ef hot/c.txt && hot/b.bin -ef hot/c.txt ]] || fail 'names of other files'

EBB_NOW=2026-11-22T12:00:00Z
# --- And the trash can be emptied ---
touch -d 2026-10-02 hot/c.txt
plan
run "$EBB" apply plan.jsonl
expect_status 0
chmod 0600 hot/c.txt
EBB_NOW=2027-11-20T12:00:00Z run "$EBB" trash --empty
expect_status 0
[[ ! -e hot/.ebb-trash && $(stat -c %h hot/c.txt) == 1 ]] || fail 'the trash was not emptied'

EBB_NOW=2026-11-23T12:00:00Z
# --- A store that changes owner as a whole, its trash included: undo and emptying are not locked out ---
for f in d e; do echo $f >hot/$f.bin; touch -d 2026-10-02 hot/$f.bin; done
plan
run "$EBB" apply plan.jsonl
expect_status 0
chmod -R u+x hot
run "$EBB" undo last hot:d.bin
expect_status 0
EBB_NOW=2027-11-20T12:00:00Z run "$EBB" trash --empty
expect_status 0
[[ -x hot/d.bin && ! -e hot/.ebb-trash ]] || fail 'what changed its mode in the trash is stuck there'
