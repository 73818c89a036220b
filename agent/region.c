/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/region.h"

#include <string.h>

#include "core/mem.h"

/* A name that ends in '-' stands for all regions that begin so. */
static const struct {
	const char *region, *country;
} regions[] = {
	{"af-south-1", "ZA"},	  {"ap-east-1", "HK"},	    {"ap-east-2", "TW"},
	{"ap-northeast-1", "JP"}, {"ap-northeast-2", "KR"}, {"ap-northeast-3", "JP"},
	{"ap-south-1", "IN"},	  {"ap-south-2", "IN"},	    {"ap-southeast-1", "SG"},
	{"ap-southeast-2", "AU"}, {"ap-southeast-3", "ID"}, {"ap-southeast-4", "AU"},
	{"ap-southeast-5", "MY"}, {"ap-southeast-6", "NZ"}, {"ap-southeast-7", "TH"},
	{"ca-", "CA"},		  {"cn-", "CN"},	    {"eu-central-1", "DE"},
	{"eu-central-2", "CH"},	  {"eu-north-1", "SE"},	    {"eu-south-1", "IT"},
	{"eu-south-2", "ES"},	  {"eu-west-1", "IE"},	    {"eu-west-2", "GB"},
	{"eu-west-3", "FR"},	  {"il-central-1", "IL"},   {"me-central-1", "AE"},
	{"me-south-1", "BH"},	  {"mx-central-1", "MX"},   {"sa-east-1", "BR"},
	{"us-", "US"},
};

const char *ebb_region_country(const char *region)
{
	for (size_t i = 0; i < EBB_ARRAY_LEN(regions); i++) {
		size_t n = strlen(regions[i].region);

		if (regions[i].region[n - 1] == '-' ? strncmp(region, regions[i].region, n) == 0
						    : strcmp(region, regions[i].region) == 0)
			return regions[i].country;
	}
	return NULL;
}
