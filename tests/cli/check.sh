#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb check: what is wrong is said with place and remedy, word for word; what is right is echoed back.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"

# broken TEXT MESSAGE: this configuration is refused with exactly this message
broken() {
	printf '%s\n' "$1" >ebb.yaml
	run "$EBB" check
	expect_status 3
	[[ -z $out ]] || unexpected 'there is output'
	[[ $err == "ebb: ebb.yaml:$2" ]] || unexpected "the message is not 'ebb: ebb.yaml:$2'"
}

nl=$'\n'
stores="version: 1${nl}stores:${nl}  s: {type: fs, path: /s}${nl}  h: {type: fs, path: /h, class: HDD}"
rule() { broken "$stores${nl}rules:${nl}  - $1" "$2"; }
limit() { broken "$stores${nl}limits: {$1}" "$2"; }

run "$EBB" check
expect_status 3
[[ $err == "ebb: cannot open 'ebb.yaml': No such file or directory; 'ebb init DIR > ebb.yaml' makes one" ]] ||
	unexpected 'another message'

# --- YAML ---
broken '' '1:1: the file is empty'
broken "version: 1${nl}prices: [a, b${nl}stores: {}" "3:7: did not find expected ',' or ']', while parsing a flow sequence in line 2"
broken "version: 1${nl}version: 1" "2:1: key 'version' stands twice, first in line 1"
broken 'version: &one 1' "1:10: anchors ('&one') are not supported: write the value out"
broken "version: 1${nl}---${nl}version: 1" '2:1: a second document begins here: one file holds one'

# --- Keys and stores ---
broken "$stores${nl}ruels: []" "5:1: unknown key 'ruels'; did you mean 'rules'?"
broken "version: 1${nl}stores: {s: {pth: /s, type: fs}}" "2:14: unknown key 'pth'; did you mean 'path'?"
broken "version: 1${nl}stores: {s: {type: fs, path: s}}" "2:30: 'path' must be absolute, beginning with '/', not 's'"
broken "version: 1${nl}stores: {s: {type: s4, path: /s}}" "2:20: 'type': unknown word 's4'; did you mean 's3'?"
here='{type: fs, path: /s, jurisdiction:'
none="is none; write two capital letters of ISO 3166-1 such as AE"
broken "version: 1${nl}stores:${nl}  s: $here uae}${nl}rules: []" "3:3: jurisdiction 'uae' of store 's' $none"
broken "version: 1${nl}stores:${nl}  s: $here ae}${nl}rules: []" "3:3: jurisdiction 'ae' of store 's' $none"
printf '%s\n' "version: 1${nl}stores:${nl}  s: $here AEE}" >ebb.yaml
run "$EBB" check
expect_status 3
expect_err "3:3: jurisdiction 'AEE' of store 's' $none"
broken "version: 9${nl}stores: {s: {type: fs, path: /s}}" '1:10: version 9 is not known here: this ebb reads version 1; take a newer ebb'

# --- Units ---
bytes='units are B, KiB MiB GiB TiB PiB EiB (1024), KB MB GB TB PB EB (1000)'
limit 'max_bytes: 10TeB' "5:21: 'max_bytes': '10TeB' is not a size: $bytes"
limit 'max_bytes: 30d' "5:21: 'max_bytes': '30d' is not a size: $bytes"
limit 'max_delete: many' "5:22: 'max_delete': 'many' is neither a share such as 5% nor a number of objects"
limit 'max_delete: 101%' "5:22: 'max_delete': 101% is more than there is"
limit 'max_cost: 5' "5:20: 'max_cost': '5' is not money: write it as 12.50 USD"
limit 'window: Mon 20:00' "5:18: 'window': window 'Mon 20:00' is not of the form \"Mon-Fri 20:00-06:00\""
rule '{name: a, when: "size > 30d", do: delete}' "6:29: 'size' is compared with a size such as 1MiB: '30d' is not a size: $bytes"
rule '{name: a, when: "idle > 30", do: delete}' "6:29: 'idle' is compared with a duration such as 30d: '30' is not a duration: units are s min h d w mo y"
rule '{name: a, when: "idle > 3m", do: delete}' "6:29: 'idle' is compared with a duration such as 30d: '3m' is not a duration: write 3min or 3mo"

