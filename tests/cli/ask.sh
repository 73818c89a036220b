#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# find, du, report and explain over one small store whose answers are known.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-20T12:00:00Z
mkdir -p data/logs/old data/tmp data/deep/er
head -c 100000 /dev/zero >data/logs/old/a.log
head -c 200000 /dev/zero >data/logs/b.log
head -c 3000 /dev/zero >data/logs/c.csv
head -c 50 /dev/zero >data/tmp/x.tmp
head -c 5000000 /dev/zero >data/deep/er/big.bin
ln data/logs/c.csv data/tmp/c.csv
touch -d 2025-01-01T00:00:00Z data/logs/old/a.log data/deep/er/big.bin
touch -d 2026-11-18T00:00:00Z data/logs/b.log data/logs/c.csv data/tmp/x.tmp data/deep
cat >prices.yaml <<'END'
version: 1
name: p
date: 2026-11-01
currency: USD
source: test
confidence: contract
classes:
  HDD: {storage_gib_month: 1.00, source: test}
END
cat >ebb.yaml <<END
version: 1
stores: {d: {type: fs, path: "$PWD/data", class: HDD}}
prices: [./prices.yaml]
rules:
  - {name: fresh, when: "age < 30d", do: keep}
  - {name: logs, match: "logs/**", when: "size > 64KiB and ext == 'log'", do: compress, codec: zstd}
  - {name: big, when: "size > 10KB", do: delete}
END
run "$EBB" scan
expect_status 0
evidence=$("$EBB" find d:logs/b.log --json | jq -r .evidence)

# --- find ---
keys() { jq -r .path <<<"$out" | tr '\n' ' '; }
run "$EBB" find --json
[[ $(keys) == 'deep/ deep/er/ deep/er/big.bin logs/ logs/b.log logs/c.csv logs/old/ logs/old/a.log tmp/ tmp/c.csv tmp/x.tmp ' ]] || unexpected 'all, in the order of keys'
run "$EBB" find --json --where 'type == "file" and age > 90d'
[[ $(keys) == 'deep/er/big.bin logs/old/a.log ' ]] || unexpected 'old ones'
run "$EBB" find --json --where 'ext in ["log", "csv"] and not dir == "tmp/"' --order-by size
[[ $(keys) == 'logs/c.csv logs/old/a.log logs/b.log ' ]] || unexpected 'in the order of size'
run "$EBB" find --json --where 'type == "file"' --order-by size,desc --limit 2
[[ $(keys) == 'deep/er/big.bin logs/b.log ' ]] || unexpected 'the largest two'
expect_err '6 objects meet the condition; --limit N shows more'
run "$EBB" find --json --name '*.log' data/logs/old
[[ $(keys) == 'logs/old/a.log ' ]] || unexpected 'below a folder'
run "$EBB" find --json data/logs/c.csv
[[ $(keys) == 'logs/c.csv ' ]] || unexpected 'a file'
run "$EBB" find --json d:logs/o
[[ $(keys) == 'logs/old/ logs/old/a.log ' ]] || unexpected 'a prefix'
(cd data/logs/old && "$EBB" -c ../../../ebb.yaml find --json . | jq -r .path | tr '\n' ' ' >"$HOME/dot")
[[ $(<"$HOME/dot") == 'logs/old/ logs/old/a.log ' ]] || fail "'.' is not the folder one is in"
run "$EBB" find --json --limit 3
[[ $(keys) == 'deep/ deep/er/ deep/er/big.bin ' ]] || unexpected 'the first three'
run "$EBB" find --count
expect_out '11 objects, 5.1 MiB'
run "$EBB" find --count --where 'name == "big.bin"'
expect_out '1 object, 4.8 MiB'
run "$EBB" find --count --json --where 'size > 1KiB and type == "file"'
[[ $out == '{"objects":5,"bytes":5303000}' ]] || unexpected 'count'
run "$EBB" find --where 'sise > 1MiB'
expect_status 2
expect_err "--where:1:1: unknown fact 'sise'; did you mean 'size'?"
run "$EBB" find --order-by size,down
expect_status 2
run "$EBB" find nosuch
expect_status 2
run "$EBB" find /
expect_status 2
expect_err "'/' lies in no store of 'ebb.yaml'"
run "$EBB" find /etc/passwd
expect_status 2

