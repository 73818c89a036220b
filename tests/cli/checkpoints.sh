#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Training runs as trainers lay them out: the table of what would go, what stays and why; plan and apply do exactly that, whole checkpoints,
# and undo brings them back; a checkpoint is touched by no rule alone; facts are learned by scans and not read twice.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
# shellcheck source=tests/support/runs.sh
. "$EBB_SRC/tests/support/runs.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-01T00:00:00Z
make_runs data
cat >prices.yaml <<END
version: 1
name: here
date: 2026-10-01
currency: USD
source: made up
confidence: sample
classes: {NVME: {storage: 100/GiB-month, source: made up}}
END
cat >ebb.yaml <<END
version: 1
stores: {s: {type: fs, path: "$PWD/data", site: here, class: NVME}}
prices: [./prices.yaml]
datasets:
  - {match: "runs/vision/{run}/weights_{step}.pkl.pt", kind: checkpoints}
rules:
  - {name: sft, match: "runs/llm/sft-*/**", do: retain, keep_last: 2, keep_every: 3000, keep_best: eval_loss, keep_tagged: [.keep], min_age: 7d}
  - {name: history, match: "runs/llm/**", do: retain, keep_last: 1, min_age: 7d}
  - {name: light, match: "runs/vision/light-d/**", do: retain, keep_last: 1, keep_best: val_loss, min_age: 7d}
  - {name: custom, kind: checkpoints, do: retain, keep_last: 2}
limits: {max_delete: 100%}
END
run "$EBB" scan
expect_status 0
run "$EBB" checkpoints
expect_status 0
expect_out_file checkpoints.out

# The plan has the files of what goes, all of them and no others, with the reason.
goes=$("$EBB" checkpoints --json | jq -r 'select(.goes) | .path' | sort)
[[ $(wc -l <<<"$goes") -eq 14 ]] || fail "other checkpoints go: $goes"
run "$EBB" plan -o plan.jsonl
expect_status 0
[[ $("$EBB" checkpoints --json | jq -s 'map(.saving_month_nano // 0) | add') == $(jq -s 'map(.saving_month_nano // 0) | add' <(grep '"n":' plan.jsonl)) ]] ||
	fail 'checkpoints and plan differ in money'
want=$(while read -r c; do find "data/$c" -type f -printf '%P\n' | sed "s|^|$c/|; s|/\$||"; done <<<"$goes" | sort)
got=$(jq -r 'select(.action) | .path' plan.jsonl | sort)
[[ $want == "$got" ]] || fail "plan: $(diff <(echo "$want") <(echo "$got"))"
[[ $(jq -r 'select(.path == "runs/llm/sft-a/checkpoint-500/config.json") | .action + ": " + .why' plan.jsonl) == \
	"delete: step 500 of runs/llm/sft-a/checkpoint-*: newer ones are kept"* ]] || fail 'the reason is missing'

run "$EBB" explain s:runs/llm/sft-a/checkpoint-2500/config.json
expect_out 'the plan leaves it alone'
expect_out 'step 2500 of runs/llm/sft-a/checkpoint-*: the best'
run "$EBB" explain s:runs/vision/light-d/checkpoints/last.ckpt
expect_out 'is of no checkpoint that is known'

# Applied and taken back. Unchanged files are not read again by the next scan.
find data -type f | sort >before
run "$EBB" apply plan.jsonl
expect_status 0
while read -r c; do [[ -z $(find "data/$c" -type f 2>/dev/null) ]] || fail "$c is still there"; done <<<"$goes"
[[ -e data/runs/llm/sft-a/checkpoint-2500/optimizer.pt ]] || fail 'the best went'
run "$EBB" scan
run "$EBB" plan -n
expect_no_out 'retain (trash 30d)'
run "$EBB" undo last
expect_status 0
find data -type f -not -path '*/.ebb-trash/*' | sort >after
expect_same before after

# Nothing concluded from facts of another scan, nor without any: an index file that was not read is in doubt.
run "$EBB" scan
rm "$EBB_INDEX/facts/s.jsonl"
run "$EBB" checkpoints
expect_err 'ebb scan s reads them'
expect_out 'its index file was not read'
run "$EBB" plan -o no-facts.jsonl
[[ -z $(jq -r 'select(.path // "" | startswith("runs/llm/sft-a")) | .path' no-facts.jsonl) ]] || fail 'went without facts'
run "$EBB" scan

# A file that another rule meets, or that is being written, keeps its whole checkpoint.
sed -i '/^rules:/a\  - {name: mine, match: "**/checkpoint-500/config.json", do: keep}' ebb.yaml
EBB_NOW=2026-11-01T00:00:00Z touch -d 2026-10-31T23:00:00Z data/runs/llm/sft-a/checkpoint-1500/config.json
run "$EBB" scan
run "$EBB" checkpoints
expect_out 'other rules meet a part of it'
expect_out 'younger than min_age'
run "$EBB" plan -o plan2.jsonl
[[ -z $(jq -r 'select(.path // "" | test("checkpoint-(500|1500)/")) | .path' plan2.jsonl) ]] || fail 'a part of a checkpoint goes'

# Damaged files: doubt, not deletion.
echo '{"weight_map": {' >data/runs/llm/sft-a/checkpoint-3500/model.safetensors.index.json
old 30 data/runs/llm/sft-a/checkpoint-3500
run "$EBB" scan
expect_err 'cannot be understood'
run "$EBB" checkpoints
expect_out 'its index file is not understood'
run "$EBB" plan -o plan3.jsonl
[[ -z $(jq -r 'select(.path // "" | test("checkpoint-3500/")) | .path' plan3.jsonl) ]] || fail 'went in doubt'

# Rules that cannot be meant.
refuse() {
	sed "s|^  - {name: light.*|  - {name: light, do: retain, $1}|" ebb.yaml >bad.yaml
	run "$EBB" -c bad.yaml check
	expect_status 3
	expect_err "$2"
}
refuse 'min_age: 7d' 'needs to know what stays'
refuse 'keep_last: 0' "'keep_last' is at least 1"
refuse 'keep_best: fid' 'mode: min or mode: max'
refuse 'keep_last: 1, mode: min' "'mode' belongs to 'keep_best'"
refuse 'keep_last: 1, when: "age > 3d"' 'min_age says how old'
refuse 'keep_last: 1, purge: "cannot be undone"' "'purge' belongs to 'delete'"
sed 's|do: retain, keep_last: 2}|do: delete, keep_last: 2}|' ebb.yaml >bad.yaml
run "$EBB" -c bad.yaml check
expect_err "'keep_last' belongs to 'retain'"
