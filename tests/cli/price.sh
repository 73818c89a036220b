#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# price: quotes with their arithmetic, books listed, shown, checked and compared; what has no price is refused.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
export EBB_NOW=2026-11-23T12:00:00Z

# A million small objects into an archive class: 50 USD to save 13 cents a month.
run "$EBB" price quote --objects 1000000 --size 16KiB --from STANDARD --to DEEP_ARCHIVE
expect_status 0
expect_out 'transition requests  DEEP_ARCHIVE  1000 1k x 0.05/1k = 50'
expect_out 'overhead  STANDARD      ~7.629394 GiB-month x 0.023/GiB-month = 0.17547607421875'
expect_out 'once        50.00 USD'
expect_out 'pays back   after 384.150059 months (11525 days)'
expect_out 'note: S3 lifecycle rules skip objects below 128KiB'
run "$EBB" price quote --objects 1000000 --size 16KiB --from STANDARD --to DEEP_ARCHIVE --json
expect_out '{"one_off_usd":50,"monthly_before_usd":0.3509521484375,"monthly_after_usd":0.220794677734375,'
expect_out '"break_even_months":384.150059,'
run "$EBB" price quote --objects 1000000 --size 16KiB --to STANDARD_IA --json
expect_out '"break_even_months":null,'

# Reads, other regions, early deletion, other providers.
run "$EBB" price quote --size 1TiB --to STANDARD_IA --reads-per-month 1.06 --json
expect_out '"break_even_months":null,'
run "$EBB" price quote --size 1TiB --to STANDARD_IA --reads-per-month 1.04 --json
expect_no_out '"break_even_months":null,'
run "$EBB" price quote --objects 40 --size 1TiB --to STANDARD --region sa-east-1 --to-region eu-west-1
expect_out 'egress              STANDARD  40960 GiB x 0.138/GiB = 5652.48'
run "$EBB" price quote --size 1TiB --from STANDARD_IA --to delete --age 10d --json
expect_out '"one_off_usd":8.533333333333333333,"monthly_before_usd":12.8,"monthly_after_usd":0,'
run "$EBB" price quote --size 1000GB --provider wasabi --json
expect_out '"monthly_before_usd":7.99,'
EBB_NOW=2026-06-30T12:00:00Z run "$EBB" price quote --size 1000GB --provider wasabi --json
expect_out '"monthly_before_usd":6.99,'
run "$EBB" price quote --size 100GiB --provider gcs --region us-central1 --to NEARLINE --json
expect_out '"one_off_usd":0.00001,"monthly_before_usd":2,"monthly_after_usd":1,'
run "$EBB" price quote --size 1GiB --provider azure --region us-sample --from HOT --to ARCHIVE
expect_out 'note: a price is a sample'

run "$EBB" price quote --size 52900GiB --stored 0
expect_out 'storage  STANDARD  52900 GiB-month by tiers = 1215'
run "$EBB" price quote --size 1000GB --stored 0 --provider r2 --json
expect_out '"monthly_before_usd":14.85,'

# Unpriced is said, with what was probably meant.
run "$EBB" price quote --size 1GiB --to STANDRD_IA
expect_status 3
expect_err "unpriced: no book prices class 'STANDRD_IA' of aws in 'us-east-1'; did you mean 'STANDARD_IA'?"
run "$EBB" price quote --size 1GiB --region us-eest-1
expect_status 3
expect_err "unpriced: no book prices aws in region 'us-eest-1'; did you mean 'us-east-1'?"
run "$EBB" price quote --size 1GiB --provider mars
expect_err "unpriced: no book prices provider 'mars'"
run "$EBB" price quote --size 1GiB --to STANDARD --to-region us-gov-west-1 --region ap-southeast-4
expect_err "unpriced: no book knows what bytes cost from aws 'ap-southeast-4' to aws 'us-gov-west-1'"
run "$EBB" price quote
expect_status 2
expect_err 'price quote needs --size'
run "$EBB" price quote --size 1GiB --reads-per-month often
expect_status 2

