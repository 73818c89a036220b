/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sections of the config and credentials files that AWS tools share.
 *
 * Source: AWS SDKs and Tools Reference Guide, "Format of the config and credentials files": [name] or [profile name], `name = value`, comments
 * that begin a line with # or ;, or stand behind a blank; nested settings, which are indented, are passed.
 *
 * Pure. Threads: every function may be called from any thread.
 */
#ifndef EBB_SCANNERS_CREDS_INI_H
#define EBB_SCANNERS_CREDS_INI_H

#include <stdbool.h>
#include <stddef.h>

/* Settings that are understood, in the order of the array. */
enum ebb_creds_ini_name {
	EBB_CREDS_INI_ACCESS_KEY,
	EBB_CREDS_INI_SECRET,
	EBB_CREDS_INI_TOKEN,
	EBB_CREDS_INI_ROLE,
	EBB_CREDS_INI_SOURCE_PROFILE,
	EBB_CREDS_INI_SOURCE,
	EBB_CREDS_INI_PROCESS,
	EBB_CREDS_INI_WEB_TOKEN,
	EBB_CREDS_INI_SESSION_NAME,
	EBB_CREDS_INI_EXTERNAL_ID,
	EBB_CREDS_INI_DURATION,
	EBB_CREDS_INI_REGION,
	EBB_CREDS_INI_MFA,
	EBB_CREDS_INI_SSO_SESSION,
	EBB_CREDS_INI_SSO_URL,
	EBB_CREDS_INI_COUNT
};

/* Borrowed from the text; p NULL: not set. */
struct ebb_creds_ini {
	struct {
		const char *p;
		size_t len;
	} value[EBB_CREDS_INI_COUNT];
};

/*
 * Add what the section of @profile says to @ret; what is set there stays. @config: the file is the config file, where a section is called
 * "profile NAME" unless it is the default.
 *
 * @return  whether there is such a section.
 */
bool ebb_creds_ini_read(const char *text, size_t len, const char *profile, bool config, struct ebb_creds_ini *ret);

/* Name of a setting, as it stands in the file. */
const char *ebb_creds_ini_text(enum ebb_creds_ini_name name);

#endif
