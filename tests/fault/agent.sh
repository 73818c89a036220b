#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb agent, whose clock is a file: runs when due, reloads, keeps a bad configuration out, stops within a second at rest and at an object when it works,
# catches up once after kill -9 (P4) and after days, survives its job, tells systemd.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq python3 zstd

export EBB_INDEX=$PWD/idx EBB_CLOCK=$PWD/clock TZ=UTC
agent='' listener=''
trap 'kill -9 $agent $listener 2>/dev/null || true' EXIT
FILES=${FILES:-600}

# until_true COMMAND...: within 60 s
until_true() {
	local end=$((SECONDS + 60))
	until "$@" 2>/dev/null; do
		((SECONDS < end)) || fail "waited in vain for: $*"
		read -r -t 0.02 <> <(:) || true
	done
}
status() { jq -e "$1" idx/agent/status.json >/dev/null; }
clock() {
	echo "$1" >clock.new
	mv clock.new clock
}
start() {
	"$EBB" agent 2>>"$HOME/agent.log" &
	agent=$!
	until_true status ".pid == $agent"
}
# stop [SIGNAL]: and how long that took, in ms
stop() {
	local t=${EPOCHREALTIME/./}
	kill "-${1:-TERM}" "$agent"
	status=0
	wait "$agent" || status=$?
	took=$(((${EPOCHREALTIME/./} - t) / 1000))
}
nights() { find idx/nights -name '*.json' | wc -l; }
# fill FOLDER COUNT: old files, each another
text=$(seq 1500)
fill() {
	mkdir -p "hot/$1"
	for ((i = 1; i <= $2; i++)); do printf '%s\n' "$i" "$text" >"hot/$1/$i.log"; done
	find "hot/$1" -type f -exec touch -d '2026-01-01T00:00:00Z' {} +
}
config() {
	cat >ebb.yaml <<-END
	version: 1
	stores: {hot: {type: fs, path: "$PWD/hot", class: HDD}}
	rules: [{name: logs, match: "**/*.log", when: "age > 30d", do: compress}]
	schedule: {$1}
	END
}

fill a 3
config 'at: "02:30", zone: UTC'
clock 2026-11-23T02:00:00Z

# --- systemd is told, as over its socket ---
python3 - "$PWD/notify" "$HOME/told" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "wb", buffering=0) as f:
    while True:
        f.write(s.recv(4096) + b"--\n")
END
listener=$!
until_true test -S notify
export NOTIFY_SOCKET=$PWD/notify WATCHDOG_USEC=400000
start
unset NOTIFY_SOCKET WATCHDOG_USEC
until_true grep -q '^READY=1' "$HOME/told"
until_true test "$(grep -c '^WATCHDOG=1' "$HOME/told")" -ge 1

# --- One agent an index; it rests until the time has come ---
run "$EBB" agent
expect_status 9
expect_err "'ebb agent', process $agent"
run "$EBB" agent --health
expect_status 0
expect_out 'resting'
[[ ! -e idx/nights ]] || fail 'it ran before it was due'
clock 2026-11-23T02:30:00Z
until_true status '.done_due_ns == 1795401000000000000 and .state == "resting"'
[[ $(find hot/a -name '*.zst' | wc -l) -eq 3 && $(nights) -eq 1 ]] || fail 'the night was not done'
status '.last.kind == "run" and .last.exit == 0 and .next == "2026-11-24T02:30:00Z"' || fail 'status'
run "$EBB" status
expect_out "agent: resting"
expect_out '2026-11-24T02:30:00Z'

# --- Reload: a new schedule, whose times of today were not missed; a bad one is kept out ---
config 'at: ["01:00", "12:00"], zone: UTC'
kill -HUP "$agent"
until_true status '.next == "2026-11-23T12:00:00Z"'
until_true grep -q '^RELOADING=1' "$HOME/told"
config 'at: "25:00"'
kill -HUP "$agent"
until_true status '.config_error != null'
status '.next == "2026-11-23T12:00:00Z"' || fail 'the bad configuration is in use'
run "$EBB" agent --health
expect_status 1
expect_out "time '25:00' is not of the form"
grep -q 'the configuration stays as it was' "$HOME/agent.log" || fail 'the log does not tell of the bad configuration'
config 'at: ["01:00", "12:00"], zone: UTC'
kill -HUP "$agent"
until_true status '.config_error == null'
[[ $(nights) -eq 1 ]] || fail 'the reload started a run'

# --- At rest it stops within a second ---
stop
[[ $status -eq 0 && $took -lt 1000 ]] || fail "stopping took $took ms, status $status"
echo "stopped at rest within $took ms"
status '.state == "stopped"' || fail 'it does not say that it stopped'
until_true grep -q '^STOPPING=1' "$HOME/told"
run "$EBB" agent --health
expect_status 1

# --- Days without it: what was missed is caught up once ---
clock 2026-11-27T13:00:00Z
start
until_true status '.done_due_ns == 1795780800000000000 and .state == "resting"'
[[ $(nights) -eq 2 ]] || fail "caught up $(nights) times"
clock 2026-11-27T14:00:00Z

# --- kill -9 amid a run: the job stops at an object, the next agent goes on ---
working() { [[ -n $(find "hot/$1" -name '*.zst' -print -quit) ]]; }
count() { find "hot/$1" -name '*.zst' | wc -l; }
all_done() { [[ -z $(find hot -name '*.log' -print -quit) && $(count "$1") -eq $FILES ]]; }
fill b "$FILES"
clock 2026-11-28T01:00:00Z
until_true working b
stop KILL
status '.done_due_ns == 1795780800000000000' || fail 'it was done before it was killed; try FILES=2000'
kept=$(count b)
start
until_true status '.done_due_ns == 1795827600000000000 and .state == "resting"'
all_done b || fail "not all was done: $(count b) of $FILES"
for i in 1 $((FILES / 2)) "$FILES"; do zstd -qdc "hot/b/$i.log.zst" | cmp - <(printf '%s\n' "$i" "$text") || fail "$i is damaged"; done
echo "killed after $kept of $FILES, all done afterwards"

# --- SIGTERM amid a run: soon, in good order; and the rest the next time ---
fill c "$FILES"
clock 2026-11-28T12:00:00Z
until_true working c
stop
[[ $status -eq 0 ]] || fail "status $status"
echo "stopped amid the work within $took ms, after $(count c) of $FILES"
[[ -z $(find hot -name '*ebb-tmp*' -o -name '.ebb*' -type f) ]] || fail 'something was left in between'
start
until_true status '.done_due_ns == 1795867200000000000 and .state == "resting"'
all_done c || fail 'not all was done after SIGTERM'

# --- The job is killed, not the agent: it is tried again a minute later ---
fill d "$FILES"
clock 2026-11-29T01:00:00Z
until_true working d
job=$(cat "/proc/$agent/task/$agent/children")
job=${job%% *}
kill -9 "$job"
until_true status '.last.exit == 137'
kill -0 "$agent" || fail 'the agent went with its job'
clock 2026-11-29T01:01:30Z
until_true status '.done_due_ns == 1795914000000000000 and .state == "resting"'
all_done d || fail 'not all was done after its job was killed'
stop
[[ $status -eq 0 ]] || fail 'status at the end'
