#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Predicted beside billed: cost exports of three formats, what agrees, what differs, what cannot be compared, and nothing dropped.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq gzip

mkdir -p lake deep site
truncate -s 0 lake/x deep/y site/z
head -c 1M /dev/zero | tr '\0' x >lake/x
head -c 2M /dev/zero | tr '\0' x >deep/y
head -c 1M /dev/zero | tr '\0' x >site/z
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: fs, path: $PWD/lake, provider: aws, region: eu-west-1, class: STANDARD}
  deep: {type: fs, path: $PWD/deep, provider: aws, region: eu-west-1, class: DEEP_ARCHIVE}
  site: {type: fs, path: $PWD/site, class: NVME}
prices: [./aws.yaml, ./site.yaml]
END
# a MiB costs 100 USD a month in STANDARD, 10 in DEEP_ARCHIVE, 1 on the site
cat >aws.yaml <<'END'
{version: 1, name: x, provider: aws, date: 2026-01-01, currency: USD, source: test, confidence: list,
 classes: {STANDARD: {}, DEEP_ARCHIVE: {}},
 regions: {eu-west-1: {STANDARD: {storage_gib_month: 102400}, DEEP_ARCHIVE: {storage_gib_month: 10240}}},
 rates: [{from: EUR, to: USD, rate: 1.25, date: 2026-01-01, source: test}]}
END
cat >site.yaml <<'END'
{version: 1, name: site, date: 2026-01-01, currency: USD, source: test, confidence: list, classes: {NVME: {storage_gib_month: 1024}}}
END
export EBB_INDEX=$PWD/idx
cat >bill.csv <<'END'
BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ServiceName,ServiceProviderName,RegionId,ChargeCategory,x_UsageType,ListCost
1,USD,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,Amazon S3,AWS,eu-west-1,Usage,EUW1-TimedStorage-ByteHrs,1
END
run "$EBB" reconcile bill.csv
expect_status 5
expect_err 'no history yet'

# a month that is known whole: 31 days of 100 and 20, the site of 1; then half of the next with twice as much in the lake
EBB_NOW=2026-09-20T02:00:00Z run "$EBB" scan
EBB_NOW=2026-10-05T02:00:00Z run "$EBB" scan
head -c 1M /dev/zero | tr '\0' x >lake/more
EBB_NOW=2026-11-01T02:00:00Z run "$EBB" scan
export EBB_NOW=2026-11-15T12:00:00Z

# --- AWS CUR, gzipped: byte order mark, quotes with commas and line ends, exponents, region codes, overhead, other services, a torn date ---
{
	printf '\xef\xbb\xbfidentity/LineItemId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,'
	printf 'lineItem/UsageType,lineItem/Operation,lineItem/UnblendedCost,lineItem/CurrencyCode,product/regionCode,pricing/publicOnDemandCost,lineItem/LineItemDescription\r\n'
	for day in $(seq -w 1 31); do
		next=$(date -u -d "2026-10-$day + 1 day" +%Y-%m-%dT00:00:00Z)
		printf 'a,Usage,2026-10-%sT00:00:00Z,%s,AmazonS3,EUW1-TimedStorage-ByteHrs,StandardStorage,3.0,USD,eu-west-1,3.2258064516129,"0.023 USD per GB,\nfirst ""50"" TB"\r\n' "$day" "$next"
	done
	# no region column: its code tells; a part of it at the rate of the plain class
	printf 'b,Usage,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,AmazonS3,EU-TimedStorage-GDA-ByteHrs,DeepArchiveStorage,1.9E1,USD,,20,x\n'
	printf 'b,Usage,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,AmazonS3,EU-TimedStorage-ByteHrs,DeepArchiveS3ObjectOverhead,1.000000000000000000000123,USD,,0,x\n'
	printf 'c,Usage,2026-10-02T00:00:00Z,2026-10-03T00:00:00Z,AmazonS3,EUW1-Requests-Tier1,PutObject,0.5,USD,eu-west-1,0.5,x\n'
	printf 'c,Usage,2026-10-02T00:00:00Z,2026-10-03T00:00:00Z,AmazonS3,EUW1-EarlyDelete-GDA,DeleteObject,0.25,USD,eu-west-1,0.25,x\n'
	printf 'd,Usage,2026-10-02T00:00:00Z,2026-10-03T00:00:00Z,AmazonEC2,EUW1-BoxUsage:m5.large,RunInstances,12,USD,eu-west-1,12,x\n'
	printf 'e,Tax,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,AmazonS3,,,7,USD,,0,VAT\n'
	printf 'f,Usage,2026-13-01T00:00:00Z,2026-11-01T00:00:00Z,AmazonS3,TimedStorage-ByteHrs,,7,USD,,0,x\n'
	printf 'g,Usage,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,AmazonS3,USE2-TimedStorage-SIA-ByteHrs,StandardIAStorage,4,USD,us-east-2,4,x\n'
	printf 'h,Usage,2026-11-01T00:00:00Z,2026-11-15T00:00:00Z,AmazonS3,EUW1-TimedStorage-ByteHrs,StandardStorage,100,USD,eu-west-1,100,x\n'
	printf 'i,Usage,2026-09-01T00:00:00Z,2026-10-01T00:00:00Z,AmazonS3,EUW1-TimedStorage-ByteHrs,StandardStorage,40,USD,eu-west-1,40,x\n'
} | gzip >cur.csv.gz
run "$EBB" reconcile cur.csv.gz --json
expect_status 0
[[ $(jq -c '[.format, .rows_read]' <<<"$out") == '["CUR",41]' ]] || unexpected 'another format'
row() {
	jq -c --arg m "$1" --arg c "$2" '.compared[] | select(.month == $m and .class == $c) | [.region, .billed_nano, .predicted_nano, .unknown_days, .compared]' <<<"$out"
}
[[ $(row 2026-10 STANDARD) == '["eu-west-1",93000000000,100000000000,0,true]' ]] || unexpected 'standard in October'
[[ $(row 2026-10 DEEP_ARCHIVE) == '["eu-west-1",20000000000,20000000000,0,true]' ]] || unexpected 'deep archive in October'
[[ $(row 2026-10 STANDARD_IA) == '["us-east-2",4000000000,null,0,false]' ]] || unexpected 'what was not predicted'
[[ $(row 2026-10 NVME) == '["",null,1000000000,0,false]' ]] || unexpected 'what was not billed'
# 15 of 30 days so far, each of 200
[[ $(row 2026-11 STANDARD) == '["eu-west-1",100000000000,100000000000,0,true]' ]] || unexpected 'standard in November'
# nobody looked before the 20th
[[ $(row 2026-09 STANDARD) == '["eu-west-1",40000000000,36666666666,19,false]' ]] || unexpected 'standard in September'
# (100 + 20 + 100) / (93 + 20 + 100)
[[ $(jq -c '.calibration | [.rows, .billed_nano, .predicted_nano, (.bias * 1e6 | round), (.error * 1e6 | round)]' <<<"$out") == \
	'[3,213000000000,220000000000,32864,32864]' ]] || unexpected 'the calibration is another'
