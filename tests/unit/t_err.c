/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "core/err.h"
#include "tests/support/unit.h"

START_TEST(set_records_and_returns_negative)
{
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_err_set(&err, EBB_ECONFIG, "no such %s", "store"), -EBB_ECONFIG);
	ck_assert_int_eq(err.code, EBB_ECONFIG);
	ck_assert_int_eq(err.sys, 0);
	ck_assert_str_eq(err.msg, "no such store");
}
END_TEST

START_TEST(first_failure_stays)
{
	struct ebb_err err = {0};

	ebb_err_set(&err, EBB_ECONFIG, "first");
	ck_assert_int_eq(ebb_err_set(&err, EBB_EIO, "second"), -EBB_EIO);
	ck_assert_int_eq(ebb_err_sys(&err, ENOSPC, "third"), -EBB_ENOSPC);
	ck_assert_int_eq(err.code, EBB_ECONFIG);
	ck_assert_str_eq(err.msg, "first");
}
END_TEST

START_TEST(null_is_accepted)
{
	ck_assert_int_eq(ebb_err_set(NULL, EBB_EIO, "x"), -EBB_EIO);
	ck_assert_int_eq(ebb_err_sys(NULL, ENOENT, "x"), -EBB_ENOENT);
	ck_assert_int_eq(ebb_err_wrap(NULL, "x"), -EBB_EINVAL);
}
END_TEST

START_TEST(sys_derives_code_and_appends_reason)
{
	static const int table[][2] = {
		{ENOSPC, EBB_ENOSPC}, {EDQUOT, EBB_ENOSPC}, {ENOENT, EBB_ENOENT},
		{ENOTDIR, EBB_ENOENT}, {EACCES, EBB_EACCES}, {EPERM, EBB_EACCES},
		{EROFS, EBB_EACCES}, {EEXIST, EBB_EEXIST}, {ENOTEMPTY, EBB_EEXIST},
		{ENOMEM, EBB_ENOMEM}, {EOPNOTSUPP, EBB_ENOTSUP}, {ENOSYS, EBB_ENOTSUP},
		{EIO, EBB_EIO}, {EBADF, EBB_EIO},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct ebb_err err = {0};
		char want[256] = "cannot open 'f': ";

		strcat(want, strerror(table[i][0]));
		ck_assert_int_eq(ebb_err_sys(&err, table[i][0], "cannot open '%s'", "f"),
				 -table[i][1]);
		ck_assert_int_eq(err.sys, table[i][0]);
		ck_assert_str_eq(err.msg, want);
	}
}
END_TEST

START_TEST(wrap_puts_context_before)
{
	struct ebb_err err = {0};

	ck_assert_int_eq(ebb_err_wrap(&err, "x"), -EBB_EINVAL);
	ebb_err_sys(&err, ENOENT, "cannot open 'f'");
	ck_assert_int_eq(ebb_err_wrap(&err, "rules of %s", "lake"), -EBB_ENOENT);
	ck_assert_str_eq(err.msg, "rules of lake: cannot open 'f': No such file or directory");
	ck_assert_int_eq(err.sys, ENOENT);
}
END_TEST

START_TEST(long_messages_end_in_dots)
{
	struct ebb_err err = {0};
	char big[3000];

	memset(big, 'a', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	ebb_err_set(&err, EBB_EIO, "%s", big);
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	ck_assert_str_eq(err.msg + sizeof(err.msg) - 5, "a...");
	ebb_err_wrap(&err, "context");
	ck_assert_uint_eq(strlen(err.msg), sizeof(err.msg) - 1);
	ck_assert_int_eq(strncmp(err.msg, "context: aaa", 12), 0);
	ck_assert_str_eq(err.msg + sizeof(err.msg) - 5, "a...");
}
END_TEST

START_TEST(clear_allows_reuse)
{
	struct ebb_err err = {0};

	ebb_err_sys(&err, ENOENT, "first");
	ebb_err_clear(&err);
	ck_assert_int_eq(err.code, 0);
	ck_assert_int_eq(err.sys, 0);
	ebb_err_set(&err, EBB_EIO, "second");
	ck_assert_str_eq(err.msg, "second");
}
END_TEST

START_TEST(every_code_has_a_row)
{
	for (int code = 1; code < EBB_E_COUNT; code++) {
		ck_assert_str_ne(ebb_err_name(code), "unknown");
		ck_assert_str_eq(ebb_err_name(code), ebb_err_name(-code));
		ck_assert_int_ne(ebb_err_exit_of(code), EBB_EXIT_OK);
		for (int other = 1; other < code; other++)
			ck_assert_str_ne(ebb_err_name(code), ebb_err_name(other));
	}
}
END_TEST

START_TEST(classes_and_statuses)
{
	ck_assert_int_eq(ebb_err_class_of(-EBB_ETHROTTLE), EBB_CLASS_THROTTLE);
	ck_assert_int_eq(ebb_err_class_of(EBB_ETRANSIENT), EBB_CLASS_RETRY);
	ck_assert_int_eq(ebb_err_class_of(-EBB_ECHANGED), EBB_CLASS_SKIP);
	ck_assert_int_eq(ebb_err_class_of(-EBB_ESTALE), EBB_CLASS_STALE);
	ck_assert_int_eq(ebb_err_class_of(-EBB_ESTORE), EBB_CLASS_FATAL);
	ck_assert_int_eq(ebb_err_exit_of(-EBB_ELOCKED), EBB_EXIT_LOCKED);
	ck_assert_int_eq(ebb_err_exit_of(EBB_ECANCELLED), EBB_EXIT_INTERRUPTED);
	ck_assert_int_eq(ebb_err_exit_of(0), 0);
}
END_TEST

START_TEST(unknown_codes)
{
	static const int codes[] = {EBB_E_COUNT, -EBB_E_COUNT, 99999, -2147483647 - 1};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		ck_assert_int_eq(ebb_err_class_of(codes[i]), EBB_CLASS_FATAL);
		ck_assert_int_eq(ebb_err_exit_of(codes[i]), 1);
		ck_assert_str_eq(ebb_err_name(codes[i]), "unknown");
	}
	ck_assert_str_eq(ebb_err_name(0), "unknown");
}
END_TEST

EBB_UNIT_MAIN("err",
	set_records_and_returns_negative, first_failure_stays, null_is_accepted,
	sys_derives_code_and_appends_reason, wrap_puts_context_before, long_messages_end_in_dots,
	clear_allows_reuse, every_code_has_a_row, classes_and_statuses, unknown_codes)
