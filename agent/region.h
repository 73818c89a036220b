/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which country a cloud region lies in; the same name may be another place at another provider. Sources: AWS General Reference, "AWS Regions"; Google Cloud,
 * "Bucket locations"; Microsoft, "Azure regions list"; Wasabi, "Storage regions".
 *
 * Pure.
 */
#ifndef EBB_AGENT_REGION_H
#define EBB_AGENT_REGION_H

/* ISO 3166 code of the country of a region ("aws", "me-central-1": "AE"); NULL for a provider or region that is not known here. Constant. */
const char *ebb_region_country(const char *provider, const char *region);

#endif
