#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Somebody removed the empty folder that a run left behind. Undo makes it again, and lets in nobody whom it may have kept out.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"

mkdir -p hot/gone/private hot/moved/private cold
chmod 0700 hot/gone/private
chmod 0750 hot/moved/private
echo secret >hot/gone/private/a.bin
echo secret >hot/moved/private/b.csv
find hot -exec touch -d 2026-10-01T01:02:03.123456789Z {} +
cat >ebb.yaml <<-END
	version: 1
	stores:
	  hot: {type: fs, path: "$PWD/hot"}
	  cold: {type: fs, path: "$PWD/cold"}
	limits: {max_delete: 100%}
	rules:
	  - {name: junk, match: "**/*.bin", do: delete, trash: 30d}
	  - {name: tables, match: "**/*.csv", do: tier, to: cold}
END
plan
run "$EBB" apply plan.jsonl
expect_status 0
rm -r hot/gone hot/moved
run "$EBB" undo last
expect_status 0
expect_out '2 given back'
[[ $(cat hot/gone/private/a.bin hot/moved/private/b.csv) == $'secret\nsecret' ]] || fail 'not given back'
[[ $(stat -c %a hot/gone/private) == 700 ]] || fail 'a folder that was private is open now'
[[ $(stat -c %a hot/moved/private) == 750 ]] || fail 'the mode of the mirrored folder was not taken'
