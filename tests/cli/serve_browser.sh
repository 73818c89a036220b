#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The pages of ebb serve in a real browser: drill-down by folder and label, the plan for review; no console errors, nothing beyond the edge of a
# phone, figures those of the JSON.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq python3 chromium

mkdir -p data/runs/alpha/deep data/runs/beta data/logs
head -c 3M /dev/zero | tr '\0' x >data/runs/alpha/deep/w.bin
head -c 1M /dev/zero | tr '\0' x >"data/runs/beta/<b>&'\".bin"
head -c 2M /dev/zero | tr '\0' x >data/logs/app.log
touch -d 2026-01-01 data/logs/app.log
cat >ebb.yaml <<END
version: 1
stores: {data: {type: fs, path: $PWD/data, class: HDD}}
prices: [./p.yaml]
datasets:
  - {match: "runs/{project}/**", team: "research & more"}
rules: [{name: old logs, match: "logs/**", when: "age > 30d", do: compress, codec: zstd}]
budgets: [{name: all, month: 1 USD}]
END
cat >p.yaml <<'END'
{version: 1, name: site, date: 2026-01-01, currency: USD, source: test, confidence: list, classes: {HDD: {storage_gib_month: 102400}}}
END
for day in 24 25 26; do
	EBB_NOW=2026-11-${day}T02:00:00Z "$EBB" --index idx scan >/dev/null
done
export EBB_NOW=2026-11-27T02:00:00Z
"$EBB" --index idx plan -o plan.jsonl >/dev/null
"$EBB" --index idx serve --listen 127.0.0.1:0 --plan plan.jsonl >address 2>serve.err &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
for _ in $(seq 200); do
	[[ -s address ]] && break
	kill -0 $server 2>/dev/null || fail "it ended: $(cat serve.err)"
	read -rt 0.05 <> <(:) || true
done
"$EBB" --index idx report --json >report.json
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$EBB_SRC/tests/support python3 - "$(cat address)" <<'END' || fail 'the browser met something else'
import json, sys, urllib.request
from browser import Browser
base = sys.argv[1]
report = json.load(open("report.json"))
with Browser() as b:
    b.open(base)
    text = b.text()
    assert "ebb: data, cost and plan" in text and "old logs" in text, text
    # figures are those of the JSON
    money = lambda nano: f"{nano / 1e9:,.2f} USD"
    assert report["cost_month_nano"] == 600 * 10**9
    for dim in ("team", "project", "store", "class"):
        for row in report["by"][dim]:
            assert (row["value"] or "(none)") in text and money(row["cost_month_nano"]) in text, row
    assert money(report["cost_month_nano"]) in text
    # by folder, to the end
    b.click("folders"); b.click("data"); b.click("runs/"); b.click("alpha/")
    assert "deep/" in b.text() and "3.0 MiB" in b.text(), b.text()
    b.click("deep/")
    assert b.url().endswith("prefix=runs/alpha/deep/"), b.url()
    b.click("runs/")
    assert "alpha/" in b.text() and "beta/" in b.text()
    b.click("report")
    # by label
    b.click("research & more")
    assert "4.0 MiB in 2 objects" in b.text(), b.text()
    b.click("alpha")
    assert "3.0 MiB in 1 object" in b.text(), b.text()
    with urllib.request.urlopen(b.url() + "&json=1") as f:
        j = json.load(f)
    assert j["bytes"] == 3 << 20 and j["by"]["folder"][0]["value"] == "data:runs/alpha/", j
    # the plan
    b.click("report"); b.click("plan")
    assert "data:logs/app.log" in b.text() and "compress" in b.text()
    # a phone: nothing reaches beyond its edge
    for page in ("", "plan", "browse?store=data&prefix=runs/", "by?label=team&value="):
        b.open(base + page)
        for width in (390, 1280):
            b.resize(width, 900)
            assert b.overflow() == [], (page, width, b.overflow())
            assert b.ask("document.documentElement.scrollWidth") <= width, (page, width)
        assert b.ask("document.scripts.length") == 0
    assert b.errors == [], b.errors
END
"$EBB" --index idx report --format html --plan plan.jsonl >page.html
for kind in cleanup migration; do
	"$EBB" --index idx report --for $kind --plan plan.jsonl >$kind.html
done
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$EBB_SRC/tests/support python3 - "$PWD" <<'END' || fail 'the pages of files are not right'
import sys
from browser import Browser
with Browser() as b:
    for page, word in (("page", "What the plan would do"), ("cleanup", "Nothing to do"), ("migration", "data:logs/app.log")):
        b.open(f"file://{sys.argv[1]}/{page}.html")
        assert word in b.text(), b.text()
        b.resize(390, 900)
        assert b.overflow() == [], (page, b.overflow())
    assert b.errors == [], b.errors
END
