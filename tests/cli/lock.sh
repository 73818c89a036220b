#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One run at a time per index; reading is always possible; a holder that was killed leaves no lock. Also: an index written by
# a newer ebb, and one that is damaged.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd perl

export EBB_INDEX=$HOME/idx
mkdir data
touch data/a
printf 'version: 1\nstores: {d: {type: fs, path: "%s/data"}}\n' "$PWD" >ebb.yaml
run "$EBB" scan
expect_status 0

# A holder: takes the lock as ebb does, says so, and waits to be killed.
mkfifo said
perl -MFcntl -e '
	open(my $f, "+<", "$ENV{EBB_INDEX}/lock") or die;
	my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
	fcntl($f, F_SETLK, $lock) or die "lock: $!";
	syswrite($f, "pid $$\nhost here\nstarted 2026-11-20T12:00:00Z\ncommand ebb apply plan.jsonl\n");
	open(my $s, ">", "said"); print $s "ready\n"; close($s);
	sleep 600;
' &
holder=$!
trap 'kill "$holder" 2>/dev/null || true' EXIT
read -r -t 60 answer <>said || fail 'the holder did not start'
[[ $answer == ready ]] || fail 'the holder said something else'

run "$EBB" scan
expect_status 9
expect_err "another run holds the lock of index '$EBB_INDEX': 'ebb apply plan.jsonl', process $holder on here, since 2026-11-20T12:00:00Z"
run "$EBB" find
expect_status 0
expect_out 'd:a'

kill -9 "$holder"
wait "$holder" 2>/dev/null || true
run "$EBB" scan
expect_status 0

# --- Damage ---
cp "$EBB_INDEX/index.mdb" "$HOME/kept"
head -c 8192 /dev/zero >"$EBB_INDEX/index.mdb"
run "$EBB" find
expect_status 5
run "$EBB" scan
expect_status 5
expect_err 'index'

# --- Written by a newer ebb ---
require_cmd mdb_dump mdb_load
mdb_dump -n -a "$HOME/kept" | sed '/^ 666f726d6174$/ { n; s/ 01/ 63/ }' >dump
rm "$EBB_INDEX/index.mdb"
mdb_load -n -f dump "$EBB_INDEX/index.mdb" 2>/dev/null
sum=$(md5sum <"$EBB_INDEX/index.mdb")
for command in find scan; do
	run "$EBB" $command
	expect_status 5
	expect_err 'has format 99, this ebb reads up to 1: upgrade ebb'
done
[[ $(md5sum <"$EBB_INDEX/index.mdb") == "$sum" ]] || fail 'the index of a newer ebb was changed'
