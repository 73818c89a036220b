#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# verify: round and round within a budget, coverage told truly, bytes that rotted under the filesystem found and named until they are
# good again, copies of a run and their metadata against its journal.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq zstd

mkdir data
for i in 10 11 12 13 14 15 16 17 18 19; do head -c $((i * 1000)) /dev/urandom >"data/f$i"; done
zstd -q data/f19
cat >ebb.yaml <<END
version: 1
stores:
  d: {type: fs, path: $PWD/data}
  away: {type: fs, path: $PWD/away}
rules:
  - {name: away, store: d, match: "f1[0-4]", when: "size > 0", do: tier, to: away}
  - {name: small, store: d, match: "f1[5-8]", when: "size > 0", do: compress}
END
mkdir away
echo x >away/here
export EBB_INDEX=$HOME/index EBB_NOW=2027-01-01T00:00:00Z
sum() {
	jq -r "$1" <<<"$out"
}
run "$EBB" scan
expect_status 0

# only a compressed file can be verified without digests; learning them later makes nothing verified
run "$EBB" verify d --json
expect_status 0
[[ $(sum '"\(.verified) \(.unknown) \(.covered)/\(.objects)"') == '1 10 1/1' ]] || unexpected 'one frame to check'
run "$EBB" scan --hash all
expect_status 0
run "$EBB" verify d --coverage --json
[[ $(sum '"\(.verified) \(.unknown) \(.covered)/\(.objects)"') == '0 0 1/11' ]] || unexpected 'coverage must not grow by itself'

# a budget: each session goes on where the last one ended, round and round
export EBB_NOW=2027-01-02T00:00:00Z
n=0
for i in 1 2 3 4 5 6 7 8; do
	run "$EBB" verify d --max-bytes 30KB --json
	expect_status 0
	[[ $(sum .verified_bytes) -le 30000 && $(sum .verified) -ge 1 ]] || unexpected 'over the budget'
	n=$((n + $(sum .verified)))
	[[ $(sum .covered) -ge $((n < 11 ? n : 11)) ]] || unexpected "coverage is less than the $n verified"
done
[[ $(sum '"\(.covered)/\(.objects)"') == 11/11 ]] || unexpected 'eight times 30 KB cover 159 KB'
run env EBB_NOW=2027-03-02T00:00:00Z "$EBB" verify d --coverage --json
[[ $(sum .covered) -eq 0 ]] || unexpected 'two months later nothing is covered within 30 days'
# a share of a day: 20 % of 178 KB; of three days since then, 60 %
run env EBB_NOW=2027-01-05T00:00:00Z "$EBB" verify d --share '20%/day' --json
[[ $(sum .verified_bytes) -gt 60000 && $(sum .verified_bytes) -le 107000 ]] || unexpected 'three days of 20 %'
run "$EBB" verify d --share 2
expect_status 2

# what somebody changed is not bad
echo new >data/f12
run "$EBB" verify d
expect_status 0
expect_out '1 changed since the scan'

# copies of a run against its journal
head -c 12000 /dev/urandom >data/f12
chmod 640 data/f1*
touch -d 2020-01-01T00:00:00.123456789Z data/f1*
run "$EBB" scan --hash all
run "$EBB" plan -o plan.jsonl
run "$EBB" apply plan.jsonl
run "$EBB" verify --run last --json
expect_status 0
[[ $(sum .bad_found) -eq 0 && $(sum .verified) -ge 5 ]] || unexpected 'copies are as the journal says'
run "$EBB" verify --run last --metadata
expect_status 0
expect_out '0 bad'
chmod 600 away/f10
run "$EBB" verify --run last --metadata
expect_status 0
expect_err 'away:f10: '
expect_out '1 changed, gone or asleep'

# what we are not let in to see is neither good nor bad: named, not covered, told by the status, and not held against it later
as=()
if [[ $(id -u) == 0 ]] && setpriv "--bounding-set=-dac_override,-dac_read_search" true 2>/dev/null; then
	as=(setpriv "--bounding-set=-dac_override,-dac_read_search")
fi
if [[ $(id -u) != 0 || ${#as[@]} -gt 0 ]]; then
	mkdir data/in
	echo secret >data/in/f
	touch -d 2020-01-01T00:00:00Z data/in/f data/in
	run "$EBB" scan --hash all
	chmod 0 data/in
	run "${as[@]}" "$EBB" verify d
	expect_status 1
	expect_err 'could not read d:in/f: '
	expect_no_err 'BAD'
	expect_out ' 0 bad, 1 could not be read'
	run "${as[@]}" "$EBB" verify d --json
	expect_status 1
	[[ $(sum '.unread_found // empty') -eq 1 && $(sum '.known_bad // empty') -eq 0 && $(sum 'select(.unread) | .path') == in/f ]] || unexpected 'one is unread, none is bad'
	chmod 755 data/in
	run "$EBB" verify d
	expect_status 0
	rm -r data/in
	run "$EBB" scan --hash all
fi

# rot: the bytes change below the filesystem, which knows nothing of it
require_root
require_cmd mkfs.ext4
[[ -w /dev/loop-control ]] || skip 'the rest needs loop devices'
trap 'umount rot 2>/dev/null || true' EXIT
truncate -s 16M rot.img
mkfs.ext4 -q rot.img
mkdir rot
mount -o loop rot.img rot || skip 'cannot mount'
echo 'the bytes of this file will rot' >rot/victim
echo 'and these will not' >rot/other
cat >ebb.yaml <<END
version: 1
stores:
  rot: {type: fs, path: $PWD/rot}
END
export EBB_INDEX=$HOME/rot-index
run "$EBB" scan --hash all
expect_status 0
umount rot
at=$(grep -abo 'of this file will rot' rot.img | head -n 1 | cut -d: -f1)
printf 'X' | dd of=rot.img bs=1 seek="$at" conv=notrunc status=none
mount -o loop rot.img rot
run "$EBB" verify rot
expect_status 1
expect_err 'BAD rot:victim'
expect_out '2 objects verified'
expect_out '1 bad'
run "$EBB" verify --coverage
expect_status 1
expect_out 'bad: victim'
umount rot
printf 'o' | dd of=rot.img bs=1 seek="$at" conv=notrunc status=none
mount -o loop rot.img rot
run "$EBB" verify
expect_status 0
expect_out '0 bad'
run "$EBB" verify --coverage
expect_status 0
