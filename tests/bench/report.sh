#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: EBB=build/ebb tests/bench/report.sh [OBJECTS [FOLDER]]
#
# The page from a large index: OBJECTS (1,000,000) in a bucket and a directory tree that never were (an inventory of the seed 20, and 90 days of
# history with weekends, growth, a spike and gaps), then `ebb report --format html`: wall and CPU seconds, memory, bytes. FOLDER keeps
# what was made. Where chromium is, the page is drawn at desktop and phone width there; where wrk is, `ebb serve` is asked for pages while a scan
# runs, and its memory is told before and after.
set -eu

: "${EBB:?}"
EBB=$(realpath "$EBB")
src=$(cd "$(dirname "$0")/../.." && pwd)
objects=${1:-1000000}
if [[ ${2:-} ]]; then
	mkdir -p "$2"
	cd "$2"
else
	tmp=$(mktemp -d)
	trap 'rm -rf "$tmp"' EXIT
	cd "$tmp"
fi
export EBB_INDEX=$PWD/idx EBB_NOW=2026-11-27T02:00:00Z

make_inventory() {
	python3 - "$objects" <<'END'
import gzip, hashlib, json, os, random, sys
n, r = int(sys.argv[1]), random.Random(20)
os.makedirs("report/data", exist_ok=True)
os.makedirs("report/2026-11-27T00-00Z", exist_ok=True)
projects = ["alpha", "vision", "speech", "climate", "robotics", "genomics"]
folders = ([f"runs/{p}/{i:03}/checkpoint-{k:06}" for p in projects for i in range(12) for k in range(0, 40000, 4000)] +
           [f"datasets/{d}/shard-{i:03}" for d in ("imagenet", "laion", "commoncrawl", "cosmos") for i in range(60)] +
           [f"logs/{y}/{m:02}" for y in (2024, 2025, 2026) for m in range(1, 13)] + ["tmp/scratch", "models/prod", "models/staging"])
weights = [r.paretovariate(1.1) for _ in folders]
kinds = {"runs": (17, 2.2, [7, 200], ".bin"), "datasets": (15, 1.5, [60, 700], ".tar"), "logs": (11, 1.5, [1, 900], ".log"),
         "tmp": (14, 2.5, [1, 400], ".tmp"), "models": (20, 1.2, [1, 120], ".safetensors")}
rows = []
for i, f in enumerate(r.choices(folders, weights, k=n)):
    mu, sigma, (young, old), ext = kinds[f.split("/")[0]]
    days = r.uniform(young, old)
    cls = "STANDARD_IA" if days > 200 and r.random() < 0.5 else "GLACIER_IR" if days > 500 and r.random() < 0.5 else "STANDARD"
    current = "true" if r.random() < 0.97 else "false"
    s = 1795737600 - int(days * 86400)
    import time
    t = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(s))
    rows.append(f'"lake","{f}/{i:07}{ext}","v{i}","{current}","false","{int(r.lognormvariate(mu, sigma)) + 1}","{t}","{cls}"\n')
