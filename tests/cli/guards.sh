#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Caches, tables, images and farms by their documented layouts under a rule that deletes everything: what something refers to stays, what nobody names goes, a
# dangling or unreadable reference holds its family and is told.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
# shellcheck source=tests/support/runs.sh
. "$EBB_SRC/tests/support/runs.sh"
require_cmd jq

export EBB_INDEX=$HOME/idx EBB_NOW=2026-11-01T00:00:00Z
make_refs data
config() {
	cat >ebb.yaml <<-END
		version: 1
		stores: {s: {type: fs, path: "$PWD/data"}, cold: {type: fs, path: "$PWD/cold"}}
		rules: [$1]
		limits: {max_delete: 100%}
		$2
	END
}
mkdir -p cold
: >cold/x
config '{name: all, store: s, do: delete, everything: true}' ''
goes() {
	run "$EBB" plan -o plan.jsonl
	expect_status 0
	jq -r 'select(.action) | .path' plan.jsonl
}
run "$EBB" scan
expect_status 0

goes >went
# Of each kind: what nobody names goes, and files that are no part of anything. In order of their keys.
orphan=$(cat data/dvc/no-scm/orphan)
unnamed=$(cd data && grep -l 'no manifest names' oci/blobs/sha256/*)
cat >want <<END
delta/whole/orphan.parquet
dvc/no-scm/.dvc/cache/files/md5/${orphan:0:2}/${orphan:2}
dvc/no-scm/orphan
dvc/with-git/.dvc/config
dvc/with-git/orphan
hub/models--org--good/blobs/aaaa9999
links/store/b.bin
links/store/unnamed.bin
$unnamed
END
LC_ALL=C sort want >sorted
LC_ALL=C diff -u sorted <(LC_ALL=C sort went) || fail 'other files go'
expect_err 's:hub/models--org--broken/ stays as it is'
expect_err 's:delta/checkpointed/ stays as it is'
expect_err 's:links/torn/ stays as it is'

# explain says who refers to it.
run "$EBB" explain s:hub/models--org--good/blobs/aaaa0001
expect_out 'something else refers to them'
expect_out "'hub/models--org--good/snapshots/1111111111111111111111111111111111111111/model.safetensors' refers to it"
run "$EBB" explain s:links/store/dir/d.bin
expect_out "'links/farm/dir' refers to it"
run "$EBB" explain s:iceberg/events/data/00000-0.parquet
expect_out 'manifests in Avro are not read'
run "$EBB" explain s:dvc/with-git/.dvc/cache/files/md5/"$(sed 's|^..|&/|' data/dvc/with-git/orphan)" --json
[[ $(jq -r .refused <<<"$out") == live ]] || unexpected 'the object of a cache with history is not held'

# Other actions: nothing live moves away or is compressed; it may be copied, and equal files may share blocks.
config '{name: all, store: s, do: tier, to: cold}' ''
goes | LC_ALL=C sort >moved
expect_same sorted moved
config '{name: all, store: s, do: compress}' ''
goes >compressed
! grep -qE 'blobs/aaaa000|store/a.bin|part-00000' compressed || fail 'something live is compressed'

# References that do not count, because the user said so.
config '{name: all, match: "links/store/**", do: delete}' 'guards: {ignore: [link]}'
[[ $(goes | wc -l) -eq 5 ]] || unexpected 'links were not ignored'
config '{name: all, match: "dvc/**/files/md5/**", do: delete}' 'guards: {ignore: [dvc]}'
[[ $(goes | wc -l) -eq 8 ]] || unexpected 'dvc was not ignored'
config '{name: all, match: "links/store/**", do: delete}' 'guards: {ignore: [lnk]}'
run "$EBB" check
expect_status 3
expect_err "'link'"

# A reference from one store into another.
config '{name: all, store: s, match: "links/**", do: delete}' ''
ln -s "$PWD/data/links/store/b.bin" cold/to-b
run "$EBB" scan
[[ $(goes) == links/store/unnamed.bin ]] || unexpected 'a link from another store does not count'
run "$EBB" explain s:links/store/b.bin
expect_out "'to-b' of store 'cold' refers to it"

# An unreadable reference: the manifest of an image is damaged, a list of DVC too.
manifest=$(cd data && grep -l schemaVersion oci/blobs/sha256/*)
printf '{"schemaVersion": 2, "layers": [' >"data/$manifest"
find data/dvc/no-scm -name '*.dir' -exec sh -c 'printf "[{\"md5\": 7" >"$1"' sh {} \;
rm data/dvc/with-git/dvc.lock
touch -d 2026-10-01 "data/$manifest"
run "$EBB" scan
config '{name: oci, match: "oci/**", do: delete}, {name: dvc, match: "dvc/no-scm/.dvc/**", do: delete}' ''
[[ -z $(goes) ]] || unexpected 'what an unreadable reference may name goes'

# Written shortly before the scan.
config '{name: all, match: "links/store/unnamed.bin", do: delete}' 'guards: {recent: 1h}'
[[ $(goes) == links/store/unnamed.bin ]] || unexpected 'an old file is held'
touch -d 2026-10-31T23:30:00Z data/links/store/unnamed.bin
run "$EBB" scan
[[ -z $(goes) ]] || unexpected 'a file of half an hour ago goes'
run "$EBB" explain s:links/store/unnamed.bin
expect_out 'written shortly before the scan'

# Open right now, for reading or mapped: left alone by apply, named with the process; the others go.
config '{name: all, match: "links/store/*.bin", do: delete}' ''
rm cold/to-b data/links/store/unnamed.bin
put data/links/store/held.bin 7000
old 100 data/links/store
run "$EBB" scan
[[ $(goes | tr '\n' ' ') == 'links/store/b.bin links/store/held.bin ' ]] || unexpected 'nothing to try with'
exec 9<data/links/store/held.bin
run "$EBB" apply -n plan.jsonl
expect_err 'would skip s:links/store/held.bin: process'
run "$EBB" apply plan.jsonl
expect_status 1
expect_err "skipped s:links/store/held.bin: process"
[[ -e data/links/store/held.bin && ! -e data/links/store/b.bin ]] || fail 'the wrong one went'
config '{name: all, match: "links/store/*.bin", do: delete}' 'guards: {open_files: false}'
run "$EBB" scan
[[ $(goes) == links/store/held.bin ]] || unexpected 'it is not planned'
run "$EBB" apply plan.jsonl
expect_status 0
exec 9<&-
