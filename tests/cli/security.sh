#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SECURITY.md: every test that it names exists. And what it says of names, links, plans and files of its own, as a user would see it.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd perl

# --- Each named test exists, each function in its file ---
# shellcheck disable=SC2016 # backquotes of Markdown
name_of_test='`(unit|property|fuzz|cli|server|fault)/[a-z0-9_]+(: [a-z0-9_]+)?`'
named=0
while IFS= read -r t; do
	id=${t%%:*}
	[[ -e $EBB_SRC/tests/${id%/*}/${id#*/}.c || -e $EBB_SRC/tests/${id%/*}/${id#*/}.sh ]] || fail "SECURITY.md names '$id', which is not there"
	if [[ $t == *:* ]]; then
		grep -qE "START_TEST\\(${t#*: }\\)" "$EBB_SRC/tests/$id.c" || fail "SECURITY.md names '${t#*: }', which is not in $id"
	fi
	named=$((named + 1))
done < <(grep '^|' "$EBB_SRC/SECURITY.md" | grep -oE "$name_of_test" | tr -d '`')
((named > 40)) || fail "only $named tests are named"
# a line of what is not trusted without a test is a claim
sed -n '/^## Not trusted/,/^## Not covered/p' "$EBB_SRC/SECURITY.md" | grep '^| ' | grep -v '^| line' |
	while IFS= read -r row; do
		[[ $row == *'`'*/*'`'* ]] || fail "no test for: $row"
	done

# --- Links lead nowhere: neither files behind them are touched, nor things moved through them ---
make_stores
mkdir outside
echo precious >outside/data.bin
ln -s ../../outside hot/tmp/out
ln -s ../../../outside/data.bin hot/tmp/file.bin
cp -a outside "$HOME/outside.before"
ln -s ../outside cold/data
plan
run "$EBB" apply plan.jsonl
expect_status 1
run diff -r outside "$HOME/outside.before"
expect_status 0
[[ -L cold/data && -e hot/data/a/b/table.csv ]] || fail 'something was moved through a link'
rm cold/data
run "$EBB" undo last

# --- Names with control characters reach no terminal ---
evil=$'hot/logs/\e]0;owned\a\r\nebb: all is well\xff.log'
head -c 50000 /dev/urandom >"$evil"
# shellcheck disable=SC2016 # meant to the letter
mkdir -p 'hot/tmp/-rf *; $(touch pwned)'
# shellcheck disable=SC2016
echo x >'hot/tmp/-rf *; $(touch pwned)/x.bin'
rm -f plan.jsonl
for c in 'scan' 'plan -o plan.jsonl' 'show plan.jsonl' 'apply plan.jsonl' 'find' 'report' 'du' 'trash' 'status' 'undo last'; do
	# shellcheck disable=SC2086 # words
	run "$EBB" $c
	[[ $status -le 1 ]] || unexpected "'$c' failed"
	! grep -q $'[\e\a\r]' <<<"$out$err" || fail "'$c' printed control characters"
done
[[ -z $(find . -name pwned) ]] || fail 'a name was run as a command'

# --- A plan that was changed is refused, whatever was changed ---
rm -f plan.jsonl
plan
before=$(listing hot | sha256sum)
for edit in 's/"action":"compress"/"action":"delete"/' 's/"path":"logs/"path":"data/' 's/"trash_s":2592000/"trash_s":0/' 's/"max_delete_ppm":[0-9a-z]*/"max_delete_ppm":1000000/'; do
	perl -pe "$edit" plan.jsonl >tampered.jsonl
	! cmp -s plan.jsonl tampered.jsonl || continue
	run "$EBB" apply tampered.jsonl
	[[ $status -eq 2 || $status -eq 6 ]] || unexpected 'a changed plan was not refused'
done
head -n -1 plan.jsonl >tampered.jsonl
run "$EBB" apply tampered.jsonl
[[ $status -eq 2 || $status -eq 6 ]] || unexpected 'a plan without its last action was not refused'
[[ $(listing hot | sha256sum) == "$before" ]] || fail 'a changed plan did something'

# --- What ebb writes is its owner's alone, whatever the umask ---
rm -rf "$EBB_INDEX"
umask 000
rm -f plan.jsonl
plan
run "$EBB" apply plan.jsonl
open=$(find "$EBB_INDEX" hot/.ebb-trash "$EBB_INDEX/runs" -maxdepth 0 -perm /077 -printf '%M %p\n')
[[ -z $open ]] || fail "others can get at: $open"
