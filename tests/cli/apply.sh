#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P2 P8 P13 P14
# The main job: plan, show, apply, apply again, undo; what stands after undo is what stood before, by the word of other tools.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd jq sha256sum

make_stores
listing hot >"$HOME/hot.before"
listing cold >"$HOME/cold.before"
if command -v rsync >/dev/null; then
	rsync -aHAX hot/ "$HOME/copy/"
fi

# --- The plan: totals are the sums of the rows, the same index gives the same bytes (P8) ---
plan
expect_out 'junk'
expect_out 'left alone by'
cp plan.jsonl first.jsonl
run "$EBB" plan -o plan.jsonl
cmp first.jsonl plan.jsonl || fail 'the same plan has other bytes'
run "$EBB" plan -o plan.jsonl.zst
zstd -qdc plan.jsonl.zst | cmp - plan.jsonl || fail 'the compressed plan has other bytes'
rows=$(tail -n +3 plan.jsonl)
for f in bytes:size freed_bytes:freed_bytes wire_bytes:wire_bytes objects:n; do
	total=$(sed -n 2p plan.jsonl | jq ".totals.${f%:*}")
	case $f in
	objects:n) sum=$(jq -s length <<<"$rows") ;;
	*) sum=$(jq -s "map(.${f#*:}) | add" <<<"$rows") ;;
	esac
	[[ $total == "$sum" ]] || fail "total of ${f%:*} is $total, the rows add up to $sum"
done
[[ $(sed -n 1p plan.jsonl | jq -r .id) == $(tail -n +2 plan.jsonl | sha256sum | cut -d' ' -f1) ]] ||
	fail 'the id is not the digest of all behind it'

run "$EBB" show plan.jsonl --json
expect_status 0
[[ $(tail -n +3 <<<"$out") == "$rows" ]] || unexpected 'show --json is not the rows of the plan'
run "$EBB" show plan.jsonl --rule junk --limit 1
expect_out 'and 2 more'

# --- A dry run touches nothing, not even the index (P2) ---
(cd "$EBB_INDEX" && find . -type f -exec sha256sum {} + | sort) >"$HOME/idx.before"
run "$EBB" apply -n plan.jsonl
expect_status 0
expect_out 'would be done'
same_tree hot "$HOME/hot.before"
same_tree cold "$HOME/cold.before"
(cd "$EBB_INDEX" && find . -type f -exec sha256sum {} + | sort) >"$HOME/idx.after"
expect_same "$HOME/idx.before" "$HOME/idx.after"

# --- Apply ---
run "$EBB" apply plan.jsonl
expect_status 1 # noise.log does not shrink
expect_err 'skipped hot:logs/noise.log: would not shrink'
[[ -e hot/.ebb-trash && ! -e hot/tmp/deep/junk.bin && ! -e hot/logs/x/app.log ]] || fail 'not applied'
seq 1 40000 | cmp - <(zstd -qdc hot/logs/x/app.log.zst) || fail 'the log does not decode by zstd'
[[ $(stat -c %a cold/data/a/b/table.csv) == 4711 ]] || fail 'mode of the moved file'
[[ $(stat -c %a cold/data/a) == 750 ]] || fail 'mode of the folder it moved to'
[[ $(stat -c '%s %b' cold/data/sparse.csv | awk '{print ($2 * 512 < $1 / 2)}') == 1 ]] || fail 'holes were filled'
run "$EBB" --json status
expect_status 0
[[ $(jq -r 'select(.run) | .state' <<<"$out") == complete ]] || unexpected 'state'
[[ $(jq -r 'select(.trash) | .objects' <<<"$out") == 3 ]] || unexpected 'trash'
runid=$(jq -r 'select(.run) | .run' <<<"$out")

# --- A second apply of the same plan does nothing, and says so ---
listing hot >"$HOME/hot.applied"
run "$EBB" apply plan.jsonl
expect_status 0
expect_out "already applied by run $runid; nothing to do"
same_tree hot "$HOME/hot.applied"

# --- Undo, first only to look ---
run "$EBB" undo "$runid" -n
expect_status 0
same_tree hot "$HOME/hot.applied"
run "$EBB" undo last
expect_status 0
expect_out "run $runid: 7 given back"
same_tree hot "$HOME/hot.before"
same_tree cold "$HOME/cold.before"
if command -v rsync >/dev/null; then
	[[ -z $(rsync -aHAXnci --delete hot/ "$HOME/copy/") ]] || fail 'rsync finds a difference'
fi
run "$EBB" undo last
expect_status 0
expect_err 'nothing of run'

# --- After an undo the plan is applied anew; what it knew of the files is no longer so ---
run "$EBB" apply plan.jsonl
expect_status 1
expect_err 'has changed'
same_tree cold "$HOME/cold.before"
