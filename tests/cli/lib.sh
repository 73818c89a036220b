# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Helpers for black-box tests. A test begins with `. "$EBB_SRC/tests/cli/lib.sh"` and runs in an empty
# scratch folder of its own ($EBB_TEST_DIR); $EBB is the program under test.
#
#   run "$EBB" find --json         catch stdout, stderr and status: $out, $err, $status
#   run_in FILE "$EBB" ...         the same with FILE as stdin
#   expect_status 0
#   expect_out 'models/a.bin'      stdout contains the text (expect_no_out: it does not)
#   expect_err 'cannot open'       stderr contains the text (expect_no_err: it does not)
#   expect_out_file find.out       stdout is exactly this file beside the test; UPDATE=1 writes it. The
#                                  scratch folder's path reads $DIR there. expect_err_file: stderr
#   expect_same FILE FILE          both have the same bytes
#   flip FILE OFFSET               make the byte there another one, whatever it was
#   skip 'reason', fail 'reason'   end the test; skipped tests are listed with their reason
#   require_root, require_cmd CMD...   skip where the machine lacks something
#
# What fails tells the line of the test, the command it ran and what that printed.

set -eEu
umask 022

: "${EBB:?start tests with tests/run}" "${EBB_SRC:?}" "${EBB_TEST_DIR:?}"
status=0 out='' err=''
ran='(nothing yet)'
test_folder=$(cd "$(dirname "$0")" && pwd)
# What run catches lies outside the scratch folder, so that a test may list that.
caught=$HOME
: >"$caught/out"
: >"$caught/err"
cd "$EBB_TEST_DIR"
trap 'echo "$0:$LINENO: \"$BASH_COMMAND\" failed with status $?" >&2' ERR

# Line of the test, not of this file, that is being run.
test_line() {
	local i
	for ((i = 0; i < ${#BASH_SOURCE[@]}; i++)); do
		if [[ ${BASH_SOURCE[i]} == "$0" ]]; then
			echo "${BASH_LINENO[i - 1]}"
			return
		fi
	done
}

# show TITLE FILE: at most 60 lines of it
show() {
	printf -- '--- %s\n' "$1" >&2
	sed -n '1,60p' "$2" >&2
}

fail() {
	printf '%s:%s: %s\n' "$0" "$(test_line)" "$*" >&2
	exit 1
}

skip() {
	printf '%s\n' "$*"
	exit 77
}

require_root() {
	[[ $(id -u) -eq 0 ]] || skip 'needs root'
}

require_cmd() {
	local c
	for c; do
		command -v "$c" >/dev/null || skip "needs $c"
	done
}

run() {
	run_in /dev/null "$@"
}

run_in() {
	local stdin=$1
	shift
	printf -v ran '%q ' "$@"
	status=0
	"$@" <"$stdin" >"$caught/out" 2>"$caught/err" || status=$?
	out=$(tr -d '\0' <"$caught/out")
	err=$(tr -d '\0' <"$caught/err")
}

# unexpected MESSAGE: fail, showing all about the last command
unexpected() {
	printf -- '--- ran: %s\n--- status: %s\n' "$ran" "$status" >&2
	show stdout "$caught/out"
	show stderr "$caught/err"
	fail "$@"
}

expect_status() {
	[[ $status -eq $1 ]] || unexpected "status is $status, not $1"
}

expect_out() {
	[[ $out == *"$1"* ]] || unexpected "stdout lacks '$1'"
}

expect_no_out() {
	[[ $out != *"$1"* ]] || unexpected "stdout has '$1'"
}

expect_err() {
	[[ $err == *"$1"* ]] || unexpected "stderr lacks '$1'"
}

expect_no_err() {
	[[ $err != *"$1"* ]] || unexpected "stderr has '$1'"
}

expect_same() {
	cmp -- "$1" "$2" >&2 || fail "'$1' and '$2' differ"
}

flip() {
	local byte
	byte=$(od -An -tu1 -j"$2" -N1 "$1")
	printf '%b' "$(printf '\\x%02x' $((byte ^ 0x20)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# expect_file WHAT FILE: what was caught is FILE beside the test
expect_file() {
	local file=$test_folder/$2
	sed "s|$EBB_TEST_DIR|\$DIR|g" "$caught/$1" >"$caught/got"
	if [[ ${UPDATE:-} == 1 ]]; then
		cp "$caught/got" "$file"
	elif ! diff -u "$file" "$caught/got" >"$caught/diff" 2>&1; then
		show "std$1 against $2 (UPDATE=1 rewrites it)" "$caught/diff"
		unexpected "std$1 is not '$2'"
	fi
}

expect_out_file() {
	expect_file out "$1"
}

expect_err_file() {
	expect_file err "$1"
}