[[ $(jq -c '.left | map([.why, .rows, .billed_nano]) | sort' <<<"$out") == \
	'[["AmazonEC2: not of what is stored",1,12000000000],["AmazonS3: early deletes",1,250000000],["AmazonS3: requests",1,500000000],["AmazonS3: taxes and credits",1,7000000000],["not read: the date '"'2026-13-01T00:00:00Z'"' is none",1,0]]' ]] ||
	unexpected 'charges are missing'
# every charge of the bill stands somewhere
[[ $(jq '([.compared[].rows] | add) + ([.left[].rows] | add) == .rows_read' <<<"$out") == true ]] || unexpected 'rows were dropped'
run "$EBB" reconcile cur.csv.gz
expect_out 'calibration: predicted 220.00 USD, billed 213.00 USD, over 3 rows: +3.29 % in all, 3.29 % by row'
expect_out 'not predicted'
expect_out '19 days unknown'
expect_out 'AmazonS3: requests: 0.50 USD, 1 row, first in cur.csv.gz:'
run "$EBB" reconcile --cost list cur.csv.gz --json
[[ $(row 2026-10 STANDARD) == '["eu-west-1",100000000000,100000000000,0,true]' ]] || unexpected 'the list price is another'

# --- CUR 2.0, and FOCUS in another currency, with and without a rate ---
cat >cur2.csv <<'END'
line_item_usage_start_date,line_item_usage_end_date,line_item_product_code,line_item_usage_type,line_item_operation,line_item_unblended_cost,line_item_currency_code,product_region_code,line_item_line_item_type
2026-10-01 00:00:00.000,2026-11-01 00:00:00.000,AmazonS3,EUW1-TimedStorage-ByteHrs,StandardStorage,110,USD,eu-west-1,Usage
END
run "$EBB" reconcile cur2.csv --json
[[ $(row 2026-10 STANDARD) == '["eu-west-1",110000000000,100000000000,0,true]' ]] || unexpected 'CUR 2.0'
cat >focus.csv <<'END'
BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ServiceName,ServiceProviderName,RegionId,ChargeCategory,x_UsageType,ListCost
80,EUR,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,Amazon Simple Storage Service,AWS,eu-west-1,Usage,EUW1-TimedStorage-ByteHrs,1
5,CHF,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,Amazon Simple Storage Service,AWS,eu-west-1,Usage,EUW1-TimedStorage-ByteHrs,1
END
run "$EBB" reconcile focus.csv --json
[[ $(row 2026-10 STANDARD) == '["eu-west-1",100000000000,100000000000,0,true]' ]] || unexpected 'the rate was not taken'
[[ $(jq -r '.left[0].why' <<<"$out") == 'in CHF, for which the price books have no rate to USD' ]] || unexpected 'CHF'

# --- Our own export, by what it calls contracted, agrees with itself ---
EBB_NOW=2026-11-30T12:00:00Z run "$EBB" report --format focus
printf '%s\n' "$out" >own.csv
EBB_NOW=2026-11-30T23:00:00Z run "$EBB" reconcile --cost contracted own.csv --json
[[ $(jq -c '[.calibration.rows, (.calibration.error < 1e-9)]' <<<"$out") == '[3,true]' ]] || unexpected 'the own export differs'

# --- What is no bill ---
printf 'a,b\n1,2\n' >bad.csv
run "$EBB" reconcile bad.csv
expect_status 3
expect_err "'bad.csv' is no bill that ebb knows"
printf 'ChargePeriodStart,ServiceName\n' >bad.csv
run "$EBB" reconcile bad.csv
expect_status 3
expect_err 'is FOCUS without the column BilledCost'
printf 'ChargePeriodStart,"ServiceName\n' >bad.csv
run "$EBB" reconcile bad.csv
expect_status 3
expect_err 'bad.csv:1: a quote does not end'
gzip -c cur2.csv | head -c 100 >cut.csv.gz
run "$EBB" reconcile cut.csv.gz
[[ $status -ne 0 ]] || fail 'a torn file is read'
expect_err cut.csv.gz
