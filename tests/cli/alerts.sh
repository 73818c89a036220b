#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Costs by owner, the history that scans leave, budgets and anomalies from it, and the report in every format.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq python3

mkdir -p data/runs/a data/runs/b data/logs
head -c 3M /dev/zero | tr '\0' x >data/runs/a/w.bin
head -c 1M /dev/zero | tr '\0' x >data/runs/b/w.bin
head -c 2M /dev/zero | tr '\0' x >data/logs/app.log
touch -d 2026-10-01 data/runs/*/* data/logs/*
cat >ebb.yaml <<END
version: 1
stores:
  data: {type: fs, path: $PWD/data, class: HDD, jurisdiction: AE}
prices: [./p.yaml]
labels: owners.csv
datasets:
  - {match: "runs/{project}/**", team: research}
budgets:
  - {name: all, month: 1000 USD, warn: [50%, 80%], forecast: 100%}
  - {name: research, for: {team: research}, month: 5 EUR}
alerts: {command: [sh, -c, "cat > told.json"]}
END
printf 'by,value,label,is\nprefix,data:logs/,team,platform\n' >owners.csv
cat >p.yaml <<'END'
{version: 1, name: site, date: 2026-01-01, currency: USD, source: test, confidence: list,
 classes: {HDD: {storage_gib_month: 100000}},
 rates: [{from: EUR, to: USD, rate: 1.25, date: 2026-01-01, source: test}]}
END

# a scan leaves a look; every dimension adds up to it
export EBB_NOW=2026-11-01T02:00:00Z
run "$EBB" --index idx scan
expect_status 0
jq -e '.store == "data" and .bytes == 6291456 and .currency == "USD" and (.by.team | map(.[2]) | add) == .bytes
	and (.by.project | map(.[3]) | add) == .cost_month_nano' idx/history/2026-11.jsonl >/dev/null ||
	fail "the look is not right: $(cat idx/history/2026-11.jsonl)"

# nothing is said about budgets with a mistake in them
sed 's/5 EUR/5 GBP/' ebb.yaml >bad.yaml
run "$EBB" --config bad.yaml --index idx alerts
expect_status 3
expect_err 'bad.yaml:10:'
expect_err 'GBP cannot be turned into USD'
printf 'by,value,label,is\nstore,data,team,a\nstore,data,team,b\n' >owners.csv
run "$EBB" --index idx alerts
expect_status 3
expect_err "owners.csv:3: team is 'b' here and 'a' in line 2"
printf 'by,value,label,is\nprefix,data:logs/,team,platform\n' >owners.csv

# eleven quiet days, then a day that costs twice as much
for day in 02 03 04 05 06 07 08 09 10 11 12; do
	EBB_NOW=2026-11-${day}T02:00:00Z run "$EBB" --index idx scan
	expect_status 0
done
export EBB_NOW=2026-11-13T02:00:00Z
head -c 8M /dev/zero | tr '\0' x >data/logs/more.log
run "$EBB" --index idx scan
run "$EBB" --index idx alerts --json
expect_status 8
[[ $(jq -r '.alerts[] | .alert + " " + (.budget // .team // .project // "all")' <<<"$out" | sort | tr '\n' ';') == \
	'budget research;forecast all;spike ;spike all;spike platform;' ]] || unexpected 'these are other alerts'
# 12 days of 585.9375 a month and one of 1367.1875, each a 30th
[[ $(jq '.budgets[0].spent_nano' <<<"$out") == 279947916667 ]] || unexpected 'another sum was spent'
[[ $(jq '.budgets[1].budget_nano' <<<"$out") == 6250000000 ]] || unexpected 'the budget was not converted'
cmp -s told.json <(printf '%s' "$out") || fail 'the command was told something else'
run "$EBB" --index idx alerts -n
expect_out "budget: budget 'research' (team research)"

# the same by POST, with a token from the environment; a server that is out of order is asked again, and its failure told
cat >hook.py <<'END'
import http.server
class Hook(http.server.BaseHTTPRequestHandler):
    count = 0
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Hook.count += 1
        if Hook.count == 1:
            self.send_response(503)
            self.send_header("Retry-After", "0")
        else:
            open("posted.json", "wb").write(body)
            open("auth", "w").write(self.headers.get("Authorization", "none"))
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
open("port.new", "w").write(str(server.server_port))
__import__("os").rename("port.new", "port")
server.serve_forever()
END
python3 hook.py &
hook=$!
trap 'kill $hook 2>/dev/null || true' EXIT
for _ in $(seq 200); do
	[[ -s port ]] && break
	read -rt 0.05 <> <(:) || true
done
sed "s|^alerts:.*|alerts: {webhook: {url: 'http://127.0.0.1:$(cat port)/ebb', token_env: HOOK_TOKEN}}|" ebb.yaml >hook.yaml
run "$EBB" --config hook.yaml --index idx alerts --json
expect_status 3
expect_err 'HOOK_TOKEN, which holds the token of the webhook, is not set'
HOOK_TOKEN=very-secret run "$EBB" --config hook.yaml --index idx alerts --json
expect_status 8
cmp -s posted.json <(printf '%s' "$out") || fail 'something else was posted'
[[ $(cat auth) == 'Bearer very-secret' ]] || fail "the token was $(cat auth)"
kill $hook
wait $hook 2>/dev/null || true
sed -i 's|http://127.0.0.1|http://hooks.example|' hook.yaml
run "$EBB" --config hook.yaml check
expect_status 3
expect_err 'a token is not sent without encryption'

# a part of a store
run "$EBB" --index idx report data:runs/ --json
[[ $(jq '.by.team | map(.bytes) | add' <<<"$out") == 4194304 ]] || unexpected 'more than the part is counted'

# the same figures in every format
run "$EBB" --index idx report --json
total=$(jq .cost_month_nano <<<"$out")
jq -e '[.by[] | map(.cost_month_nano) | add] | unique == ['"$total"']' <<<"$out" >/dev/null || unexpected 'dimensions differ'
jq -e '.history | length == 13' <<<"$out" >/dev/null || unexpected 'the history is another'
run "$EBB" --index idx report --format csv
expect_out 'team,"platform",2,10485760,0,976.5625,USD'
run "$EBB" --index idx report --format md
expect_out '| research | 2 | 4.0 MiB | 390.62 USD |'
run "$EBB" --index idx report --format prom
expect_out 'ebb_cost_month{dimension="team",value="platform",currency="USD"} 976.5625'
if command -v promtool >/dev/null; then
	"$EBB" --index idx report --format prom | promtool check metrics || fail 'promtool does not accept the metrics'
	promtool check rules "$EBB_SRC/contrib/prometheus/ebb.rules.yml" || fail 'promtool does not accept the rules'
fi
run "$EBB" --index idx report --format focus
python3 - <<'END' "$out" || fail 'the FOCUS rows are not right'
import csv, io, sys
from decimal import Decimal
rows = list(csv.DictReader(io.StringIO(sys.argv[1])))
assert len(rows) == 1
r = rows[0]
assert Decimal(r["ListUnitPrice"]) * Decimal(r["PricingQuantity"]) == Decimal(r["ListCost"]) == Decimal("1367.1875")
assert r["BilledCost"] == r["EffectiveCost"] == "0" and r["ChargePeriodEnd"] == "2026-12-01T00:00:00Z"
END
"$EBB" --index idx report --format html >report.html
python3 - <<'END' || fail 'the page is not well formed'
import html.parser
open_tags = []
class Check(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "path", "rect", "circle", "br"):
            open_tags.append(tag)
        assert tag not in ("script", "link", "img", "iframe")
        assert not any(v and ("http:" in v or "https:" in v) for k, v in attrs if k != "xmlns")
    def handle_endtag(self, tag):
        assert tag in ("path", "rect", "circle") or open_tags.pop() == tag, tag
c = Check()
text = open("report.html").read()
c.feed(text)
assert not open_tags and "1,367.19 USD" in text and "platform" in text
END
