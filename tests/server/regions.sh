#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Transfers between three regions whose servers count what they send: a distribution from one to two, with content that one destination
# has already, sends over each link what the plan says, and less than copying from home; an agent in each region compresses on the way; a copy that was killed goes on inside the object;
# buckets of one region copy by themselves. What arrives is read by the AWS CLI.
#
# It takes half a minute: its other clients are in Python, and the servers count once a second.

. "$EBB_SRC/tests/support/server.sh"
require_cmd jq
if [[ -z ${REGION_ENDPOINTS:-} ]]; then
	exec "$EBB_SRC/tests/support/regions" 'eu-west-1 ap-south-1' bash "$0"
fi
# shellcheck disable=SC2086 # a list of words
set -- "$RGW_ENDPOINT" $REGION_ENDPOINTS
declare -A endpoint=([us-east-1]=$1 [eu-west-1]=$2 [ap-south-1]=$3)

# in_region REGION aws-arguments...
in_region() {
	local region=$1
	shift
	RGW_ENDPOINT=${endpoint[$region]} AWS_DEFAULT_REGION=$region aws "$@"
}

# bucket_in REGION
bucket_in() {
	local name
	name=test-$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
	in_region "$1" s3api create-bucket --bucket "$name" >/dev/null
	echo "$name"
}

# count REGION...: what the servers have sent from and received into our buckets, ${sent[REGION]} and ${got[REGION]}. They write that down
# once a second, so this waits until nothing more comes.
declare -A sent got bucket
count() {
	local before=- now='' region
	while [[ $before != "$now" || -z $now ]]; do
		before=$now now=
		sleep 1.1
		for region; do
			now+="$region $("$EBB_SRC/tests/support/regions" --usage "$region" "${bucket[$region]}")"$'\n'
		done
	done
	while read -r region a b; do
		[[ -z $region ]] || sent[$region]=$a got[$region]=$b
	done <<<"$now"
}

# within WHAT COUNTED PLANNED: 2 % are allowed
within() {
	echo "$1: planned $3, counted $2"
	(($2 >= $3 * 98 / 100 && $2 <= $3 * 102 / 100)) || fail "$1: planned $3, counted $2"
}

bucket[us-east-1]=$(bucket_in us-east-1) bucket[eu-west-1]=$(bucket_in eu-west-1) bucket[ap-south-1]=$(bucket_in ap-south-1)
home=${bucket[us-east-1]} eu=${bucket[eu-west-1]} ap=${bucket[ap-south-1]} next=$(bucket_in us-east-1)
cat >book.yaml <<'END'
version: 1
name: acme
provider: acme
currency: USD
date: 2026-01-01
source: made up
confidence: contract
egress:
  - {from: us-east-1, to: us-east-1, price: 0/GB}
  - {from: us-east-1, to: eu-west-1, price: 50000/GB}
  - {from: us-east-1, to: ap-south-1, price: 90000/GB}
  - {from: eu-west-1, to: ap-south-1, price: 20000/GB}
END
cat >ebb.yaml <<END
version: 1
prices: [./book.yaml]
stores:
  home: {type: s3, bucket: $home, endpoint: "${endpoint[us-east-1]}", provider: acme, region: us-east-1}
  next: {type: s3, bucket: $next, endpoint: "${endpoint[us-east-1]}", provider: acme, region: us-east-1}
  eu: {type: s3, bucket: $eu, endpoint: "${endpoint[eu-west-1]}", provider: acme, region: eu-west-1}
  ap: {type: s3, bucket: $ap, endpoint: "${endpoint[ap-south-1]}", provider: acme, region: ap-south-1}
rules: []
END
export EBB_INDEX=$HOME/index
mkdir data
for i in 1 2 3 4 5 6; do head -c $((1000000 * i + i)) /dev/urandom >data/f$i; done
in_region us-east-1 s3 sync --quiet data "s3://$home/data"
# the destination in the middle has two of them, under other names
in_region eu-west-1 s3 cp --quiet data/f5 "s3://$eu/old/five"
in_region eu-west-1 s3 cp --quiet data/f6 "s3://$eu/old/six"

# --- One to two, along the cheapest tree ---
run "$EBB" scan
expect_status 0
run "$EBB" transfer plan home:data/ --to eu,ap -o plan.jsonl --json
expect_status 0
[[ $(jq -r .status <<<"$out") == optimal ]] || unexpected 'it is not optimal'
usd=$(jq -r .cost_usd <<<"$out") direct=$(jq -r .direct_from_first_replica_usd <<<"$out")
over() { tail -n +3 plan.jsonl | jq -s --arg a "$1" --arg b "$2" '[.[] | select(.store == $a and .to_store == $b).wire_bytes] | add // 0'; }
[[ $(over home ap) == 0 ]] || fail 'the dear link is used'
run "$EBB" transfer run plan.jsonl --json
expect_status 0
count us-east-1 eu-west-1
within 'home to eu' "${sent[us-east-1]}" "$(over home eu)"
within 'eu to ap' "${sent[eu-west-1]}" "$(over eu ap)"
[[ $(grep planned_bytes <<<"$out" | jq -s 'all(.planned_bytes == .sent_bytes)') == true ]] || unexpected 'sent is not planned'
in_region eu-west-1 s3 sync --quiet "s3://$eu/data" got.eu
in_region ap-south-1 s3 sync --quiet "s3://$ap/data" got.ap
run diff -r data got.eu
expect_status 0
run diff -r data got.ap
expect_status 0

# --- What copying everything from home sends ---
naive=$(bucket_in us-east-1)
in_region us-east-1 s3 sync --quiet data "s3://$naive/data"
for to in eu-west-1 ap-south-1; do
	mkdir "from.$to"
	in_region us-east-1 s3 sync --quiet "s3://$naive/data" "from.$to"
