#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What nobody watches: the agent's files, approvals, and the hooks that alerts are handed to, against names, links and plans of an enemy.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

# --- Hooks: names are data, never words of a shell, whatever they hold ---
# shellcheck disable=SC2016 # meant to the letter
evil=$'x";touch pwned;$(touch pwned)`touch pwned`\'{"alerts":[]}'
mkdir -p "data/runs/$evil" data/other
head -c 1M /dev/zero | tr '\0' x >"data/runs/$evil/w.bin"
head -c 6M /dev/zero | tr "\0" x >data/other/w.bin
touch -d 2026-10-01 "data/runs/$evil/w.bin" data/other/w.bin
cat >hook <<'END'
#!/bin/sh
# the words, one a line; the alerts as they come
for word; do
	printf '%s\n' "$word"
done >words
env >environment
cat >told.json
END
chmod +x hook
cat >ebb.yaml <<END
version: 1
stores: {data: {type: fs, path: $PWD/data, class: HDD}}
prices: [./p.yaml]
datasets: [{match: "runs/{project}/**"}]
# shellcheck disable=SC2016
alerts: {command: [$PWD/hook, '\$(touch pwned)', 'a b;touch pwned']}
END
cat >p.yaml <<'END'
{version: 1, name: site, date: 2026-01-01, currency: USD, source: test, confidence: list, classes: {HDD: {storage_gib_month: 100000}}}
END
for day in $(seq -w 1 12); do
	EBB_NOW=2026-11-${day}T02:00:00Z run "$EBB" --index idx scan
	expect_status 0
done
head -c 8M /dev/zero | tr '\0' x >"data/runs/$evil/more.bin"
export EBB_NOW=2026-11-13T02:00:00Z
run "$EBB" --index idx scan
run "$EBB" --index idx alerts --json
expect_status 8
jq -e --arg name "$evil" 'any(.alerts[]; .project == $name)' told.json >/dev/null || fail "the name did not arrive: $(cat told.json)"
cmp -s told.json <(printf '%s' "$out") || fail 'the command was told something else'
# shellcheck disable=SC2016
[[ $(cat words) == $'$(touch pwned)\na b;touch pwned' ]] || fail "the command was called with other words: $(cat words)"
! grep -qF ';touch pwned;' environment || fail 'a name is in the environment of the command'
run "$EBB" --index idx alerts -n
! grep -q $'[\e\a]' <<<"$out$err" || fail 'control characters were printed'
[[ -z $(find . -name pwned) ]] || fail 'a name was run as a command'

# --- The agent's beat is its owner's alone, and is not written through a link ---
echo precious >victim
mkdir idx/agent && chmod 700 idx/agent
ln -s ../../victim idx/agent/status.tmp
cat >agent.yaml <<END
version: 1
stores: {data: {type: fs, path: $PWD/data, class: HDD}}
schedule: {at: "03:00"}
END
"$EBB" --config agent.yaml --index idx agent 2>agent.log &
agent=$!
trap 'kill $agent 2>/dev/null || true' EXIT
until grep -qs status.json agent.log; do
	kill -0 $agent || fail "the agent ended: $(cat agent.log)"
	read -rt 0.05 <> <(:) || true
done
kill $agent
wait $agent || true
[[ $(cat victim) == precious ]] || fail 'written through a link'
rm idx/agent/status.tmp
(umask 000; exec "$EBB" --config agent.yaml --index idx agent 2>agent.log) &
agent=$!
until [[ -s idx/agent/status.json ]]; do
	kill -0 $agent || fail "the agent ended: $(cat agent.log)"
	read -rt 0.05 <> <(:) || true
done
open=$(find idx idx/agent -maxdepth 0 -perm /077 -printf '%M %p\n')
[[ -z $open ]] || fail "others can get at: $open"
kill $agent
wait $agent || true
trap - EXIT

# --- An approval is of one plan, of bytes, and of nobody else's ---
mkdir hot
head -c 100K /dev/urandom >hot/a.tmp
head -c 100K /dev/urandom >hot/keep.bin
touch -d 2025-01-01 hot/a.tmp hot/keep.bin
cat >gate.yaml <<END
version: 1
stores: {hot: {type: fs, path: $PWD/hot}}
rules:
  - {name: temporary, match: "*.tmp", when: "age > 30d", do: delete, trash: 1d}
limits: {max_delete: 100%, approve_above: {deletions: 0}}
END
gate() {
	umask 000
	run "$EBB" --config gate.yaml --index gate "$@"
	umask 022
}
gate run --json
expect_status 7
plan=$(jq -r '.steps[] | select(.waiting) | .waiting' <<<"$out")
echo precious >victim
ln -s ../../victim "gate/pending/${plan:0:12}.tmp"
gate approve "$plan"
[[ $status -ne 0 && $(cat victim) == precious ]] || fail 'an approval was written through a link'
rm "gate/pending/${plan:0:12}.tmp"
gate approve "$plan"
expect_status 0
open=$(find gate gate/pending -maxdepth 0 -perm /077 -printf '%M %p\n')
[[ -z $open ]] || fail "others can get at: $open"
# another plan, whole and with a right id of its own, in the place of the one that was approved
sed 's/\*\.tmp/*.bin/; s/max_delete: 100%.*/max_delete: 100%}/' gate.yaml >other.yaml
run "$EBB" --config other.yaml --index gate plan -o other.jsonl
expect_status 0
cp "gate/pending/${plan:0:12}.jsonl" approved.jsonl
cp "gate/pending/${plan:0:12}.json" approved.json
cat other.jsonl >"gate/pending/${plan:0:12}.jsonl"
gate run --json
[[ $(jq -r '.steps[] | select(.step == "approved") | .text' <<<"$out") == *'its file is another plan'* ]] ||
	unexpected 'another plan was taken for the approved one'
[[ -e hot/keep.bin && -e hot/a.tmp ]] || fail 'a plan was applied that nobody approved'
# one byte of it changed
perl -pe 's/"trash_s":86400/"trash_s":86401/' approved.jsonl >"gate/pending/${plan:0:12}.jsonl"
cp approved.json "gate/pending/${plan:0:12}.json"
gate run --json
[[ $(jq -r '.steps[] | select(.step == "approved") | .text' <<<"$out") == *'its file cannot be read'* ]] ||
	unexpected 'a changed plan was taken for the approved one'
[[ -e hot/a.tmp ]] || fail 'a plan was applied that nobody approved'
# given again after it was done, it does nothing that it did not say: the objects are not what it saw
cp approved.jsonl "gate/pending/${plan:0:12}.jsonl"
cp approved.json "gate/pending/${plan:0:12}.json"
gate run --json
[[ ! -e hot/a.tmp && -e hot/keep.bin ]] || fail 'the approved plan was not applied'
head -c 100K /dev/urandom >hot/a.tmp
touch -d 2025-01-01 hot/a.tmp
cp approved.jsonl "gate/pending/${plan:0:12}.jsonl"
cp approved.json "gate/pending/${plan:0:12}.json"
gate run --json
[[ -e hot/a.tmp ]] || fail 'an approval was used twice'
