#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Bills of Google Cloud and Azure, in their own layouts and in FOCUS, gzipped: what agrees, what differs, credits, other meters, nothing dropped.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq gzip

mkdir -p lake near hot cool
for f in lake/x hot/x; do head -c 1M /dev/zero | tr '\0' x >$f; done
for f in near/x cool/x; do head -c 2M /dev/zero | tr '\0' x >$f; done
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: fs, path: $PWD/lake, provider: gcp, region: europe-west1, class: STANDARD}
  near: {type: fs, path: $PWD/near, provider: gcp, region: eu, class: NEARLINE}
  hot: {type: fs, path: $PWD/hot, provider: azure, region: westeurope, class: HOT}
  cool: {type: fs, path: $PWD/cool, provider: azure, region: eastus2, class: COOL}
prices: [./gcp.yaml, ./azure.yaml]
END
# a MiB costs 100 USD a month in STANDARD and HOT, 10 in NEARLINE and COOL
cat >gcp.yaml <<'END'
{version: 1, name: g, provider: gcp, date: 2026-01-01, currency: USD, source: test, confidence: list, classes: {STANDARD: {}, NEARLINE: {}},
 regions: {europe-west1: {STANDARD: {storage_gib_month: 102400}}, eu: {NEARLINE: {storage_gib_month: 10240}}},
 rates: [{from: EUR, to: USD, rate: 1.25, date: 2026-01-01, source: test}]}
END
cat >azure.yaml <<'END'
{version: 1, name: a, provider: azure, date: 2026-01-01, currency: USD, source: test, confidence: list, classes: {HOT: {}, COOL: {}},
 regions: {westeurope: {HOT: {storage_gib_month: 102400}}, eastus2: {COOL: {storage_gib_month: 10240}}}}
END
export EBB_INDEX=$PWD/idx
EBB_NOW=2026-09-20T02:00:00Z run "$EBB" scan
EBB_NOW=2026-11-01T02:00:00Z run "$EBB" scan
export EBB_NOW=2026-11-02T12:00:00Z

row() {
	jq -c --arg c "$1" '.compared[] | select(.month == "2026-10" and .class == $c) |
		[.provider, .region, .billed_nano, .predicted_nano, .compared]' <<<"$out"
}
left() {
	[[ $(jq -c '.left | map([.why, .rows, .billed_nano]) | sort' <<<"$out") == "$1" ]] || unexpected 'charges are missing'
	[[ $(jq '([.compared[].rows] | add) + ([.left[].rows] | add) == .rows_read' <<<"$out") == true ]] || unexpected 'rows were dropped'
}

# --- Google's standard usage cost, as BigQuery writes it into CSV: hours, credits as JSON, a multi-region without a region ---
google() { # SERVICE SKU START END PLACE REGION COST CREDITS TYPE LIST
	printf '01A-2B,95FF-2EF5-5EA1,%s,E5F0-6A5D-7BAD,%s,%s,%s,lab,%s,DE,%s,,%s,USD,1.0,1,byte-seconds,1,gibibyte month,%s,202610,%s,%s\n' "$@"
}
hours() {
	local day hour to end
	for day in $(seq 1 31); do
		for hour in $(seq 0 23); do
			to=$(((hour + 1) % 24))
			printf -v end '2026-10-%02d %02d:00:00 UTC' $((day + (to == 0))) $to
			[[ $end == 2026-10-32* ]] && end='2026-11-01 00:00:00 UTC'
			google 'Cloud Storage' 'Standard Storage Belgium' "$(printf '2026-10-%02d %02d:00:00 UTC' "$day" "$hour")" "$end" \
				europe-west1 europe-west1 0.125 \
				'"[{""name"": ""Spending based discount"", ""amount"": -0.025, ""type"": ""DISCOUNT""}, {""name"": ""x"", ""amount"": -1E-3}]"' \
				regular 0.15
		done
	done
}
{
	printf 'billing_account_id,service.id,service.description,sku.id,sku.description,usage_start_time,usage_end_time,project.id,location.location,'
	printf 'location.country,location.region,location.zone,cost,currency,currency_conversion_rate,usage.amount,usage.unit,'
	printf 'usage.amount_in_pricing_units,usage.pricing_unit,credits,invoice.month,cost_type,cost_at_list\n'
	hours
	october=(2026-10-01T00:00:00Z 2026-11-01T00:00:00Z)
	here=(europe-west1 europe-west1)
	google 'Cloud Storage' 'Nearline Storage Europe Multi-region' "${october[@]}" eu '' 20 '[]' regular 20
	google 'Cloud Storage' 'Nearline Storage Europe Multi-region (Early Delete)' "${october[@]}" eu '' 2 '[]' regular 2
	google 'Cloud Storage' 'Regional Standard Class A Operations' "${october[@]}" "${here[@]}" 0.5 '' regular 0.5
	google 'Cloud Storage' 'Coldline Data Retrieval' "${october[@]}" eu '' 0.25 '' regular 0.25
	google 'Cloud Storage' 'Network Data Transfer GCP Inter Region within Europe' "${october[@]}" eu '' 3 '' regular 3
	google 'Compute Engine' 'Storage PD Capacity' "${october[@]}" "${here[@]}" 9 '' regular 9
	google Invoice Tax "${october[@]}" '' '' 7 '' tax 7
	google 'Cloud Storage' 'Standard Storage Belgium' "${october[@]}" "${here[@]}" 1 '"[{""amount"": 1e99}]"' regular 1
} | gzip >gcp.csv.gz
run "$EBB" reconcile gcp.csv.gz --json
expect_status 0
[[ $(jq -r .format <<<"$out") == 'Google Cloud' ]] || unexpected 'another format'
# 744 hours of 0.125 - 0.026
[[ $(row STANDARD) == '["gcp","europe-west1",73656000000,100000000000,true]' ]] || unexpected 'standard at Google'
[[ $(row NEARLINE) == '["gcp","eu",20000000000,20000000000,true]' ]] || unexpected 'nearline at Google'
left '[["Cloud Storage: early deletes",1,2000000000],["Cloud Storage: requests",1,500000000],["Cloud Storage: retrieval",1,250000000],["Cloud Storage: transfer",1,3000000000],["Compute Engine: not of what is stored",1,9000000000],["Invoice: taxes and credits",1,7000000000],["not read: the credits '"'"'[{\"amount\": 1e99}]'"'"' are no amounts",1,0]]'
run "$EBB" reconcile --cost contracted gcp.csv.gz --json
[[ $(row STANDARD) == '["gcp","europe-west1",94000000000,100000000000,true]' ]] || unexpected 'without credits'
run "$EBB" reconcile --cost list gcp.csv.gz --json
[[ $(row STANDARD) == '["gcp","europe-west1",112600000000,100000000000,true]' ]] || unexpected 'at list prices'
# a query that names its columns, and its credits added up
cat >gcp2.csv <<'END'
service_description,sku_description,usage_start_time,usage_end_time,location_region,cost,currency,credits_amount,cost_type
Cloud Storage,Standard Storage Belgium,2026-10-01,2026-11-01,europe-west1,100,EUR,-20,regular
END
run "$EBB" reconcile gcp2.csv --json
[[ $(row STANDARD) == '["gcp","europe-west1",100000000000,100000000000,true]' ]] || unexpected 'the query'

