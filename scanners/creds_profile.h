/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Credentials of a profile in the shared credentials and config files: keys, a role of another profile, of the environment or of the machine, a web
 * identity, or a program that prints them. Single sign-on is not understood and refused with the remedy.
 */
#ifndef EBB_SCANNERS_CREDS_PROFILE_H
#define EBB_SCANNERS_CREDS_PROFILE_H

#include "scanners/creds.h"

extern const struct ebb_creds_provider ebb_creds_profile;

#endif
