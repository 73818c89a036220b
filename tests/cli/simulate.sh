#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb simulate --trace: figures worked out by hand, the table, what is refused.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

simulate() {
	run "$EBB" simulate --trace reads.csv --objects objects.csv "$@"
}

# costs POLICY USD
costs() {
	local got
	got=$(jq -r --arg p "$1" '.policies[] | select(.policy == $p) | .cost_usd' <<<"$out")
	[[ $got == "$2" ]] || unexpected "$1 costs $got, not $2"
}

# One object of 1,000 GiB, 487 days (16 months), read whole on the first day and by half on the last.
cat >objects.csv <<'END'
object,size_bytes,created
a,1073741824000,2023-01-01
END
cat >reads.csv <<'END'
date,object,bytes_read
2023-01-01,a,1073741824000
2024-05-01,a,536870912000
END
simulate --json
expect_status 0
costs standard 368                # 1,000 x 16 x 0.023
costs standard_ia 215.00001       # 200 + 1,500 x 0.01 + a request
costs glacier_ir 109.00002        # 64 + 1,500 x 0.03 + a request
costs clairvoyant 79.624249979    # a day at 23, 486 at 4 (x 16/487), 15 for the last read, a request
[[ $(jq -c '[.policies[].policy]' <<<"$out") == '["standard","standard_ia","glacier_ir","age","idle","idle_sticky","intelligent_tiering","auto","clairvoyant"]' ]] ||
	unexpected 'the policies are others'
[[ $(jq -c 'keys' <<<"$out") == '["policies"]' ]] || unexpected 'there are other members'

# order of lines, line ends, quotes, other columns and a missing last newline change nothing
cp "$HOME/out" first.json
printf 'note,bytes_read,"object",date\r\n,536870912000,"a",2024-05-01\r\n"x, ""y""",1073741824000,a,2023-01-01' >reads.csv
simulate --json
expect_status 0
expect_same "$HOME/out" first.json

# reads of a day add up
printf 'date,object,bytes_read\n2023-01-01,a,1073741823999\n2023-01-01,a,1\n2024-05-01,a,536870912000\n' >reads.csv
simulate --json
expect_same "$HOME/out" first.json

simulate
expect_status 0
expect_out_file simulate.out
simulate --region eu-central-1 --json
costs standard 392                # 0.0245

# a book of one's own wins
cat >mine.yaml <<'END'
version: 1
name: mine
provider: aws
date: 2026-11-01
currency: USD
source: contract
confidence: contract
regions:
  us-east-1:
    STANDARD: {storage: 0.01/GiB-month}
END
simulate --prices ./mine.yaml --json
expect_status 0
costs standard 160

refused() {
	run "$EBB" simulate --trace reads.csv --objects objects.csv
	expect_status 3
	expect_err "$1"
}

printf 'date,object,bytes_read\n2023-01-01,a,1\n\n2023-01-02,b,1\n' >reads.csv
refused "reads.csv:4: an object that is not among the objects: b"
printf 'date,object,bytes_read\n2022-12-31,a,1\n' >reads.csv
refused "reads.csv:2: an object is read before it was created: a"
printf 'date,object,bytes_read\n2023-02-30,a,1\n' >reads.csv
refused "reads.csv:2: not a date (YYYY-MM-DD): 2023-02-30"
printf 'date,object,bytes_read\n2023-02-03,a,-1\n' >reads.csv
refused "reads.csv:2: not a number of bytes up to 4 PiB: -1"
printf 'date,object,bytes_read\n2223-02-03,a,1\n' >reads.csv
refused "reads.csv:2: an object is read more than a century after it was created: a"
printf 'date,object,bytes_read\n2023-02-03,a\n' >reads.csv
refused "reads.csv:2: the line has no field: bytes_read"
printf 'date,object,bytes_read\n2023-02-03,"a,1\n' >reads.csv
refused 'reads.csv:2: a quoted field does not end'
printf 'date,object,bytes\n' >reads.csv
refused "reads.csv:1: the heading has no column: bytes_read"
printf 'object,size_bytes,created\na,1,2023-01-01\na,1,2023-01-01\n' >objects.csv
refused "objects.csv:3: object a is there twice"
rm objects.csv
run "$EBB" simulate --trace reads.csv --objects objects.csv
expect_status 3
expect_err "cannot open 'objects.csv'"

run "$EBB" simulate --trace reads.csv
expect_status 2
expect_err 'simulate needs --trace READS.csv and --objects OBJECTS.csv'
printf 'object,size_bytes,created\na,1,2023-01-01\n' >objects.csv
run "$EBB" simulate --trace reads.csv --objects objects.csv --region nowhere-1
expect_status 3
expect_err "class STANDARD has no price in region 'nowhere-1'"