# --- du ---
run "$EBB" du --json
[[ $(jq -c '[.path, .depth, .objects, .bytes]' <<<"$out" | tr -d '\n') == '["deep/",1,3,5000000]["logs/",1,5,303000]["tmp/",1,3,50]["",0,11,5303050]' ]] || unexpected 'du'
run "$EBB" du --json --depth 0 data/logs
[[ $(jq -c '[.path, .bytes]' <<<"$out") == '["logs/",303000]' ]] || unexpected 'du of a folder'
for what in 'du d:nope/' 'du --json d:nope/' 'du --by ext d:nope/' 'report d:nope/'; do
	# shellcheck disable=SC2086
	run "$EBB" $what
	expect_status 1
	[[ -z $out ]] || unexpected 'sums of nothing'
	expect_err "nothing is below 'd:nope/'"
done
run "$EBB" du nosuch:
expect_status 2
# Of equal sums, a folder comes before what is in it.
run "$EBB" du --depth 2 d:deep/
[[ $(sed '1d; s/.* //' <<<"$out" | tr '\n' ' ') == 'd:deep/ d:deep/er/ ' ]] || unexpected 'the child before its parent'
run "$EBB" du --depth 2 --limit 2
expect_out 'd:'
expect_err 'smaller folders are not shown'
run "$EBB" du --by ext --json
[[ $(jq -c '[.ext, .objects, .bytes]' <<<"$out" | tr -d '\n') == '["bin",1,5000000]["log",2,300000]["csv",2,3000]["tmp",1,50]' ]] || unexpected 'by ext'
run "$EBB" du --by kind --json
[[ $(jq -c '[.kind, .objects]' <<<"$out" | tr -d '\n') == '["file",6]["dir",5]' ]] || unexpected 'by kind'
run "$EBB" du --by class --json
[[ $(jq -r .class <<<"$out") == HDD ]] || unexpected 'by class'
run "$EBB" du --by owner
expect_status 0
expect_out total

# Every dimension adds up to the same.
for by in ext owner age; do
	run "$EBB" du --by $by --json
	[[ $(jq -s 'map(.bytes) | add' <<<"$out") == 5303050 ]] || unexpected "the sum by $by"
done

# --- report ---
run "$EBB" report
expect_status 0
expect_out '6 files and 5 folders, 5.1 MiB'
expect_out 'By time since last access'
expect_out '1 name is a further hard link to a file counted once: 2.9 KiB'
run "$EBB" report --format json
expect_status 0
jq -e '.total.bytes == 5303050 and .stores[0].priced and (.cost_month_nano > 0) and .currency == "USD"' <<<"$out" >/dev/null || unexpected 'report'
jq -e '[.idle[].bytes, .idle_unknown[].bytes] | add == 5303050' <<<"$out" >/dev/null || unexpected 'idle adds up'
jq -e '([.written[] | select(.age == "1-2 y") | .bytes] | add) == 5100000' <<<"$out" >/dev/null || unexpected 'written'
if [[ $evidence == relatime || $evidence == atime ]]; then
	jq -e '([.idle[] | select(.age == "1-2 y") | .bytes] | add) == 5100000' <<<"$out" >/dev/null || unexpected 'idle'
fi

