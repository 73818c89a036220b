#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A folder into a bucket of a real object store and back, beside other clients: many small files, and a few large ones. Others copy;
# `ebb apply` moves: it reads back what it wrote and compares it, writes a journal, and removes the original. Run by `make bench-s3`.
#
# SMALL files of 8 KiB (2000), LARGE of 64 MiB (4).

set -eu
shopt -s inherit_errexit
: "${EBB:?run make bench-s3}" "${EBB_SRC:?}"
SMALL=${SMALL:-2000} LARGE=${LARGE:-4}
if [[ -z ${RGW_ENDPOINT:-} ]]; then
	exec "$EBB_SRC/tests/support/rgw" "$0"
fi
for c in rclone /usr/bin/aws; do
	command -v "$c" >/dev/null || {
		echo "needs $c (contrib/packages)"
		exit 77
	}
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
remote=":s3,provider=Ceph,endpoint='$RGW_ENDPOINT',env_auth=true"
aws() { /usr/bin/aws --endpoint-url "$RGW_ENDPOINT" "$@"; }

seconds() {
	local begin=${EPOCHREALTIME/./}
	"$@" >out 2>err || { cat out err >&2; return 1; }
	printf '%d.%02d' $(((${EPOCHREALTIME/./} - begin) / 1000000)) $(((${EPOCHREALTIME/./} - begin) / 10000 % 100))
}

# ebb_way FROM TO: the seconds of apply, not those of scan and plan
ebb_way() {
	cat >ebb.yaml <<-YAML
	version: 1
	stores:
	  files: {type: fs, path: "$work/files"}
	  lake: {type: s3, bucket: $bucket-ebb, endpoint: "$RGW_ENDPOINT", region: us-east-1, path_style: true}
	rules:
	  - {name: go, store: $1, when: "size > 0", do: tier, to: $2}
	YAML
	rm -f plan.jsonl
	"$EBB" --config ebb.yaml --index "idx-$bucket" --quiet scan --accept-losses >/dev/null
	"$EBB" --config ebb.yaml --index "idx-$bucket" --quiet plan -o plan.jsonl >/dev/null
	seconds "$EBB" --config ebb.yaml --index "idx-$bucket" --quiet apply plan.jsonl
}

# measure WHAT COUNT BYTES: two lines of the table
measure() {
	local i up_ebb up_aws up_rclone down_ebb down_aws down_rclone client
	bucket=bench-$1
	for client in ebb aws rclone; do
		aws s3api create-bucket --bucket "$bucket-$client" >/dev/null
	done
	rm -rf files before from-*
	mkdir files
	for ((i = 0; i < $2; i++)); do
		mkdir -p "files/d$((i % 20))"
		head -c "$3" /dev/urandom >"files/d$((i % 20))/f$i"
	done
	cp -a files before
	up_aws=$(seconds aws s3 cp --recursive --only-show-errors before "s3://$bucket-aws")
	up_rclone=$(seconds rclone copy before "$remote:$bucket-rclone")
	up_ebb=$(ebb_way files lake)
	[[ -z $(find files -type f) ]] || { echo 'ebb left files behind' >&2; return 1; }
	down_aws=$(seconds aws s3 cp --recursive --only-show-errors "s3://$bucket-aws" from-aws)
	down_rclone=$(seconds rclone copy "$remote:$bucket-rclone" from-rclone)
	down_ebb=$(ebb_way lake files)
	diff -r before files >&2
	printf '| %d of %d KiB, up | %s | %s | %s |\n' "$2" $(($3 / 1024)) "$up_ebb" "$up_aws" "$up_rclone"
	printf '| %d of %d KiB, down | %s | %s | %s |\n' "$2" $(($3 / 1024)) "$down_ebb" "$down_aws" "$down_rclone"
}

echo "| files | ebb apply s | aws s3 cp s | rclone copy s |"
echo "|---|---|---|---|"
measure small "$SMALL" 8192
measure large "$LARGE" $((64 << 20))
