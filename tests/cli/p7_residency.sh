#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# P7: nothing of a pinned dataset leaves its jurisdictions, neither by a plan nor by a plan that was made before it was pinned: destinations, packs, the machine that
# ebb runs on; unknown is no; what stays in its own store (trash) may be done; the audit log and the journal have the refusal.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-01T00:00:00Z
mkdir -p home/uae home/free ae de nowhere
make() {
	for f in uae/a uae/b uae/c.log free/a; do seq 1 20000 >"home/$f"; done
	find home -exec touch -d 2026-01-01T00:00:00Z {} +
}
make
# config RULE [HERE] [RESIDENCY]
config() {
	cat >ebb.yaml <<-END
		version: 1
		${2:+jurisdiction: $2}
		stores:
		  home: {type: fs, path: "$PWD/home", jurisdiction: AE}
		  ae: {type: fs, path: "$PWD/ae", jurisdiction: AE}
		  de: {type: fs, path: "$PWD/de", jurisdiction: DE}
		  nowhere: {type: fs, path: "$PWD/nowhere"}
		datasets: [{match: "uae/**", kind: pinned${3:+, residency: [$3]}}]
		rules: [$1]
		limits: {max_delete: 100%}
	END
}
planned() {
	run "$EBB" plan -o plan.jsonl home
	expect_status 0
	jq -r 'select(.action) | .path' plan.jsonl
}
config '{name: r, do: tier, to: ae}'
run "$EBB" scan
expect_status 0

# Planning: another country; a place that nobody named; the right one through a machine that nobody named, or elsewhere.
for to in de nowhere; do
	config "{name: r, store: home, do: tier, to: $to}" AE AE
	[[ $(planned) == free/a ]] || unexpected "something pinned goes to $to"
	config "{name: r, store: home, do: archive, to: $to}" AE AE
	[[ $(planned) == free/a ]] || unexpected "something pinned is packed into $to"
done
for here in '' DE; do
	config '{name: r, store: home, do: tier, to: ae}' "$here" AE
	[[ $(planned) == free/a ]] || unexpected "something pinned passes through '$here'"
	config '{name: r, store: home, match: "**.log", do: compress}' "$here" AE
	[[ -z $(planned) ]] || unexpected "something pinned is compressed in '$here'"
done
run "$EBB" explain home:uae/c.log
expect_out 'its bytes would pass through this machine'
config '{name: r, store: home, do: tier, to: ae}' AE AE
[[ $(planned | wc -l) -eq 4 ]] || unexpected 'what may be done is not planned'
# The trash of a store is where the store is.
config '{name: r, store: home, do: delete, everything: true}' '' AE
[[ $(planned | wc -l) -eq 4 ]] || unexpected 'deleting into its own trash is refused'

# Apply asks once more: plans of before the pin, of another machine, of a store that was believed to be elsewhere.
again() {
	config '{name: r, store: home, do: tier, to: de}' DE
	[[ $(planned | wc -l) -eq 4 ]] || unexpected 'nothing to try with'
	config '{name: r, store: home, do: tier, to: de}' "$1" "$2"
	run "$EBB" apply -n plan.jsonl
	expect_err "would skip home:uae/a: $3"
	run "$EBB" apply plan.jsonl
	expect_status 1
	expect_err "skipped home:uae/a: $3"
	expect_err 'skipped home:uae/c.log'
	[[ -e home/uae/a && -e home/uae/b && -z $(find de -path '*uae*') && -e de/free/a ]] || fail 'something pinned left'
	rm -r de/free
	make
	run "$EBB" scan
}
again DE AE 'its destination is not known to lie'
again AE AE 'its destination is not known to lie'
again AE DE 'its bytes would pass through this machine'
again '' DE 'its bytes would pass through this machine'
grep -q 'would pass through this machine' "$EBB_INDEX"/runs/*/journal || fail 'the journal does not say why'
run "$EBB" audit --verify
expect_status 0

# Transfers: every hop passes through here.
config '' DE 'AE, DE'
run "$EBB" transfer plan home:uae/ --to de --json
expect_no_out '"reason":"residency"'
config '' '' 'AE, DE'
run "$EBB" transfer plan home:uae/ --to de --json
expect_out '"reason":"residency"'

# Regions are known by their provider: the same name is another country elsewhere.
sed -i "s|^  de: .*|  de: {type: s3, bucket: bkt, region: eu-central-1, provider: wasabi, endpoint: \"https://s3.eu-central-1.wasabisys.com\"}|" ebb.yaml
run "$EBB" check --json
expect_status 0
sed -i 's|provider: wasabi|jurisdiction: DE, provider: wasabi|' ebb.yaml
run "$EBB" check
expect_status 3
expect_err 'region eu-central-1 lies in NL, not in DE'
