/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main() of a fuzz target without libFuzzer: feeds every regular file of the given folders (and given
 * files) to LLVMFuzzerTestOneInput and prints how many there were. A folder that is absent counts as
 * empty, so that a new target passes before it has a corpus. The empty input is always tried.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read a whole file into exactly as many bytes as it has, so that ASan sees one byte too far. */
static int replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size ? size : 1);
	int r = -1;

	if (f && data && fread(data, 1, size, f) == size) {
		LLVMFuzzerTestOneInput(data, size);
		r = 0;
	} else {
		fprintf(stderr, "cannot read '%s': %s\n", path, strerror(errno));
	}
	free(data);
	if (f)
		fclose(f);
	return r;
}

/* Replay the files of one folder in the order of their names. Adds to *count; 0, or -1 on a failure. */
static int replay_folder(const char *path, size_t *count)
{
	struct dirent **names = NULL;
	int n = scandir(path, &names, NULL, alphasort), r = 0;

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0) {
		fprintf(stderr, "cannot list '%s': %s\n", path, strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char *file = NULL;
		struct stat st;

		if (asprintf(&file, "%s/%s", path, names[i]->d_name) < 0)
			abort();
		if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
			r |= replay_file(file, (size_t)st.st_size);
			(*count)++;
		}
		free(file);
		free(names[i]);
	}
	free(names);
	return r;
}

int main(int argc, char **argv)
{
	static const uint8_t nothing[1];
	size_t count = 0;
	int r = 0;

	LLVMFuzzerTestOneInput(nothing, 0);
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode)) {
			r |= replay_file(argv[i], (size_t)st.st_size);
			count++;
		} else {
			r |= replay_folder(argv[i], &count);
		}
	}
	printf("%zu inputs replayed\n", count);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}
