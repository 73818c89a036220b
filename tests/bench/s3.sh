#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Listing a bucket against other clients, on a real object store in one run: flat, skewed and deep keys, at once and with the
# server DELAY milliseconds away. Every listing is compared with that of another client. Run by `make bench-s3`.
#
# KEYS objects a bucket (100000), DELAY (40). Three buckets of 100,000 take 14 GB of memory.

set -eu
: "${EBB:?run make bench-s3}" "${EBB_SRC:?}" "${PROXY:?}"
KEYS=${KEYS:-100000} DELAY=${DELAY:-40}
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

# fill BUCKET LAYOUT: empty objects, which anyone may put, since signing takes longer than putting
fill() {
	/usr/bin/python3 - "$1" "$2" "$KEYS" <<'END'
import boto3, os, socket, sys
from botocore.config import Config
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
bucket, layout, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
url, workers = os.environ["RGW_ENDPOINT"], 32
names = {
    "flat": lambda i: "obj-%08d" % i,
    "skewed": lambda i: "warehouse/events/part-%07d.parquet" % i if i % 20 else "team-%c/notes/%d.txt" % (97 + i % 26, i),
    "deep": lambda i: "lake/team-%d/project-%d/run-%03d/checkpoint-%d/shard-%d.bin" % (i % 5, i // 5 % 8, i // 40 % 50, i // 2000 % 5, i // 10000),
}
def put(first):
    s = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answers = s.makefile("rb")
    for i in range(first, n, workers):
        s.sendall(("PUT /%s/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" % (bucket, names[layout](i))).encode())
        assert answers.readline().startswith(b"HTTP/1.1 200")
        while answers.readline() != b"\r\n":
            pass
boto3.client("s3", endpoint_url=url, config=Config(s3={"addressing_style": "path"})).create_bucket(
    Bucket=bucket, ACL="public-read-write")
with ThreadPoolExecutor(workers) as pool:
    list(pool.map(put, range(workers)))
END
}

seconds() {
	local begin=${EPOCHREALTIME/./}
	"$@" >out 2>err || { cat err >&2; return 1; }
	printf '%d.%02d' $(((${EPOCHREALTIME/./} - begin) / 1000000)) $(((${EPOCHREALTIME/./} - begin) / 10000 % 100))
}

ebb_scan() {
	rm -rf idx
	"$EBB" --config ebb.yaml --index idx --json scan lake
}
aws_list() {
	/usr/bin/aws --endpoint-url "$endpoint" s3api list-objects-v2 --bucket "$bucket" --query 'Contents[].Key' --output text
}
rclone_list() {
	rclone lsf -R --files-only ":s3,provider=Ceph,endpoint='$endpoint',env_auth=true,list_version=2:$bucket"
}

# measure LAYOUT WHERE: one line of the table
measure() {
	local ebb aws rclone requests pages
	printf 'version: 1\nstores: {lake: {type: s3, bucket: %s, endpoint: "%s", region: us-east-1, path_style: true}}\n' \
		"$bucket" "$endpoint" >ebb.yaml
	ebb=$(seconds ebb_scan)
	requests=$(grep -o '"requests":[0-9]*' out | cut -d: -f2)
	"$EBB" --config ebb.yaml --index idx find lake --json | jq -r .path >ebb.keys
	aws=$(seconds aws_list)
	tr '\t' '\n' <out | sort >aws.keys
	rclone=$(seconds rclone_list)
	sort ebb.keys | cmp - aws.keys || { echo 'ebb does not list what aws lists' >&2; return 1; }
	pages=$(((KEYS + 999) / 1000))
	((requests <= pages * 11 / 10 + 32)) || { echo "$requests requests for $pages pages" >&2; return 1; }
	awk -v l="$1" -v w="$2" -v e="$ebb" -v a="$aws" -v r="$rclone" -v q="$requests" 'BEGIN {
		b = a < r ? a : r
		printf "| %s, %s | %.2f | %.2f | %.2f | %.1f | %d |\n", l, w, e, a, r, b / e, q
	}'
}

echo "| keys, server | ebb scan s | aws s3api s | rclone lsf -R s | against the best | requests of ebb |"
echo "|---|---|---|---|---|---|"
for layout in flat skewed deep; do
	bucket=bench-$layout
	fill "$bucket" "$layout"
	endpoint=$RGW_ENDPOINT
	measure "$layout" 'at hand'
	coproc "$PROXY" "${RGW_ENDPOINT##*:}" "$DELAY"
	proxy=$COPROC_PID
	read -r port <&"${COPROC[0]}"
	endpoint=http://127.0.0.1:$port
	measure "$layout" "$DELAY ms away"
	kill "$proxy"
	wait "$proxy" 2>/dev/null || true
done
