/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which country a cloud region lies in. Source: AWS General Reference, "AWS Regions".
 *
 * Pure.
 */
#ifndef EBB_AGENT_REGION_H
#define EBB_AGENT_REGION_H

/* ISO 3166 code of the country of an AWS region ("me-central-1": "AE"); NULL for one that is not known here. Constant. */
const char *ebb_region_country(const char *region);

#endif
