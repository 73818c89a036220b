/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The version of ebb: what --version prints, what servers read in the user agent. */
#ifndef EBB_CORE_VERSION_H
#define EBB_CORE_VERSION_H

#define EBB_VERSION "0.1.0"

#endif
