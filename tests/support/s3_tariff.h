/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prices of four S3 classes, as listed for us-east-1 in 2026, for tests of what is decided by them. */
#ifndef EBB_TESTS_SUPPORT_S3_TARIFF_H
#define EBB_TESTS_SUPPORT_S3_TARIFF_H

#include "policies/tariff.h"

enum { STANDARD, STANDARD_IA, GLACIER_IR, INTELLIGENT };

#define S3_KIB128 131072

static const struct ebb_tariff s3_tariff = {
	.n = 4,
	.currency = "USD",
	.class = {
		{.name = "STANDARD", .storage = 23000000000, .move = 5000000},
		{.name = "STANDARD_IA", .storage = 12500000000, .retrieval = 10000000000,
		 .move = 10000000, .min_days = 30, .min_bytes = S3_KIB128},
		{.name = "GLACIER_IR", .storage = 4000000000, .retrieval = 30000000000,
		 .move = 20000000, .min_days = 90, .min_bytes = S3_KIB128},
		{.name = "INTELLIGENT_TIERING", .storage = 23000000000, .move = 10000000,
		 .watch = 2500000, .watched_from = S3_KIB128, .nsinks = 2,
		 .sink = {{30, 12500000000}, {90, 4000000000}}},
	},
};

#endif