# --- Azure: an enterprise agreement, dates as they are there, places in several spellings, disks and files beside blobs ---
azure() { # PLACE DATE FAMILY METER REGION COST TYPE
	printf 'lab,x,0f-1,rg,%s,%s,"Blob Storage, Hot LRS",Storage,%s,9c-7,%s,%s,1 GB/Month,1,1,%s,Microsoft.Storage,/subscriptions/0f-1,"""team"": ""a"",""env"": ""b""",{},%s,USD\r\n' "$@"
}
{
	printf '\xef\xbb\xbfInvoiceSectionName,AccountName,SubscriptionId,ResourceGroup,ResourceLocation,Date,ProductName,MeterCategory,MeterSubCategory,MeterId,'
	printf 'MeterName,MeterRegion,UnitOfMeasure,Quantity,EffectivePrice,CostInBillingCurrency,ConsumedService,ResourceId,Tags,AdditionalInfo,ChargeType,BillingCurrencyCode\r\n'
	for day in $(seq -w 1 31); do
		azure 'EU West' "10/$day/2026" 'Tiered Block Blob' 'Hot LRS Data Stored' 'EU West' 3 Usage
		azure EastUS2 "10/$day/2026" 'General Block Blob v2' 'Cool LRS Data Stored' 'US East 2' 0.5 Usage
	done
	azure 'East US 2' 2026-10-31 'Azure Data Lake Storage Gen2 Hierarchical Namespace' 'Cool LRS Data Stored' 'US East 2' 4.5 Usage
	azure '' 10/31/2026 'Blob Storage' 'Cool LRS Data Stored' 'US East 2' 0.5 Usage
	azure 'US East 2' 10/01/2026 'Files v2' 'Hot LRS Data Stored' 'US East 2' 11 Usage
	azure westeurope 10/01/2026 'Standard Page Blob' 'LRS Data Stored' 'EU West' 12 Usage
	azure westeurope 10/01/2026 'Tiered Block Blob' 'Hot LRS Write Operations' 'EU West' 0.5 Usage
	azure westeurope 10/01/2026 'Tiered Block Blob' 'Cool LRS Early Delete' 'EU West' 0.25 Usage
	azure westeurope 10/01/2026 'Tiered Block Blob' 'Cool Data Retrieval' 'EU West' 0.125 Usage
	azure westeurope 10/01/2026 'Tiered Block Blob' 'Hot LRS Data Stored' 'EU West' -5 Refund
	azure westeurope 31/10/2026 'Tiered Block Blob' 'Hot LRS Data Stored' 'EU West' 1 Usage
} | gzip >azure.csv.gz
run "$EBB" reconcile azure.csv.gz --json
expect_status 0
[[ $(jq -r .format <<<"$out") == Azure ]] || unexpected 'another format'
[[ $(row HOT) == '["azure","westeurope",93000000000,100000000000,true]' ]] || unexpected 'hot at Azure'
[[ $(row COOL) == '["azure","eastus2",20500000000,20000000000,true]' ]] || unexpected 'cool at Azure'
left '[["Storage: early deletes",1,250000000],["Storage: not of what is stored",2,23000000000],["Storage: requests",1,500000000],["Storage: retrieval",1,125000000],["Storage: taxes and credits",1,-5000000000],["not read: the date '"'31/10/2026'"' is none",1,0]]'
run "$EBB" reconcile --cost list azure.csv.gz
expect_status 3
expect_err "'azure.csv.gz' is Azure without the column PaygCostInBillingCurrency"
# a customer agreement writes names small, and knows list prices; pay as you go has older names
cat >mca.csv <<'END'
invoiceId,billingCurrency,date,meterCategory,meterSubCategory,meterName,meterRegion,resourceLocation,quantity,chargeType,costInBillingCurrency,paygCostInBillingCurrency
,USD,2026-10-01,Storage,Tiered Block Blob,Hot LRS Data Stored,EU West,westeurope,1,Usage,80,100
END
run "$EBB" reconcile --cost list mca.csv --json
[[ $(row HOT) == '["azure","westeurope",100000000000,100000000000,true]' ]] || unexpected 'a customer agreement'
cat >payg.csv <<'END'
SubscriptionGuid,ResourceGroup,ResourceLocation,UsageDateTime,MeterCategory,MeterSubCategory,MeterId,MeterName,MeterRegion,UsageQuantity,ResourceRate,PreTaxCost,Currency
0f-1,rg,westeurope,2026-10-01,Storage,Tiered Block Blob,9c,Hot LRS Data Stored,EU West,1,1,90,USD
END
run "$EBB" reconcile payg.csv --json
[[ $(row HOT) == '["azure","westeurope",90000000000,100000000000,true]' ]] || unexpected 'pay as you go'