# --- explain ---
run "$EBB" explain data/logs/old/a.log
expect_status 0
expect_out "Rule 'logs' meets it"
expect_out 'its condition is false'
expect_out 'an earlier rule meets it'
run "$EBB" explain d:logs/old/a.log d:tmp/x.tmp d:deep --json
expect_status 0
[[ $(jq -c '[.path, .rule, .do]' <<<"$out" | tr -d '\n') == '["logs/old/a.log","logs","compress"]["tmp/x.tmp","fresh","keep"]["deep/","fresh","keep"]' ]] || unexpected 'explain'
[[ $(jq -c 'select(.rule == "logs") | .rules[] | [.name, .condition, .fires]' <<<"$out" | tr -d '\n') == '["fresh","false",false]["logs","true",true]["big","true",false]' ]] || unexpected 'verdicts'
[[ $(jq -r 'select(.rule == "logs") | .facts[] | select(.name == "size") | .value' <<<"$out") == '97.7 KiB' ]] || unexpected 'facts'
run "$EBB" explain d:nosuch
expect_status 1
expect_err "'d:nosuch' is not in the index, last scanned just now; is it new, or left out?"
run "$EBB" explain d
expect_status 2
run "$EBB" explain e:x
expect_status 2
expect_err "no store is called 'e' in 'ebb.yaml'"

# --- An index that cannot be, a configuration that cannot be read ---
for what in find 'scan d'; do
	for index in "$PWD/ebb.yaml" "$PWD/ebb.yaml/below"; do
		# shellcheck disable=SC2086
		run "$EBB" --index "$index" $what
		expect_status 5
	done
done
ln -s loop loop
run "$EBB" --config loop check
expect_status 3
expect_err "cannot open 'loop': Too many levels of symbolic links"

# --- Outputs that go away ---
mkdir data/many
(cd data/many && touch f{1..3000})
run "$EBB" scan
expect_status 0
for what in 'find --json' 'find' 'du --depth 9 --limit 0' 'report'; do
	# shellcheck disable=SC2086
	run bash -c '"$0" "$@" | head -n 1; exit "${PIPESTATUS[0]}"' "$EBB" $what
	expect_status 0
	[[ -z $err ]] || unexpected 'a reader that had enough is no error'
	# shellcheck disable=SC2086
	run bash -c '"$0" "$@" >/dev/full' "$EBB" $what
	expect_status 1
	expect_err 'cannot write to standard output: No space left on device'
done
"$EBB" plan -o many.jsonl >plan.txt
run bash -c '"$0" show --json many.jsonl | head -n 1; exit "${PIPESTATUS[0]}"' "$EBB"
expect_status 0
[[ -z $err ]] || unexpected 'a reader that had enough is no error'

# --- show ---
run "$EBB" show many.jsonl
expect_status 0
expect_out ' of 2026-11-20T12:00:00Z'
expect_out 'store d, as of its scan of 2026-11-20T12:00:00Z'
expect_out 'kept by a rule'
run "$EBB" show many.jsonl --rule big
expect_status 0
expect_out 'big  '
expect_no_out 'kept by a rule'
expect_no_out 'logs '
run "$EBB" show many.jsonl --rule bgi
expect_status 2
expect_err "the plan has no rule 'bgi'; did you mean 'big'?"
for what in 'show none.jsonl' 'show data' 'apply none.jsonl' 'apply data'; do
	# shellcheck disable=SC2086
	run "$EBB" $what
	expect_status 2
	expect_err "cannot open '"
done

# --- The log: nothing unless asked for ---
run "$EBB" --log-json -q scan
expect_status 0
[[ -z $err ]] || unexpected 'a log that nobody asked for'
run "$EBB" -v -q scan
expect_err 'info: configuration loaded path=ebb.yaml'
expect_err 'info: lock taken command="ebb scan"'
expect_err "info: index opened to write dir=$EBB_INDEX"
expect_err "info: scan begun store=d root=$PWD/data mount="
expect_err 'info: scan ended store=d objects='
run "$EBB" -v --log-json -q scan
[[ $(jq -r 'select(.level == "info") | .msg' <<<"$err" | tail -n 1) == 'scan ended' ]] || unexpected 'the log as JSON'
run "$EBB" -v -q apply many.jsonl
expect_err 'info: run ended run='
