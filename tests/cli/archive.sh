#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P12 P14
# archive: small files into packs that tar unpacks with all metadata; one file from a pack, given back, all taken back; damage; what rules see.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq zstd tar setfattr

export EBB_NOW=2026-06-01T00:00:00Z
mkdir -p hot/runs/7 hot/runs/8 cold
for i in $(seq -w 60); do
	seq "$i" 900 >"hot/runs/7/$i.json"
done
head -c 50000 /dev/urandom >hot/runs/8/noise
: >hot/runs/8/empty
seq 1 30000 >hot/runs/8/text
ln hot/runs/8/text hot/runs/8/linked
truncate -s 1000000 hot/runs/8/holes
printf 'café' >"hot/runs/8/na me"$'\xff'
chmod 4750 hot/runs/8/noise
chmod 0400 hot/runs/7/01.json
setfattr -n user.note -v 'a b' hot/runs/7/02.json 2>/dev/null || :
echo stays >hot/keep
find hot -exec touch -h -d 2024-05-06T07:08:09.123456789Z {} +

state() { # FOLDER: names, metadata and contents of all in it
	(
		cd "$1"
		find . -printf '%P %y %m %U %G %n %s %T@\n' | LC_ALL=C sort
		find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
		getfattr -R -d -m '^user' . 2>/dev/null || :
	)
}
cp -a hot before
state hot >hot.before
cat >ebb.yaml <<END
version: 1
stores:
  hot: {type: fs, path: $PWD/hot}
  cold: {type: fs, path: $PWD/cold}
rules:
  - {name: runs, store: hot, match: "runs/**", do: archive, to: cold, pack: {size: 1MiB}}
END
run "$EBB" check
expect_out "archive to cold in packs of 1MiB"
run "$EBB" --index idx scan
expect_status 0
run "$EBB" --index idx plan -o plan.jsonl
expect_status 0
run "$EBB" show --json plan.jsonl
[[ $(jq -r 'select(.path) | .to_path' <<<"$out" | sort -u) == .ebb-packs/hot/20260601T000000Z/000001.tar.zst ]] ||
	unexpected 'the pack has another name'
[[ $(jq -r 'select(.rules) | .rules[0].refused | map(.reason) | sort | join(" ")' <<<"$out") == 'linked sparse' ]] ||
	unexpected 'files with other names, or holes, are planned'
run "$EBB" --index idx apply plan.jsonl
expect_status 0
pack=cold/.ebb-packs/hot/20260601T000000Z/000001.tar.zst
[[ $(find cold -type f) == "$pack" && $(find hot -type f | wc -l) -eq 4 ]] || fail 'other files stand than should'

# stock tools give the same files
mkdir out
tar --zstd --xattrs --xattrs-include='user.*' -xpf "$pack" -C out
(cd out && find . -type f -print0 | while IFS= read -r -d '' f; do
	cmp "$f" "../before/$f"
	[[ $(stat -c '%a %u %g %.9Y' "$f") == $(stat -c '%a %u %g %.9Y' "../before/$f") ]]
	[[ $(getfattr -d -m '^user' "$f" 2>/dev/null) == $(getfattr -d -m '^user' "../before/$f" 2>/dev/null | sed 's|\.\./before/||') ]] || [[ $f == *02.json ]]
done) || fail 'tar gives other files'
[[ $(find out -type f | wc -l) -eq 63 ]] || fail 'tar gives other numbers of files'

# one of them: by its name, by the pack's end when the journals are lost
run "$EBB" --index idx get hot:runs/7/33.json
expect_status 0
expect_same "$HOME/out" before/runs/7/33.json
run "$EBB" --index idx get hot:runs/7/33.json --offset 5B --length 7B
[[ $out == $(tail -c +6 before/runs/7/33.json | head -c 7) ]] || unexpected 'other bytes'
run "$EBB" --index lost get "cold:${pack#cold/}" --member runs/7/33.json
expect_status 0
expect_same "$HOME/out" before/runs/7/33.json

# rules do not meet packs, scans and prices do
run "$EBB" --index idx scan
expect_status 0
sed -i 's/^rules:/&\n  - {name: all, do: archive, to: hot}/' ebb.yaml
run "$EBB" --index idx plan -o again.jsonl cold
expect_status 0
run "$EBB" show --json again.jsonl
[[ -z $(jq -r 'select(.path) | .path' <<<"$out") ]] || unexpected 'a pack would be packed'
run "$EBB" --index idx find cold --json
expect_out .ebb-packs/hot

# given back: the pack stays for the others
run "$EBB" --index idx restore hot:runs/7/02.json
expect_status 0
[[ -e $pack && $(stat -c %.9Y hot/runs/7/02.json) == $(stat -c %.9Y before/runs/7/02.json) ]] || fail 'not as it was'
expect_same hot/runs/7/02.json before/runs/7/02.json

# a damaged member is not given back, and costs the others nothing
cp "$pack" whole
at=$("$EBB" --index idx get "cold:${pack#cold/}" --list --json | jq 'select(.path == "runs/7/33.json") | .offset')
flip "$pack" $((at + 40))
touch -r whole "$pack"
run "$EBB" --index idx get hot:runs/7/33.json
expect_status 1
run "$EBB" --index idx get "cold:${pack#cold/}" --salvage --member runs/7/34.json
expect_status 0
expect_same "$HOME/out" before/runs/7/34.json
head -c 3000 whole >"$pack"
run "$EBB" --index idx undo last
expect_status 1
expect_err 'has changed'
[[ $(find hot -type f | wc -l) -eq 5 ]] || fail 'something came back from a cut pack'

# all of it again, from a pack that nobody touched
rm -r hot cold idx
cp -a before hot
mkdir cold
touch -d 2024-05-06T07:08:09.123456789Z cold
state hot >hot.before
state cold >cold.before
run "$EBB" --index idx scan
sed -i '/name: all/d' ebb.yaml
run "$EBB" --index idx plan -o plan.jsonl
run "$EBB" --index idx apply plan.jsonl --max-objects 20
expect_status 7
run "$EBB" --index idx apply plan.jsonl
expect_status 0
[[ $(find cold -type f | wc -l) -eq 2 ]] || fail 'a run that was stopped amid a pack does not go on with another'
run "$EBB" --index idx undo last
expect_status 0
state hot | diff hot.before - || fail 'undo left other files'
state cold | diff cold.before - || fail 'undo left packs'