rows.sort()
files = []
for k in range(0, n, 250000):
    name = f"part-{k // 250000}.csv.gz"
    data = gzip.compress("".join(rows[k:k + 250000]).encode(), 1)
    open("report/data/" + name, "wb").write(data)
    files.append({"key": "inv/lake/daily/data/" + name, "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()})
json.dump({"sourceBucket": "lake", "version": "2016-11-30", "creationTimestamp": "1795737600000", "fileFormat": "CSV",
           "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, StorageClass", "files": files},
          open("report/2026-11-27T00-00Z/manifest.json", "w"))
END
}

# 90 days up to yesterday, as the look of today is, scaled: growth, quieter weekends, a spike, a day without a look.
make_history() {
	python3 - <<'END'
import glob, json, random, datetime
r = random.Random(21)
looks = [json.loads(l) for l in open("idx/history/2026-11.jsonl")]
out = {}
for back in range(90, 0, -1):
    day = datetime.datetime(2026, 11, 27, 2) - datetime.timedelta(days=back)
    if back in (40, 41):
        continue
    for look in looks:
        f = (1 - 0.0035 * back) * (0.985 if day.weekday() >= 5 else 1) * r.uniform(0.997, 1.003) * (1.35 if back == 12 else 1)
        line = json.loads(json.dumps(look))
        line["time"] = day.strftime("%Y-%m-%dT%H:%M:%SZ")
        for k in ("objects", "bytes", "cost_month_nano", "unpriced_bytes"):
            line[k] = int(line[k] * f)
        for rows in line["by"].values():
            for row in rows:
                row[1:] = [int(v * f) for v in row[1:]]
        out.setdefault(day.strftime("%Y-%m"), []).append(json.dumps(line, separators=(",", ":")))
for month, lines in out.items():
    path = f"idx/history/{month}.jsonl"
    old = open(path).read() if glob.glob(path) else ""
    open(path, "w").write("\n".join(lines) + "\n" + old)
END
}

config() {
	mkdir -p scratch/users/ana scratch/users/ben
	head -c 3000000 /dev/zero >scratch/users/ana/a.npy
	cp scratch/users/ana/a.npy scratch/users/ben/copy.npy
	cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: lake, region: eu-west-1, class: STANDARD, jurisdiction: IE}
  scratch: {type: fs, path: $PWD/scratch, class: NVME, site: onprem, jurisdiction: AE}
prices: [aws, onprem]
labels: owners.csv
shared: [{label: team, of: platform, split: by-cost}]
datasets:
  - {match: "runs/{project}/**", team: research, kind: checkpoints}
  - {match: "datasets/**", team: data, kind: datasets}
  - {match: "logs/**", team: platform}
budgets:
  - {name: everything, month: 60000 USD, warn: [80%, 100%], forecast: 100%}
  - {name: research, for: {team: research}, month: 9000 USD, warn: [80%], forecast: 100%}
rules:
  - {name: production models stay, match: "models/prod/**", do: keep}
  - {name: old scratch, match: "tmp/**", when: "age > 90d", do: delete, trash: 14d}
  - {name: old checkpoints, match: "runs/**", when: "age > 60d and size > 1MiB", do: tier, class: GLACIER_IR}
  - {name: old logs, match: "logs/**", when: "age > 365d and size > 128KiB", do: tier, class: DEEP_ARCHIVE}
END
	printf 'by,value,label,is\nprefix,lake:models/,team,serving\nstore,scratch,team,platform\n' >owners.csv
}

measured() {
	/usr/bin/time -f "%e s wall, %U s user, %S s system, %M KiB" "$@"
}

if [[ ! -d idx ]]; then
	config
	make_inventory
	"$EBB" scan lake --from-inventory report/2026-11-27T00-00Z/manifest.json
	"$EBB" scan scratch --hash candidates
	make_history
	"$EBB" plan -o plan.jsonl.zst
fi
for format in html json; do
	echo "== report --format $format"
	measured "$EBB" report --format $format >report.$format
	stat -c '%s bytes' report.$format
done
echo '== report --format html --plan'
measured "$EBB" report --format html --plan plan.jsonl.zst >plan.html
stat -c '%s bytes' plan.html

if command -v chromium >/dev/null; then
	PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$src/tests/support python3 - <<'END'
import os
from browser import Browser
with Browser() as b:
    b.open(f"file://{os.getcwd()}/plan.html")
    for width in (1280, 390):
        b.resize(width, 900)
        print(f"== drawn {width} wide: beyond the edge {b.overflow()}, errors {b.errors}")
        b.shot(f"report-{width}.png", width)
END
fi

if command -v wrk >/dev/null; then
	echo '== serve while scans run'
	"$EBB" serve --listen 127.0.0.1:0 --refresh 2s >address 2>serve.err &
	server=$!
	trap 'kill $server 2>/dev/null; rm -rf "${tmp:-}"' EXIT
	for _ in $(seq 200); do
		[[ -s address ]] && break
		sleep 0.1
	done
	grep VmRSS /proc/$server/status
	for _ in 1 2 3; do "$EBB" scan lake --from-inventory report/2026-11-27T00-00Z/manifest.json --quiet >/dev/null; done &
	scans=$!
	wrk -t2 -c32 -d20s --latency "$(cat address)" | grep -E 'Latency|99%|Requests/sec|Socket|Non-2xx' || true
	wait $scans
	wrk -t1 -c2 -d5s --latency "$(cat address)browse?store=lake&prefix=runs/" | grep -E '99%|Requests/sec|Non-2xx' || true
	grep VmRSS /proc/$server/status
	kill $server
fi
