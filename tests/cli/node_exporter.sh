#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A real node exporter serves our textfile, sample for sample, and says that it met no error in it; promtool accepts metrics and rules.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq curl python3 prometheus-node-exporter promtool

mkdir -p data/runs "data/odd\"\\ümläut" text
head -c 5M /dev/zero | tr '\0' x >data/runs/w.bin
seq 1 1000 >data/runs/old.log
printf 'x' >"data/odd\"\\ümläut/y"
touch -d 2026-01-01 data/runs/*
cat >ebb.yaml <<END
version: 1
stores: {data: {type: fs, path: $PWD/data, class: HDD}}
prices: [onprem]
labels: owners.csv
shared: [{label: team, of: platform, split: {"re\"search\\\\": 100%}}]
rules: [{name: logs, match: "**/*.log", when: "age > 30d", do: delete, trash: 1d}]
budgets: [{name: "all \"in\"", month: 1 USD}]
END
printf 'by,value,label,is\nprefix,data:runs/,team,platform\n' >owners.csv
export EBB_INDEX=$PWD/idx
EBB_NOW=2026-11-25T02:00:00Z "$EBB" scan >/dev/null
EBB_NOW=2026-11-25T02:00:00Z "$EBB" plan -o plan.jsonl >/dev/null
EBB_NOW=2026-11-25T02:01:00Z "$EBB" apply plan.jsonl >/dev/null
EBB_NOW=2026-11-26T02:00:00Z "$EBB" scan >/dev/null
export EBB_NOW=2026-11-26T03:00:00Z
"$EBB" plan -o next.jsonl >/dev/null
"$EBB" report --format prom >text/ebb.prom
grep -q '^ebb_savings_month{action="delete",state="waiting"' text/ebb.prom || fail 'no savings'
grep -q '^ebb_allocated_cost_month' text/ebb.prom || fail 'no shared costs'
promtool check metrics <text/ebb.prom || fail 'promtool does not accept the metrics'
promtool check rules "$EBB_SRC/contrib/prometheus/ebb.rules.yml" >/dev/null || fail 'promtool does not accept the rules'

serve() {
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	prometheus-node-exporter --web.listen-address="127.0.0.1:$port" --collector.disable-defaults --collector.textfile \
		--collector.textfile.directory="$PWD/text" 2>exporter.err &
	exporter=$!
	for _ in $(seq 200); do
		curl -sf --noproxy '*' "http://127.0.0.1:$port/metrics" >got && return 0
		kill -0 $exporter 2>/dev/null || return 1
		read -rt 0.05 <> <(:) || true
	done
	return 1
}
trap 'kill $exporter 2>/dev/null || true' EXIT
serve || serve || fail "it does not serve: $(cat exporter.err)" # another may have taken the port
grep -q '^node_textfile_scrape_error 0$' got || fail "the exporter met an error: $(cat exporter.err)"
# values as numbers, since it prints them its own way
samples() {
	grep '^ebb_' "$1" | python3 -c '
import re, sys
for line in sys.stdin:
    name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)\n", line).groups()
    print(name, sorted(re.findall(r"\w+=\"(?:[^\"\\]|\\.)*\"", labels or "")), float(value))' | sort
}
samples text/ebb.prom >want
samples got >is
[[ $(wc -l <want) -gt 30 ]] || fail 'there are few samples'
expect_same want is
