#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Secrets go to the store as signatures and nowhere else: not into output, logs, plans, journals, the index, nor a core file. What an error of
# the store quotes, too.
# shellcheck source=tests/support/server.sh
. "$EBB_SRC/tests/support/server.sh"

bucket=$(new_bucket)
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
rules:
  - {name: temporary, match: "tmp/**", when: "size > 0", do: delete, trash: 1d}
limits: {max_delete: 100%}
END
boto "$bucket" <<'END'
for i in range(3):
    s3.put_object(Bucket=argv[0], Key="tmp/%d" % i, Body=b"x")
END
export EBB_INDEX=$HOME/index

# nowhere WORD: in nothing that was said or written
nowhere() {
	! grep -rFq -e "$1" "$EBB_INDEX" . "$HOME/said" || fail "a secret stands in $(grep -rFl -e "$1" "$EBB_INDEX" . "$HOME/said")"
}

: >"$HOME/said"
for c in 'scan -v' 'scan -v --log-json' 'plan -v -o plan.jsonl' 'show plan.jsonl' 'apply -v --log-json plan.jsonl' 'status' 'undo -v last' 'report' 'check'; do
	# shellcheck disable=SC2086 # words
	run "$EBB" $c
	expect_status 0
	printf '%s\n%s\n' "$out" "$err" >>"$HOME/said"
done
nowhere "$AWS_SECRET_ACCESS_KEY"

# --- Refused credentials, a session token: what the store answers is shown, what was sent is not ---
bad=SECRET-of-my-own-0123456789abcdefghij
AWS_SECRET_ACCESS_KEY=$bad AWS_SESSION_TOKEN=TOKEN-$bad run "$EBB" scan -v lake
expect_status 4
printf '%s\n%s\n' "$out" "$err" >>"$HOME/said"
nowhere "$bad"

# --- A core file: ebb holds a secret, is stopped amid its work, and crashes ---
require_cmd strace
strace -f -o /dev/null true 2>/dev/null || skip 'strace cannot trace here'
if [[ $(cat /proc/sys/kernel/core_pattern) == core* ]]; then
	# that a crash writes one here at all
	(ulimit -c unlimited && cd "$HOME" && bash -c 'kill -SEGV $$') 2>/dev/null || true
	(ulimit -c unlimited && strace -f -o /dev/null -e trace=sendto -e inject=sendto:signal=SIGSEGV:when=1 "$EBB" scan lake >/dev/null 2>&1) || true
	! compgen -G 'core*' >/dev/null || fail 'ebb left a core file while it held a secret'
fi
