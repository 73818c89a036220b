#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1
# A folder that nobody lets us into costs its own actions only: the run does not stop there, again and again.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"

mkdir -p hot/a hot/b cold
: >hot/a/x.bin
: >hot/b/x.bin
find hot -exec touch -d 2026-10-01T01:02:03.123456789Z {} +
cat >ebb.yaml <<-END
	version: 1
	stores:
	  hot: {type: fs, path: "$PWD/hot"}
	limits: {max_delete: 100%}
	rules:
	  - {name: junk, match: "**/*.bin", do: delete, trash: 30d}
END
as=()
if [[ $(id -u) == 0 ]]; then # root without the right to enter everything
	require_cmd setpriv
	as=(setpriv "--bounding-set=-dac_override,-dac_read_search")
	"${as[@]}" true 2>/dev/null || skip 'root cannot give up a capability here'
fi
run "${as[@]}" "$EBB" scan --quiet
expect_status 0
run "${as[@]}" "$EBB" plan -o plan.jsonl
expect_status 0
chmod 0 hot/a
run "${as[@]}" "$EBB" apply plan.jsonl
expect_status 1
expect_err 'failed hot:a/x.bin'
expect_out '1 applied'
[[ ! -e hot/b/x.bin ]] || fail 'what can be read was left'
run "${as[@]}" "$EBB" apply plan.jsonl
expect_out 'already applied'
chmod 755 hot/a
run "${as[@]}" "$EBB" undo last
expect_status 0
[[ -e hot/b/x.bin ]] || fail 'not given back'
