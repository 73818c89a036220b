#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# find --order-by FIELD --limit 0: every file, sorted as sort(1) sorts them, and anew after a scan.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx
mkdir -p data/a data/b
for i in $(seq 1 300); do
	head -c $((i * 7919 % 4001)) /dev/zero >"data/$( ((i % 2)) && echo a || echo b)/f$i"
done
ln data/a/f1 data/b/twin
printf 'version: 1\nstores: {d: {type: fs, path: "%s/data"}}\nrules: [{name: all, do: keep}]\n' "$PWD" >ebb.yaml
run "$EBB" scan
expect_status 0

sizes() { find data -type f -links 1 -printf '%s\n' && stat -c %s data/a/f1; }
run "$EBB" find --order-by size --limit 0 --json
expect_status 0
diff <(jq -r .size <<<"$out") <(sizes | sort -n) >&2 || fail 'not every file once, ascending'
run "$EBB" find --order-by size,desc --limit 0 --json --where 'size > 2000B' d:a/
diff <(jq -r .size <<<"$out") <(find data/a -type f -size +2000c -printf '%s\n' | sort -rn) >&2 ||
	fail 'condition and prefix, descending'

head -c 9999 /dev/zero >data/a/new
run "$EBB" scan
run "$EBB" find --order-by size,desc --limit 0 --json
[[ $(jq -r .size <<<"$out" | head -1) == 9999 ]] || fail 'the order is of an older scan'

run "$EBB" find --order-by idle --limit 0
expect_status 2
expect_err 'order by atime, or name a limit'