# --- FOCUS of both, in one go ---
cat >focus_azure.csv <<'END'
BilledCost,BillingCurrency,ChargeCategory,ChargeDescription,ChargePeriodEnd,ChargePeriodStart,ProviderName,RegionId,ServiceName,SkuId,x_SkuMeterCategory,x_SkuMeterName,x_SkuMeterSubcategory
95,USD,Usage,Hot LRS Data Stored,2026-11-01T00:00:00Z,2026-10-01T00:00:00Z,Microsoft,westeurope,Storage Accounts,DZH318Z0BNXT,Storage,Hot LRS Data Stored,Tiered Block Blob
8,USD,Usage,Hot LRS Data Stored,2026-11-01T00:00:00Z,2026-10-01T00:00:00Z,Microsoft,westeurope,Storage Accounts,DZH318Z0BNXT,Storage,Hot LRS Data Stored,Files v2
END
cat >focus_gcp.csv <<'END'
BilledCost,BillingCurrency,ChargeCategory,ChargeDescription,ChargePeriodEnd,ChargePeriodStart,ServiceProviderName,RegionId,ServiceName,SkuId,SkuMeter
99,USD,Usage,Standard Storage Belgium,2026-11-01T00:00:00Z,2026-10-01T00:00:00Z,Google Cloud,europe-west1,Cloud Storage,E5F0-6A5D-7BAD,Storage
END
gzip -k focus_gcp.csv
run "$EBB" reconcile focus_azure.csv focus_gcp.csv.gz --json
[[ $(row HOT) == '["azure","westeurope",95000000000,100000000000,true]' ]] || unexpected 'FOCUS of Azure'
[[ $(row STANDARD) == '["gcp","europe-west1",99000000000,100000000000,true]' ]] || unexpected 'FOCUS of Google'
left '[["Storage Accounts: not of what is stored",1,8000000000]]'
run "$EBB" reconcile focus_azure.csv focus_gcp.csv
expect_out 'over 2 rows'

# --- Layouts that nobody knows; names that terminals would obey ---
printf 'Month,Product,Total\n2026-10,Storage,5\n' >other.csv
run "$EBB" reconcile other.csv
expect_status 3
for column in ChargePeriodStart lineItem/UsageStartDate line_item_usage_start_date usage_start_time MeterCategory; do
	expect_err "$column"
done
printf 'usage_start_time,cost,currency\n' >other.csv
run "$EBB" reconcile other.csv
expect_status 3
expect_err 'is Google Cloud without the column service.description'
printf 'MeterCategory,Date,BillingCurrency\n' >other.csv
run "$EBB" reconcile other.csv
expect_status 3
expect_err 'is Azure without the column CostInBillingCurrency'
printf 'MeterCategory,Date,BillingCurrency,Cost\nSto\033[2Jrage,2026-10-01,USD,1\n' >other.csv
run "$EBB" reconcile other.csv
expect_status 0
expect_no_out $'\033'
