/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main() of a unit test: `EBB_UNIT_MAIN("buf", first_test, second_test)` runs the named Check
 * tests, each in a process of its own, and exits with 0 when all passed.
 */
#ifndef EBB_TESTS_SUPPORT_UNIT_H
#define EBB_TESTS_SUPPORT_UNIT_H

#include <check.h>
#include <stdlib.h>

static inline int ebb_unit_run(const char *name, const TTest *const tests[], size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define EBB_UNIT_MAIN(name, ...)                                                                   \
	int main(void)                                                                             \
	{                                                                                          \
		const TTest *const tests[] = {__VA_ARGS__};                                        \
		return ebb_unit_run(name, tests, sizeof(tests) / sizeof(tests[0]));                \
	}

#endif
