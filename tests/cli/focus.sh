#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The FOCUS export passes the checker of its static rules, and an export that breaks one of them does not.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd python3

mkdir -p a b
head -c 1234567 /dev/zero >a/x
head -c 200000 /dev/zero >b/y
cat >ebb.yaml <<END
version: 1
stores:
  plain: {type: fs, path: $PWD/a, class: HDD}
  lake: {type: fs, path: $PWD/b, provider: aws, region: eu-west-1, class: DEEP_ARCHIVE}
prices: [onprem, aws]
END
export EBB_NOW=2026-12-05T00:00:00Z
run "$EBB" --index idx scan
expect_status 0
check() {
	python3 "$EBB_SRC/tests/support/focus_check.py" "$1"
}
"$EBB" --index idx report --format focus >good.csv
check good.csv
[[ $(wc -l <good.csv) -ge 4 ]] || fail "rows are missing: $(cat good.csv)"
grep -q ',2027-01-01T00:00:00Z,2026-12-01T00:00:00Z,Usage' good.csv || fail 'the month is not right'
grep -q 'aws.eu-west-1.DEEP_ARCHIVE' good.csv || fail 'the region is missing'

# broken NAME COLUMN-IN-MESSAGE SED-SCRIPT
broken() {
	sed -E "$3" good.csv >bad.csv
	cmp -s good.csv bad.csv && fail "$1: nothing was broken"
	if check bad.csv 2>why; then
		fail "$1: the checker accepts it"
	fi
	grep -q "$2" why || fail "$1: it says $(cat why)"
}
broken 'a column is missing' header '1s/^BilledCost,//'
broken 'columns change places' header '1s/BilledCost,BillingAccountId/BillingAccountId,BilledCost/'
broken 'a cost is invoiced' BilledCost '2s/^0,/1,/'
broken 'no account' BillingAccountId '2s/^0,ebb-estimate,/0,,/'
broken 'no currency' BillingCurrency '2s/,USD,/,usd,/'
broken 'a local time' BillingPeriodEnd '2s/00:00:00Z/00:00:00+01:00/'
broken 'a word that is not allowed' ChargeCategory '2s/,Usage,/,Use,/'
broken 'another frequency' ChargeFrequency '2s/Usage-Based/Sometimes/'
broken 'a product that is none' ListCost 's/,On-premises,On-premises,/&1/'
broken 'a null in words' RegionId 's/,GB-Months,,,/,GB-Months,N\/A,,/'
broken 'a region without a name' RegionName 's/,GB-Months,,,/,GB-Months,here,,/'
broken 'a period that ends before it begins' PeriodEnd 's/2027-01-01/2026-11-01/g'
broken 'another category' ServiceCategory '2s/,Storage,/,Storing,/'
broken 'a number with commas' ConsumedQuantity '2s/,(0\.[0-9]+),GB-Months/,"1,000",GB-Months/'
broken 'tags that are no object' Tags '2s/"\{""store"":""[a-z]+""\}"/[1]/'
broken 'tags with depth' Tags '2s/\{""store"":""[a-z]+""\}/{""store"":{}}/'
broken 'a charge outside of its bill' ChargePeriodStart '2s/,2027-01-01T00:00:00Z,2026-12-01T00:00:00Z,(0\.[0-9]+)/,2027-01-02T00:00:00Z,2026-12-01T00:00:00Z,\1/'
broken 'a row with a field too many' row '2s/$/,x/'
broken 'a class of charges that is none' ChargeClass '2s/,Usage,,/,Usage,Mistake,/'
broken 'another kind of storage' ServiceSubcategory 's/,File Storage,/,Files,/'
broken 'a SKU price of two SKUs' SkuPriceId '3,20s/,aws\.eu-west-1\.[^,]*\.t0,/,aws.eu-west-1.same.t0,/'
