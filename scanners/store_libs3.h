/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The libs3 store: an optional driver for old endpoints that know only signatures of version 2, on networks that are trusted. It is
 * compiled when libs3 is there.
 *
 * What libs3 2.0 does wrong is fenced off: it never verifies certificates, so https is refused; it encodes some keys wrongly, so
 * keys other than of A-Z a-z 0-9 / _ . ~ - are refused; it has no session tokens. There are no classes, copies, versions or metadata.
 * Use type "s3" for everything else.
 *
 * Threads: as store.h says.
 */
#ifndef EBB_SCANNERS_STORE_LIBS3_H
#define EBB_SCANNERS_STORE_LIBS3_H

#include "scanners/store.h"

extern const struct ebb_store_ops ebb_store_libs3_ops;

#endif