done
bucket[us-east-1]=$naive
count us-east-1
bucket[us-east-1]=$home
all=$(cat data/* | wc -c)
within 'copying from home, twice' "${sent[us-east-1]}" $((2 * all))
(($(over home eu) < sent[us-east-1] / 3)) || fail 'the plan is hardly better'
echo "planned $usd USD, straight from home $direct USD"

# --- Killed inside a large object ---
head -c 117440512 /dev/urandom >large
in_region us-east-1 s3 cp --quiet large "s3://$home/large"
run "$EBB" scan home
run "$EBB" transfer plan home:large --to eu -o large.jsonl
expect_status 0
count us-east-1
before=${sent[us-east-1]}
"$EBB" transfer run large.jsonl >/dev/null 2>&1 &
pid=$!
journal=
marks() { grep -c '"t":"mark"' "$journal" || true; }
until [[ -n $journal ]] && (($(marks) >= 4)); do
	kill -0 $pid 2>/dev/null || fail 'it was done before it could be killed'
	journal=$(grep -l '"path":"large"' "$EBB_INDEX"/runs/*/journal 2>/dev/null || true)
done
kill -KILL $pid
wait $pid 2>/dev/null || true
! grep -q '"t":"done"' "$journal" || fail 'it was done before it was killed'
count us-east-1
killed=${sent[us-east-1]}
uploads() { in_region eu-west-1 s3api list-multipart-uploads --bucket "$eu" | jq '.Uploads // [] | length'; }
[[ $(uploads) == 1 ]] || fail 'no upload was left'
run "$EBB" transfer run large.jsonl --json
expect_status 0
count us-east-1
rest=$((sent[us-east-1] - killed))
echo "killed after $((killed - before)) bytes; the rest took $rest of 117440512"
((rest <= 117440512 - 16777216)) || fail 'nothing of the first attempt was used'
in_region eu-west-1 s3 cp --quiet "s3://$eu/large" large.got
expect_same large large.got
[[ -z $(uploads) || $(uploads) == 0 ]] || fail 'an upload stays'

# --- An agent in each region: compressed before each link, decompressed behind it, each part of the plan a job of its own ---
mkdir tables
for i in 1 2 3 4; do head -c $((1000000 * i)) /dev/urandom | od -An -v -tx1 | tr -d ' \n' >tables/t$i.csv; done
head -c 500000 /dev/urandom >tables/noise.bin
in_region us-east-1 s3 sync --quiet tables "s3://$home/tables"
run "$EBB" scan home
run "$EBB" transfer plan home:tables/ --to eu,ap --compress -o whole.jsonl
expect_status 2
run "$EBB" transfer plan home:tables/ --to eu,ap --compress --split -o split.jsonl
expect_status 0
[[ -e split.us-east-1.jsonl && -e split.eu-west-1.jsonl && -e split.ap-south-1.jsonl && ! -e split.jsonl ]] || fail "$(ls)"
planned() { tail -n +3 "split.$1.jsonl" | jq -s --arg b "$2" '[.[] | select(.to_store == $b).wire_bytes] | add // 0'; }
count us-east-1 eu-west-1 ap-south-1
read_before=${sent[us-east-1]} eu_before=${got[eu-west-1]} ap_before=${got[ap-south-1]}
# at SITE: what the agent there does, with an index of its own
at() { EBB_INDEX=$HOME/index.$1 run "$EBB" transfer run "split.$1.jsonl"; }
at ap-south-1
expect_status 7
expect_err 'actions wait for what other sites have to send'
at eu-west-1
expect_status 7
at us-east-1
expect_status 0
at ap-south-1
expect_status 7
at eu-west-1
expect_status 0
at ap-south-1
expect_status 0
count us-east-1 eu-west-1 ap-south-1
raw=$(cat tables/* | wc -c)
within 'home read in place' $((sent[us-east-1] - read_before)) "$raw"
# what came, and what was written in place when it was decompressed
tables=$(cat tables/*.csv | wc -c)
within 'compressed to eu' $((got[eu-west-1] - eu_before - tables)) "$(planned us-east-1 eu)"
within 'compressed to ap' $((got[ap-south-1] - ap_before - tables)) "$(planned eu-west-1 ap)"
(($(planned us-east-1 eu) < raw * 6 / 10)) || fail 'it is not compressed'
in_region eu-west-1 s3 sync --quiet "s3://$eu/tables" tables.eu
in_region ap-south-1 s3 sync --quiet "s3://$ap/tables" tables.ap
run diff -r tables tables.eu
expect_status 0
run diff -r tables tables.ap
expect_status 0
for b in "eu-west-1 $eu" "ap-south-1 $ap"; do
	# shellcheck disable=SC2086 # two words
	set -- $b
	[[ -z $(in_region "$1" s3 ls "s3://$2/.ebb-transfer/" --recursive) ]] || fail "something stays on its way in $1"
done
at eu-west-1
expect_status 0
expect_out 'nothing to do'

# --- Buckets of one region copy by themselves, parts as well ---
count us-east-1
before=${sent[us-east-1]}
run "$EBB" transfer plan home --to next -o near.jsonl
expect_status 0
run "$EBB" transfer run near.jsonl --json
expect_status 0
count us-east-1
((sent[us-east-1] - before < 100000)) || fail "$((sent[us-east-1] - before)) bytes came here" # lists and headers count as well
in_region us-east-1 s3 sync --quiet "s3://$next" got.next
run diff -r data got.next/data
expect_status 0
expect_same large got.next/large
run "$EBB" undo last
expect_status 0
[[ -z $(in_region us-east-1 s3 ls "s3://$next" --recursive) ]] || fail 'undo leaves copies'