# --- Rules ---
everything="6:5: rule 'a' deletes every file; add 'match' or 'when', or write everything: true"
rule '{name: a, do: delete}' "$everything"
rule '{name: a, match: "**", do: delete}' "$everything"
rule '{name: a, when: "size >= 0B", do: delete}' "$everything"
rule '{name: a, when: "sise > 3MiB", do: delete}' "6:22: unknown fact 'sise'; did you mean 'size'?"
rule '{name: a, when: "idle > 30d", do: delet}' "6:39: unknown action 'delet'; did you mean 'delete'?"
rule '{name: a, whne: "idle > 30d", do: delete}' "6:15: unknown key 'whne'; did you mean 'when'?"
rule '{name: a, when: "idle > 30d", do: tier, to: cold}' "6:49: 'to': there is no store 'cold'; valid are s, h"
rule '{name: a, match: "a/[", do: delete}' "6:22: pattern 'a/[': column 3: '[' is not closed; write '\\[' for the byte itself"

# --- Prices ---
broken "$stores${nl}prices: [nosuch]" "5:10: no price book called 'nosuch' ships with ebb (EBB_PRICES names their folder); a file of yours is named by its path, './nosuch'"
printf 'version: 1\nname: p\ndate: 2026-11-01\ncurrency: USD\nsource: test\nconfidence: contract\nclasses:\n  HDD: {storage_gib_month: 0.0150, source: test}\n' >p.yaml
broken "$stores${nl}prices: [./p.yaml]${nl}limits: {max_cost: 5 EUR}" "6:20: 'max_cost' is in EUR, the prices are in USD"

# --- What is understood ---
cat >ebb.yaml <<END
$stores
prices: [./p.yaml]
datasets:
  - {match: "runs/{run}/**", kind: runs, team: research}
rules:
  - {name: in use, match: "prod/**", do: keep}
  - {name: old, store: s, when: "idle > 180d and size > 1MiB", do: delete, trash: 14d}
  - {name: cold runs, kind: runs, when: "idle > 90d", do: tier, to: h, require: {payback: 6mo}}
  - {name: logs, match: "**/*.log", when: "age > 2w", do: compress, codec: zstd, level: 9}
limits: {max_delete: 0.5%, max_objects: 1000, max_bytes: 10TB, max_cost: 12.5 USD, max_errors: 3, window: "Mon-Fri 20:00-06:00"}
END
run "$EBB" check
expect_status 0
expect_out_file check.out

require_cmd jq
run "$EBB" check --json
expect_status 0
[[ $(jq -r 'select(.is == "rule") | .name' <<<"$out" | tr '\n' ,) == 'in use,old,cold runs,logs,' ]] || unexpected 'rules'
[[ $(jq -c 'select(.is == "rule" and .name == "old") | [.do, .trash_seconds, .line]' <<<"$out") == '["delete",1209600,10]' ]] || unexpected 'rule'
[[ $(jq -c 'select(.is == "limits") | [.max_delete_ppm, .max_bytes, .max_cost_nano, .currency]' <<<"$out") == '[5000,10000000000000,12500000000,"USD"]' ]] || unexpected 'limits'
[[ $(jq -c 'select(.is == "store") | [.name, .path, .gib_month_nano]' <<<"$out" | tr -d '\n') == '["s","/s",null]["h","/h",15000000]' ]] || unexpected 'stores'

# --- What is valid, and hardly meant: a warning, not an error ---
cat >ebb.yaml <<END
version: 1
stores:
  s: {type: fs, path: /s, class: HHD}
  h: {type: fs, path: /h, class: HDD, jurisdiction: DE}
  q: {type: fs, path: /q, class: quartz}
prices: [./p.yaml]
datasets: [{match: "uae/**", residency: [AE, SA]}]
rules:
  - {name: home, match: "uae/x/**", when: "idle > 90d", do: tier, to: h}
  - {name: other, match: "b/**", when: "idle > 90d", do: tier, to: h}
END
run "$EBB" check
expect_status 0
expect_out "warning: no price book prices class 'HHD' of store 's'; did you mean 'HDD'?"
expect_out "warning: no price book prices class 'quartz' of store 'q': what lies there is counted as unpriced"
expect_out "warning: rule 'home' moves nothing: store 'h' lies in DE, dataset 'uae/**' may lie only in AE, SA"
expect_out "warning: dataset 'uae/**' is pinned, and where ebb runs is not said"
[[ $(grep -c ^warning <<<"$out") == 4 ]] || unexpected 'another number of warnings'
run "$EBB" check --json
expect_status 0
[[ $(jq -s '[.[] | select(.is == "warning") | .text] | length' <<<"$out") == 4 ]] || unexpected 'warnings as JSON'
# Without prices there is nothing to warn about.
sed -i /^prices/d ebb.yaml
run "$EBB" check
expect_no_out 'no price book'