# Books: ours, the user's over them, refused ones with file and line.
run "$EBB" price list
expect_out 'aws     aws       2026-11-23  USD            32  list'
cat >mine.yaml <<-'END'
	version: 1
	name: mine
	provider: aws
	date: 2026-11-02
	currency: USD
	source: contract 7
	confidence: contract
	discounts:
	  - {of: storage, classes: [STANDARD], regions: [us-east-1], off: 10%}
END
run "$EBB" price quote --size 1000GiB --json --prices ./mine.yaml
expect_out '"monthly_before_usd":20.7,'
expect_out '"confidence":"contract","source":"contract 7"'
run "$EBB" price show --provider aws --region us-east-1 STANDARD
expect_out '0.023/GiB-month, 0.022/GiB-month from 50.0 TiB, 0.021/GiB-month from 500.0 TiB'
run "$EBB" price show --provider aws --region us-east-1 STANDARD --json
expect_out '"class":"STANDARD","min_days":0'
run "$EBB" price check aws azure b2 gcs onprem r2 wasabi mine.yaml
expect_status 0
expect_err 'mine.yaml is fine'

book() {
	printf '%s\n' 'version: 1' 'name: x' 'date: 2026-11-02' "currency: ${2:-USD}" 'source: s' \
		'confidence: list' 'classes:' "  A: {storage: $1}" >book.yaml
	run "$EBB" price check ./book.yaml
	expect_status 3
}
book 0.02
expect_err "./book.yaml:8:16: '0.02' has no unit: this is priced per GiB-month"
book 0.02/1k
expect_err "./book.yaml:8:16: '0.02/1k': this is priced per GiB-month"
book '[[1TiB, 2/GiB-month]]'
expect_err './book.yaml:8:17: volume above the last tier has no price'
book '[{until: 2026-06-30, price: 2/GiB-month}, {from: 2026-07-02, price: 1/GiB-month}]'
expect_err './book.yaml:8:58: no price for the days between line 8 and this one'
book '[{until: 2026-06-30, price: 2/GiB-month}, {from: 2026-06-30, price: 1/GiB-month}]'
expect_err './book.yaml:8:58: its days overlap those of line 8'
book 0.02/GiB-month USX
expect_err "./book.yaml:4:11: 'USX' is no currency that is in use"
sed 's/0.0125/0.0126/' "$EBB_SRC/contrib/prices/aws.yaml" >new.yaml
run "$EBB" price diff aws new.yaml
expect_out 'aws       us-east-1   STANDARD_IA          storage     0.0125/GiB-month  0.0126/GiB-month'
run "$EBB" price diff aws aws
[[ -z $out || $out != *us-east-1* ]] || fail 'a book differs from itself'

# Plans price what a move between regions costs; a region without prices is said, and blocks what must pay back.
mkdir hot cold mars
head -c 3M /dev/urandom >hot/a.bin
head -c 20K /dev/urandom >hot/b.bin
head -c 3M /dev/urandom >mars/c.bin
touch -d '400 days ago' hot/* mars/*
cat >ebb.yaml <<-END
	version: 1
	stores:
	  hot: {type: fs, path: $PWD/hot, provider: aws, region: us-east-1, class: STANDARD}
	  cold: {type: fs, path: $PWD/cold, provider: aws, region: eu-west-1, class: GLACIER_IR}
	  mars: {type: fs, path: $PWD/mars, provider: aws, region: mars-1, class: STANDARD}
	prices: [aws]
	rules:
	  - {name: far, store: hot, when: "age > 30d", do: tier, to: cold, require: {payback: 300d}}
	  - {name: farther, store: mars, when: "age > 30d", do: tier, to: cold, require: {payback: 300d}}
END
unset EBB_NOW
run "$EBB" check
expect_out "no price book prices class 'STANDARD' of store 'mars' (aws, region 'mars-1'): what lies there is counted as unpriced"
run "$EBB" --index idx scan hot mars
run "$EBB" --index idx plan -n hot mars
expect_out '0.00024 USD   0.000056 USD      127 d' # the way there, read back from GLACIER_IR, and the way back
expect_out '  far                  1  20.0 KiB'
expect_out '  farther              1   3.0 MiB  it does not pay back in the time the rule requires'
