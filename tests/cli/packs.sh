#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What lies in packs: deleted by rules (tombstones), taken back, packed anew, found again from the packs alone, taken back from a pack that was
# packed anew. The stock tools read every generation.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq zstd tar

export EBB_NOW=2026-06-01T00:00:00Z EBB_INDEX=$PWD/idx
mkdir -p hot/runs/7 hot/runs/8 hot/notes cold
for i in $(seq -w 30); do
	seq "$i" 900 >"hot/runs/7/$i.json"
	seq "$i" 700 >"hot/runs/8/$i.json"
done
printf 'stays' >hot/notes/a
chmod 0640 hot/runs/8/07.json
find hot -exec touch -h -d 2024-05-06T07:08:09.123456789Z {} +
cp -a hot before
conf() { # RULES
	cat >ebb.yaml <<-END
		version: 1
		stores:
		  hot: {type: fs, path: $PWD/hot}
		  cold: {type: fs, path: $PWD/cold}
		rules:
		  - {name: runs, store: hot, match: "runs/**", when: "size > 0", do: archive, to: cold}
		$1
	END
}
step() { # NAME STATUS: scan, plan, apply
	run "$EBB" -q scan
	expect_status 0
	run "$EBB" plan -o "$1.jsonl"
	expect_status 0
	run "$EBB" apply "$1.jsonl"
	expect_status "$2"
}
content() { # FOLDER: names, modes, times and contents of the files below
	(cd "$1" && find . -type f -printf '%P %m %T@\n' | LC_ALL=C sort && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}

conf ''
step archive 0
line=cold/.ebb-packs/hot/20260601T000000Z/000001
[[ -f $line.tar.zst && ! -e hot/runs/7/01.json ]] || fail 'no pack'
run "$EBB" packs
expect_status 0
expect_out '60        0        0 %'

# --- rules delete what lies in packs; plain rules do not, keep rules protect it
export EBB_NOW=2026-06-01T01:00:00Z # runs that begin at one nanosecond have no order
conf '  - {name: plain, match: "runs/7/**", do: delete}'
run "$EBB" -q scan
run "$EBB" plan -n
expect_no_out '30'
conf "  - {name: keep, match: \"runs/7/3*\", do: keep}
  - {name: old, match: \"runs/7/**\", when: \"age > 1y\", do: delete, packed: true, trash: 7d}
  - {name: anew, do: repack, garbage: 25%}"
run "$EBB" check
expect_status 0
expect_out 'delete what lies in packs into the trash for 7d'
expect_out 'repack when 25% of a pack is of no use'
cp -a "$line.tar.zst" "$HOME/first.tar.zst"
step strike 0
run "$EBB" show --json strike.jsonl
[[ $(jq -r 'select(.action=="strike") | .with_path' <<<"$out" | wc -l) -eq 29 ]] || unexpected '29 objects should be struck off'
[[ $(jq -r 'select(.action=="strike") | .with_path' <<<"$out" | grep -c /30.json) -eq 0 ]] || unexpected 'keep does not protect'
cmp "$line.tar.zst" "$HOME/first.tar.zst"
[[ $(find "$line.gone" -type f | wc -l) -eq 29 ]] || fail "tombstones: $(find "$line.gone" -type f | wc -l)"
run "$EBB" get hot:runs/7/05.json
expect_status 1
expect_err "was deleted from its pack; until its time in the trash is over, 'ebb restore' takes that back"
run "$EBB" get hot:runs/7/30.json
expect_status 0
run "$EBB" packs
expect_out '60       29        0 %'
run "$EBB" packs --members
expect_out 'hot:runs/7/05.json  (deleted; can be taken back until 2026-06-08T01:00:00Z)'
# a second plan finds nothing to do
run "$EBB" -q scan
run "$EBB" plan -n
expect_no_out '29'

# --- one object is taken back, then all
run "$EBB" restore hot:runs/7/05.json
expect_status 0
run "$EBB" get hot:runs/7/05.json
expect_status 0
expect_same "$HOME/out" before/runs/7/05.json
run "$EBB" undo last
expect_status 0
[[ $(find "$line.gone" -type f 2>/dev/null | wc -l) -eq 0 ]] || fail 'tombstones stay after undo'
run "$EBB" get hot:runs/7/06.json
expect_status 0

# --- deleted again; past its time the pack is packed anew
export EBB_NOW=2026-06-10T00:00:00Z
step again 0
run "$EBB" -q scan
run "$EBB" plan -n
expect_no_out 'anew  repack  1'
export EBB_NOW=2026-06-18T00:00:00Z
run "$EBB" packs --json
[[ $(jq -r '[.objects, .live, .garbage_bytes > 10000] | @csv' <<<"$out") == 60,31,true ]] || unexpected 'other garbage'
step anew 0
run "$EBB" show --json anew.jsonl
[[ $(jq -r 'select(.action) | .action + " " + .to_path' <<<"$out") == "repack .ebb-packs/hot/20260601T000000Z/000001.r1.tar.zst" ]] ||
	unexpected 'not packed anew'
[[ ! -e $line.tar.zst && -f $line.r1.tar.zst && ! -e $line.gone ]] || fail "other files stand: $(ls -R cold)"
mkdir out want
tar --zstd -xpf "$line.r1.tar.zst" -C out
cp -a before/runs want/
find want/runs/7 -type f ! -name 30.json -delete
content want >want.txt
content out >out.txt
expect_same want.txt out.txt

# --- found where it is now: by the journal, by the packs alone, and given back
run "$EBB" get hot:runs/8/07.json
expect_status 0
expect_same "$HOME/out" before/runs/8/07.json
run "$EBB" get hot:runs/7/05.json
expect_status 1
rm -rf lost
run "$EBB" --index lost packs --rebuild
expect_status 0
expect_out '31        0        0 %'
[[ -n $(ls lost/packs) ]] || fail 'nothing is kept'
run "$EBB" --index lost get hot:runs/8/07.json
expect_status 0
expect_same "$HOME/out" before/runs/8/07.json
run "$EBB" --index lost packs --members --json
[[ $(jq -r 'select(.path=="runs/8/07.json") | .store + " " + .mtime' <<<"$out") == 'hot 2024-05-06T07:08:09'* ]] || unexpected 'other member'
run "$EBB" restore hot:runs/8/07.json
expect_status 0
cmp hot/runs/8/07.json before/runs/8/07.json
[[ $(stat -c '%a %.9Y' hot/runs/8/07.json) == $(stat -c '%a %.9Y' before/runs/8/07.json) ]] || fail 'metadata differ'

# --- the run that archived is taken back: all but what is gone for good, and the pack goes
run "$EBB" status --json
archive=$(jq -r 'select(.run) | .run' <<<"$out" | sort | head -1)
run "$EBB" undo "$archive"
expect_status 1
expect_err 'runs/7/05.json: was deleted from its pack, and its time in the trash was over'
content hot >hot.txt
cp -a before/notes want/
content want >want.txt
expect_same want.txt hot.txt
[[ -z $(find cold -name '*.tar.zst') ]] || fail 'the pack stays'
run "$EBB" undo last
expect_status 1
expect_err 'was packed anew'
