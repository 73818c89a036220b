#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# runs: what is left of each, pruning what is spent and nothing else, a damaged journal set aside so that others go on.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

mkdir data away
echo x >away/here
for i in 1 2 3 4 5 6; do echo "file $i" >"data/f$i"; done
cat >ebb.yaml <<END
version: 1
stores:
  d: {type: fs, path: $PWD/data}
  away: {type: fs, path: $PWD/away}
rules:
  - {name: gone, store: d, match: "f[12]", when: "size > 0", do: delete, trash: 30d}
  - {name: away, store: d, match: "f[34]", when: "size > 0", do: tier, to: away}
limits: {max_delete: 90%}
END
export EBB_INDEX=$HOME/index EBB_NOW=2027-01-01T00:00:00Z
row() {
	"$EBB" runs --json | jq -c "select(.run | startswith(\"$1\")) | $2"
}
run "$EBB" runs
expect_status 0
run "$EBB" scan
run "$EBB" plan -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 0
expect_out '4 applied'
first=$(jq -r .run <("$EBB" runs --json))
[[ $(row "$first" '[.undoable, .in_trash, .packed]') == '[4,2,0]' ]] || fail "$(row "$first" .)"

# what lies in the trash is known to the journal alone
run env EBB_NOW=2028-01-01T00:00:00Z "$EBB" runs --prune --older-than 30d
expect_out '0 runs gone'
run env EBB_NOW=2028-01-01T00:00:00Z "$EBB" trash --empty
expect_status 0
[[ $(row "$first" '[.undoable, .in_trash]') == '[2,0]' ]] || fail "$(row "$first" .)"
run env EBB_NOW=2028-01-01T00:00:00Z "$EBB" runs --prune
expect_out '0 runs gone'
run env EBB_NOW=2028-01-02T00:00:00Z "$EBB" runs --prune --older-than 30d -n
expect_out '0 runs would go'
run env EBB_NOW=2028-03-02T00:00:00Z "$EBB" runs --prune --older-than 30d -n
expect_out "would remove run $first, of which 2 actions could be undone"
run "$EBB" undo last
expect_status 1 # what the trash let go does not come back
[[ $(cat data/f3) == 'file 3' ]] || fail 'not given back'
run "$EBB" runs --prune
expect_out "removed run $first"
[[ ! -e $EBB_INDEX/runs/$first ]] || fail 'its folder stands'

# a damaged journal stops what needs it, until it is set aside
run "$EBB" scan
run "$EBB" plan -o plan.jsonl
run "$EBB" apply plan.jsonl
expect_status 0
damaged=$(jq -r .run <("$EBB" runs --json))
run "$EBB" runs --set-aside "$damaged"
expect_status 2
expect_err 'is whole'
sed -i '3s/mtime/mtimE/' "$EBB_INDEX/runs/$damaged/journal"
run "$EBB" trash
expect_status 5
run "$EBB" runs
expect_status 5
expect_err "'ebb runs --set-aside $damaged'"
run "$EBB" runs --set-aside "${damaged%?}"
expect_status 1
run "$EBB" runs --set-aside "$damaged"
expect_status 0
expect_out "runs/aside.$damaged"
run "$EBB" trash
expect_status 0
[[ -e $EBB_INDEX/runs/aside.$damaged/journal ]] || fail 'it is gone'

# also one that was damaged from its first line on, or was killed and cannot be recovered
echo 'file 9' >data/f1
run "$EBB" scan
run "$EBB" plan -o plan2.jsonl
run "$EBB" apply plan2.jsonl
expect_status 0
killed=$(jq -r .run <("$EBB" runs --json))
sed -i '1s/{/[/' "$EBB_INDEX/runs/$killed/journal"
run "$EBB" apply plan2.jsonl
expect_status 5
expect_err "'ebb runs --set-aside $killed'"
run "$EBB" runs --set-aside "$killed"
expect_status 0
run "$EBB" status
expect_status 0
