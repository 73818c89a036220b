#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Transfers between three regions whose servers count what they send: a distribution from one to two, with content that one destination
# has already, sends over each link what the plan says, and less than copying from home; a copy that was killed goes on inside the object;
# buckets of one region copy by themselves. What arrives is read by the AWS CLI.

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

# usage REGION BUCKET: what the server has sent and received. It writes that down once a second, so this waits until nothing more comes.
usage() {
	local before=- now=
	while [[ $before != "$now" || -z $now ]]; do
		before=$now
		sleep 1.1
		now=$("$EBB_SRC/tests/support/regions" --usage "$1" "$2")
	done
	echo "$now"
}

# within WHAT COUNTED PLANNED: 2 % are allowed
within() {
	echo "$1: planned $3, counted $2"
	(($2 >= $3 * 98 / 100 && $2 <= $3 * 102 / 100)) || fail "$1: planned $3, counted $2"
}

home=$(bucket_in us-east-1) next=$(bucket_in us-east-1) eu=$(bucket_in eu-west-1) ap=$(bucket_in ap-south-1)
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
read -r sent _ <<<"$(usage us-east-1 "$home")"
within 'home to eu' "$sent" "$(over home eu)"
read -r sent _ <<<"$(usage eu-west-1 "$eu")"
within 'eu to ap' "$sent" "$(over eu ap)"
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
read -r sent _ <<<"$(usage us-east-1 "$naive")"
all=$(cat data/* | wc -c)
within 'copying from home, twice' "$sent" $((2 * all))
(($(over home eu) < sent / 3)) || fail 'the plan is hardly better'
echo "planned $usd USD, straight from home $direct USD"

# --- Killed inside a large object ---
head -c 117440512 /dev/urandom >large
in_region us-east-1 s3 cp --quiet large "s3://$home/large"
run "$EBB" scan home
run "$EBB" transfer plan home:large --to eu -o large.jsonl
expect_status 0
read -r sent_before _ <<<"$(usage us-east-1 "$home")"
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
read -r sent_killed _ <<<"$(usage us-east-1 "$home")"
uploads() { in_region eu-west-1 s3api list-multipart-uploads --bucket "$eu" | jq '.Uploads // [] | length'; }
[[ $(uploads) == 1 ]] || fail 'no upload was left'
run "$EBB" transfer run large.jsonl --json
expect_status 0
read -r sent _ <<<"$(usage us-east-1 "$home")"
echo "killed after $((sent_killed - sent_before)) bytes; the rest took $((sent - sent_killed)) of 117440512"
((sent - sent_killed <= 117440512 - 16777216)) || fail 'nothing of the first attempt was used'
in_region eu-west-1 s3 cp --quiet "s3://$eu/large" large.got
expect_same large large.got
[[ -z $(uploads) || $(uploads) == 0 ]] || fail 'an upload stays'

# --- Buckets of one region copy by themselves, parts as well ---
read -r sent_before _ <<<"$(usage us-east-1 "$home")"
run "$EBB" transfer plan home --to next -o near.jsonl
expect_status 0
run "$EBB" transfer run near.jsonl --json
expect_status 0
read -r sent _ <<<"$(usage us-east-1 "$home")"
((sent - sent_before < 100000)) || fail "$((sent - sent_before)) bytes came here" # lists and headers count as well
in_region us-east-1 s3 sync --quiet "s3://$next" got.next
run diff -r data got.next/data
expect_status 0
expect_same large got.next/large
run "$EBB" undo last
expect_status 0
[[ -z $(in_region us-east-1 s3 ls "s3://$next" --recursive) ]] || fail 'undo leaves copies'
