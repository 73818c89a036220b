#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Help, man pages, completions, and the exit status of a wrong command line.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"

run "$EBB"
expect_status 2
expect_err "no command given; 'ebb help' lists them"
run "$EBB" fidn
expect_status 2
expect_err "unknown command 'fidn'; did you mean 'find'?"
run "$EBB" scan --accept-loses
expect_status 2
expect_err "unknown option '--accept-loses'; did you mean '--accept-losses'?"
expect_err "'ebb help scan' shows how"
EBB_THREADS=two run "$EBB" scan
expect_status 2
expect_err 'EBB_THREADS: '
EBB_NOW=yesterday run "$EBB" du
expect_status 2
expect_err 'EBB_NOW: '

run "$EBB" help
expect_status 0
expect_out 'usage: ebb [options] COMMAND'
overview=$out
run "$EBB" --help
[[ $out == "$overview" ]] || unexpected 'ebb --help is not ebb help'
run "$EBB" help scan
detail=$out
run "$EBB" scan --help
[[ $out == "$detail" ]] || unexpected 'ebb scan --help is not ebb help scan'
run "$EBB" --version
expect_status 0
expect_out 'ebb '
run "$EBB" help nosuch
expect_status 2

run "$EBB" help --commands
mapfile -t commands <<<"$out"
((${#commands[@]} >= 9)) || unexpected 'too few commands'
for c in "${commands[@]}"; do
	[[ $overview == *"  $c "* ]] || fail "'ebb help' does not list $c"
done

# The map at the top of the program names every file.
for f in "$EBB_SRC"/agent/*.c; do
	f=${f##*/}
	[[ $f == main.c ]] || grep -q "^ \*.* $f" "$EBB_SRC/agent/main.c" || fail "agent/main.c does not show $f in its map"
done

# Closed and full outputs are noticed.
run bash -c '"$0" help scan | head -n 1; exit "${PIPESTATUS[0]}"' "$EBB"
expect_status 0
run bash -c '"$0" help scan >/dev/full' "$EBB"
expect_err 'cannot write to standard output: No space left on device'
expect_status 1

for shell in bash zsh fish; do
	run "$EBB" help --completion $shell
	expect_status 0
	expect_out accept-losses
	printf '%s\n' "$out" >completion.$shell
done
bash -n completion.bash
# shellcheck source=/dev/null
(
	. ./completion.bash
	COMP_WORDS=(ebb --config x scan --accept-l) COMP_CWORD=4
	_ebb
	[[ ${COMPREPLY[*]} == --accept-losses ]]
	COMP_WORDS=(ebb du --by ow) COMP_CWORD=3
	_ebb
	[[ ${COMPREPLY[*]} == owner ]]
) || fail 'the completion does not complete'

require_cmd mandoc col
"$EBB" help --man >ebb.1
for c in "${commands[@]}"; do
	"$EBB" help --man "$c" >"ebb-$c.1"
done
run mandoc -Tlint -W warning ebb.1 ebb-*.1
expect_status 0

# What people copy from a page is what the tables say. Lines of examples in the help are indented by two.
grep -qF -- '.It Pa ~/.local/state/ebb/runs/' ebb.1 || fail 'ebb(1) does not tell of runs'
for c in "${commands[@]}"; do
	mandoc -Tascii -O width=200 "ebb-$c.1" | col -b >"ebb-$c.txt"
	"$EBB" help "$c" | sed -n '/^Examples:/,$ s/^  \([^ ]\)/\1/p' >examples
	while IFS= read -r example; do
		grep -qF -- "$example" "ebb-$c.txt" || fail "ebb-$c(1) does not show: $example"
	done <examples
done
