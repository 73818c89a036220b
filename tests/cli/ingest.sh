#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Access logs: what they say of reads, that a line counts once, and what rules make of it.

. "$EBB_SRC/tests/cli/lib.sh"

export EBB_NOW=2026-11-20T00:00:00Z
unexpected() { fail "unexpected $1: $out $err"; }

mkdir -p data/runs
for f in hot cold never; do
	head -c 2M /dev/zero | tr '\0' x >"data/runs/$f.log"
	touch -d '2026-01-01T00:00:00Z' "data/runs/$f.log"
done
cat >ebb.yaml <<END
version: 1
stores: {d: {type: fs, path: "$PWD/data"}}
rules:
  - {name: gone, match: "runs/never*", when: "idle > 10d", do: delete}
  - {name: cool, when: "idle > 10d", do: compress}
END

# One line an hour of somebody else, so that the log covers three weeks; hot is read each day, cold on the first.
months=(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec)
for day in $(seq 0 19); do
	date=$(date -u -d "2026-10-31 + $day days" +"%d %m %Y")
	read -r d m y <<<"$date"
	stamp="$d/${months[10#$m - 1]}/$y"
	for h in 00 08 16; do
		echo "10.0.0.1 - - [$stamp:$h:00:00 +0000] \"GET /other HTTP/1.1\" 200 5 \"-\" \"curl\""
	done
	echo "10.0.0.1 - - [$stamp:09:00:00 +0000] \"GET /files/runs/hot.log HTTP/1.1\" 200 100 \"-\" \"curl\""
	echo "10.0.0.1 - - [$stamp:10:00:00 +0000] \"GET /files/runs/never.log HTTP/1.1\" 200 100 \"-\" \"ebb/0.2.0\""
	echo "10.0.0.1 - - [$stamp:11:00:00 +0000] \"HEAD /files/runs/never.log HTTP/1.1\" 200 0 \"-\" \"curl\""
	[[ $day != 0 ]] || echo "10.0.0.1 - - [$stamp:12:00:00 +0000] \"GET /files/runs/cold.log HTTP/1.1\" 206 7 \"-\" \"curl\""
done >access.log

# --- before any scan, in overlapping pieces, one of them gzipped, one with damage ---
head -n 60 access.log >a.log
sed -n '40,$p' access.log >b.log
sed -i '5i this is no line' b.log
gzip -k b.log
run "$EBB" ingest --map /files/=d a.log --json
expect_status 0
[[ $(jq -r 'select(.store) | "\(.store) \(.applied) \(.hole)"' <<<"$out") == 'd false false' ]] || unexpected 'first'
run_in b.log.gz "$EBB" ingest --map /files/=d - --json
expect_status 0
expect_err '(stdin):5: cannot read this record'
[[ $(jq -r 'select(.files) | "\(.damaged) \(.failed)"' <<<"$out") == '1 0' ]] || unexpected 'totals'
mkdir logs
mv a.log b.log logs
run "$EBB" ingest --map /files/=d logs access.log --json
expect_status 0
[[ $(jq -r 'select(.store) | "\(.reads) \(.changed)"' <<<"$out") == '0 false' ]] || unexpected 'again'

# --- the scan finds it ---
run "$EBB" scan
expect_status 0
facts() { jq -r 'select(.kind == "file") | "\(.path) \(.reads) \(.read_bytes) \(.evidence_since)"' <<<"$out"; }
noatime=false
run "$EBB" find --json
[[ $out != *'"evidence":"log"'* ]] || noatime=true
run "$EBB" find --json --where 'type == "file"'
[[ $(jq -r 'select(.path == "runs/hot.log") | .atime' <<<"$out") == *'2026-1'* ]] || unexpected 'atime'

# --- where the filesystem knows nothing of reads, logs are the evidence; a bucket's records are like that ---
if $noatime; then
	[[ $(facts | sort) == "$(printf '%s\n' 'runs/cold.log 1 7 2026-10-31T00:00:00Z' \
		'runs/hot.log 20 2000 2026-10-31T00:00:00Z' 'runs/never.log 0 0 2026-10-31T00:00:00Z')" ]] ||
		unexpected 'facts'
	run "$EBB" explain d:runs/never.log
	expect_out 'only access logs, which may have lost reads'
	run "$EBB" explain d:runs/cold.log
	expect_out "Rule 'cool' meets it"
	expect_out 'likely between'
fi

# --- mistakes ---
run "$EBB" ingest --map /files/=nosuch access.log
expect_status 2
expect_err "no store is called 'nosuch'"
run "$EBB" ingest --map nonsense access.log
expect_status 2
run "$EBB" ingest --map /files/=d missing.log
expect_status 1
expect_err "cannot read 'missing.log'"
echo 'Dear diary' >diary
run "$EBB" ingest --map /files/=d diary
expect_status 1
expect_err 'no log of a known format'
