/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/region.h"

#include <stddef.h>
#include <string.h>

#include "core/mem.h"

/* A name that ends in '-' stands for all regions that begin so. Names of more countries than one ("EU") are not here. */
struct region {
	const char *name, *country;
};

static const struct region aws[] = {
	{"af-south-1", "ZA"}, {"ap-east-1", "HK"}, {"ap-east-2", "TW"}, {"ap-northeast-1", "JP"},
	{"ap-northeast-2", "KR"}, {"ap-northeast-3", "JP"}, {"ap-south-1", "IN"}, {"ap-south-2", "IN"},
	{"ap-southeast-1", "SG"}, {"ap-southeast-2", "AU"}, {"ap-southeast-3", "ID"}, {"ap-southeast-4", "AU"},
	{"ap-southeast-5", "MY"}, {"ap-southeast-6", "NZ"}, {"ap-southeast-7", "TH"}, {"ca-", "CA"}, {"cn-", "CN"},
	{"eu-central-1", "DE"}, {"eu-central-2", "CH"}, {"eu-north-1", "SE"}, {"eu-south-1", "IT"}, {"eu-south-2", "ES"},
	{"eu-west-1", "IE"}, {"eu-west-2", "GB"}, {"eu-west-3", "FR"}, {"il-central-1", "IL"}, {"me-central-1", "AE"},
	{"me-south-1", "BH"}, {"mx-central-1", "MX"}, {"sa-east-1", "BR"}, {"us-", "US"},
};

static const struct region gcs[] = {
	{"africa-south1", "ZA"}, {"asia-east1", "TW"}, {"asia-east2", "HK"}, {"asia-northeast1", "JP"},
	{"asia-northeast2", "JP"}, {"asia-northeast3", "KR"}, {"asia-south1", "IN"}, {"asia-south2", "IN"},
	{"asia-southeast1", "SG"}, {"asia-southeast2", "ID"}, {"asia-southeast3", "TH"}, {"australia-southeast1", "AU"},
	{"australia-southeast2", "AU"}, {"europe-central2", "PL"}, {"europe-north1", "FI"}, {"europe-north2", "SE"},
	{"europe-southwest1", "ES"}, {"europe-west1", "BE"}, {"europe-west10", "DE"}, {"europe-west12", "IT"},
	{"europe-west2", "GB"}, {"europe-west3", "DE"}, {"europe-west4", "NL"}, {"europe-west6", "CH"},
	{"europe-west8", "IT"}, {"europe-west9", "FR"}, {"me-central1", "QA"}, {"me-central2", "SA"}, {"me-west1", "IL"},
	{"northamerica-northeast1", "CA"}, {"northamerica-northeast2", "CA"}, {"northamerica-south1", "MX"},
	{"southamerica-east1", "BR"}, {"southamerica-west1", "CL"}, {"us", "US"}, {"us-", "US"}, {"nam4", "US"},
};

static const struct region azure[] = {
	{"australiacentral", "AU"}, {"australiacentral2", "AU"}, {"australiaeast", "AU"}, {"australiasoutheast", "AU"},
	{"austriaeast", "AT"}, {"belgiumcentral", "BE"}, {"brazilsouth", "BR"}, {"brazilsoutheast", "BR"},
	{"canadacentral", "CA"}, {"canadaeast", "CA"}, {"centralindia", "IN"}, {"centralus", "US"},
	{"chilecentral", "CL"}, {"eastasia", "HK"}, {"eastus", "US"}, {"eastus2", "US"}, {"francecentral", "FR"},
	{"francesouth", "FR"}, {"germanynorth", "DE"}, {"germanywestcentral", "DE"}, {"indonesiacentral", "ID"},
	{"israelcentral", "IL"}, {"italynorth", "IT"}, {"japaneast", "JP"}, {"japanwest", "JP"}, {"koreacentral", "KR"},
	{"koreasouth", "KR"}, {"malaysiawest", "MY"}, {"mexicocentral", "MX"}, {"newzealandnorth", "NZ"},
	{"northcentralus", "US"}, {"northeurope", "IE"}, {"norwayeast", "NO"}, {"norwaywest", "NO"},
	{"polandcentral", "PL"}, {"qatarcentral", "QA"}, {"southafricanorth", "ZA"}, {"southafricawest", "ZA"},
	{"southcentralus", "US"}, {"southeastasia", "SG"}, {"southindia", "IN"}, {"spaincentral", "ES"},
	{"swedencentral", "SE"}, {"swedensouth", "SE"}, {"switzerlandnorth", "CH"}, {"switzerlandwest", "CH"},
	{"uaecentral", "AE"}, {"uaenorth", "AE"}, {"uksouth", "GB"}, {"ukwest", "GB"}, {"usgovarizona", "US"},
	{"usgovtexas", "US"}, {"usgovvirginia", "US"}, {"westcentralus", "US"}, {"westeurope", "NL"},
	{"westindia", "IN"}, {"westus", "US"}, {"westus2", "US"}, {"westus3", "US"},
};

static const struct region wasabi[] = {
	{"ap-northeast-1", "JP"}, {"ap-northeast-2", "JP"}, {"ap-southeast-1", "SG"}, {"ap-southeast-2", "AU"},
	{"ca-central-1", "CA"}, {"eu-central-1", "NL"}, {"eu-central-2", "DE"}, {"eu-south-1", "IT"},
	{"eu-west-1", "GB"}, {"eu-west-2", "FR"}, {"eu-west-3", "GB"}, {"us-", "US"},
};

static const struct {
	const char *provider;
	const struct region *regions;
	size_t n;
} providers[] = {
	{"aws", aws, EBB_ARRAY_LEN(aws)},
	{"gcp", gcs, EBB_ARRAY_LEN(gcs)},
	{"azure", azure, EBB_ARRAY_LEN(azure)},
	{"wasabi", wasabi, EBB_ARRAY_LEN(wasabi)},
};

const char *ebb_region_country(const char *provider, const char *region)
{
	for (size_t p = 0; p < EBB_ARRAY_LEN(providers); p++)
		for (size_t i = 0; strcmp(providers[p].provider, provider) == 0 && i < providers[p].n; i++) {
			const struct region *r = &providers[p].regions[i];
			size_t n = strlen(r->name);

			if (r->name[n - 1] == '-' ? strncmp(region, r->name, n) == 0 : strcmp(region, r->name) == 0)
				return r->country;
		}
	return NULL;
}
