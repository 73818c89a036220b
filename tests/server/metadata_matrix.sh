#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P13
#
# What survives which way, one object for each property, compared by stat, getfattr, getfacl, boto3 and the AWS CLI: kept, or refused with a reason.
# Nothing else may stand in the matrix, which is printed.
# shellcheck source=tests/support/server.sh
. "$EBB_SRC/tests/support/server.sh"
require_root
require_cmd getfattr getfacl setfacl jq

lake=$(new_bucket) lake2=$(new_bucket)
mkdir a b c
export EBB_INDEX=$HOME/index no_proxy='*'
: >"$HOME/said"

# move FROM TO: all that lies in FROM goes to TO
move() {
	cat >ebb.yaml <<-END
	version: 1
	stores:
	  a: {type: fs, path: $PWD/a}
	  b: {type: fs, path: $PWD/b}
	  c: {type: fs, path: $PWD/c}
	  lake: {type: s3, bucket: $lake, endpoint: "$RGW_HTTPS", ca_file: $RGW_CA, region: us-east-1}
	  lake2: {type: s3, bucket: $lake2, endpoint: "$RGW_HTTPS", ca_file: $RGW_CA, region: us-east-1${sse:-}}
	rules:
	  - {name: move, store: $1, match: "**", do: tier, to: $2}
	END
	rm -rf plan.jsonl "$EBB_INDEX"
	run "$EBB" scan -q --accept-root-change --accept-losses
	[[ $status -eq 0 ]] || run "$EBB" scan -q
	expect_status 0
	run "$EBB" plan -o plan.jsonl
	expect_status 0
	printf '%s\n%s\n' "$out" "$err" >>"$HOME/planned"
	run "$EBB" apply plan.jsonl
	[[ $status -le 1 ]] || unexpected "$1 to $2"
	printf '%s\n' "$err" >"$HOME/said"
}

# what DIR NAME: all that independent tools tell of a file; access times move by reading
what() {
	stat -c '%a %u:%g %.9Y %s %F' "$1/$2"
	sha256sum <"$1/$2"
	(cd "$1" && getfattr -h -d -m- -e hex -- "$2" 2>/dev/null; getfacl -n -- "$2" 2>/dev/null)
}

cells=()
# cell WAY PROPERTY VERDICT
cell() {
	cells+=("$1|$2|$3")
	# what README.md and SECURITY.md say does not survive: holes in a bucket, encryption in a directory
	[[ $3 == kept || $3 == 'refused: '?* || $1,$2,$3 == 'file -> bucket -> file,sparse,kept, holes'* ||
		$1,$2,$3 == 'bucket -> file -> bucket,kms,lost: '*ServerSideEncryption* ]] || bad+=("$1, $2: $3")
}
bad=()

# why STORE KEY: the reason for which it was skipped
why() {
	local said
	said=$(sed -nE "s/.*(skipped|failed) $1:$2[^:]*: //p" "$HOME/said" | head -n 1)
	# hard links are left out when it is planned
	[[ -n $said || $2 != hard-links ]] || said=$(grep -o 'the file has other names.*' "$HOME/planned" | head -n 1)
	[[ -n $said || $2 != name ]] || said=$(grep -haoE '(na me|UTF-8|UTF8).*' "$HOME/said" "$HOME/planned" | head -n 1)
	echo "$said"
}

# --- Files --------------------------------------------------------------------------------------------------
properties=(plain mode owner setuid ns-times xattr xattr-binary xattr-large acl acl-mask sparse empty hard-links capability trusted-xattr name)
make_files() {
	find a b c -mindepth 1 -delete
	for p in "${properties[@]}"; do
		echo "content of $p" >"a/$p"
	done
	chmod 0604 a/mode
	chown 12345:23456 a/owner
	chown 12345:23456 a/setuid
	chmod 6755 a/setuid
	setfattr -n user.note -v 'text' a/xattr
	setfattr -n user.bin -v 0x00ff0a0d22 a/xattr-binary
	setfattr -n user.large -v "$(head -c 1500 /dev/zero | tr '\0' x)" a/xattr-large
	setfacl -m u:12345:rw,g:23456:r a/acl
	setfacl -m u:12345:rwx,m:r a/acl-mask
	truncate -s 8M a/sparse
	: >a/empty
	ln a/hard-links a/hard-links-2
	ln a/hard-links a/hard-links-3
	setcap cap_net_raw+ep a/capability 2>/dev/null || setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 a/capability
	setfattr -n trusted.mark -v 'root only' a/trusted-xattr
	mv a/name $'a/na me\xff\n%2F'
	find a -type f -exec touch -h -d '2019-03-04 05:06:07.123456789' {} +
	rm -rf before && cp -a a before
}
named() {
	[[ $1 == name ]] && printf 'na me\xff\n%%2F' || printf %s "$1"
}
# judge WAY DIR FROM: where each file is now
judge() {
	local p f w
	for p in "${properties[@]}"; do
		f=$(named "$p")
		if [[ -e $2/$f ]]; then
			if [[ $(what "$2" "$f") != "$(what before "$f")" ]]; then
				diff <(what before "$f") <(what "$2" "$f") | cat -A >&2
				w=lost
			elif [[ $p == sparse && $(($(stat -c %b "$2/$f") * 512)) -gt 1000000 ]]; then
				w='kept, holes are zeros'
			else
				w=kept
			fi
			[[ $p != hard-links || $(stat -c %h "$2/$f") -eq 3 ]] || w='split'
		elif [[ -e a/$f && $(what a "$f") == "$(what before "$f")" ]]; then
			w="refused: $(why a "$p")"
		else
			w=gone
		fi
		cell "$1" "$p" "$w"
	done
	[[ $(stat -c %h a/hard-links 2>/dev/null || echo 3) -eq 3 ]] || bad+=("$1: hard links were split")
}
make_files
move a b
judge 'file -> file' b
make_files
move a lake
cp "$HOME/said" "$HOME/first"
move lake c
cat "$HOME/first" >>"$HOME/said"
judge 'file -> bucket -> file' c

# --- Objects ------------------------------------------------------------------------------------------------
objects=(plain type disposition encoding language cache-control expires user-metadata user-metadata-utf8 tags kms large)
make_objects() {
	find a b c -mindepth 1 -delete
	boto "$lake" "$lake2" <<-'END'
	s3 = boto3.client("s3", endpoint_url=os.environ["RGW_HTTPS"], verify=os.environ["RGW_CA"], config=Config(
	    signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
	put = lambda k, **o: s3.put_object(Bucket=argv[0], Key=k, Body=o.pop("body", ("content of " + k).encode()), **o)
	for b in (argv[0], argv[1]):
	    for o in s3.list_objects_v2(Bucket=b).get("Contents", []):
	        s3.delete_object(Bucket=b, Key=o["Key"])
	put("plain")
	put("type", ContentType="application/x-parquet")
	put("disposition", ContentDisposition='attachment; filename="a b.csv"')
	put("encoding", ContentEncoding="gzip")
	put("language", ContentLanguage="ar, en")
	put("cache-control", CacheControl="max-age=60, private")
	put("expires", Expires="Wed, 21 Oct 2030 07:28:00 GMT")
	put("user-metadata", Metadata={"owner": "research", "odd-name_1": "a=b; c"})
	put("user-metadata-utf8", Metadata={"note": "plain ascii only %C3%A9"})
	put("tags", Tagging="team=research&cost%20center=4%2F2")
	put("kms", ServerSideEncryption="aws:kms", SSEKMSKeyId="testkey-1")
	put("large", body=b"0123456789abcdef" * 1250000, ContentType="a/b", Metadata={"k": "v"})
	END
	told "$lake"
	rm -rf "$HOME/first.told"
	cp -r "$HOME/told.$lake" "$HOME/first.told"
}
# told BUCKET: all that Amazon's own client tells of its objects, but what must differ, into told.BUCKET/KEY
told() {
	mkdir -p "$HOME/told.$1"
	find "$HOME/told.$1" -type f -delete
	boto "$1" "$HOME/told.$1" <<-'END'
	import hashlib
	drop = ("LastModified", "ETag", "AcceptRanges", "VersionId", "ResponseMetadata", "Body")
	for o in s3.list_objects_v2(Bucket=argv[0]).get("Contents", []):
	    k = o["Key"]
	    if k.startswith(".ebb-"):
	        continue
	    got = s3.get_object(Bucket=argv[0], Key=k)
	    said = {n: str(v) for n, v in got.items() if n not in drop}
	    said["Metadata"] = {n: v for n, v in got["Metadata"].items() if not n.startswith("ebb-")}
	    said["Tags"] = sorted((t["Key"], t["Value"]) for t in s3.get_object_tagging(Bucket=argv[0], Key=k)["TagSet"])
	    said["Sha256"] = hashlib.sha256(got["Body"].read()).hexdigest()
	    open(os.path.join(argv[1], k), "w").write(json.dumps(said, indent=1, sort_keys=True) + "\n")
	END
}
# judge_objects WAY: from lake to lake2
judge_objects() {
	local p w
	told "$lake"
	told "$lake2"
	for p in "${objects[@]}"; do
		if [[ -e $HOME/told.$lake2/$p ]]; then
			w=kept
			diff "$HOME/first.told/$p" "$HOME/told.$lake2/$p" >"$HOME/diff" || w="lost: $(tr '\n' ' ' <"$HOME/diff")"
			[[ $1 != *'with kms' || $p == kms ]] || w=$(kms_only)
		elif [[ -e $HOME/told.$lake/$p ]] && cmp -s "$HOME/first.told/$p" "$HOME/told.$lake/$p"; then
			w="refused: $(why lake "$p")"
		else
			w=gone
		fi
		cell "$1" "$p" "$w"
	done
}
# kms_only: nothing but the encryption that the store was told has come
kms_only() {
	sed -nE '/^[<>]/p' "$HOME/diff" | grep -vE 'ServerSideEncryption|SSEKMSKeyId' | tr -d ',' | sort -k 2 | uniq -c -f 1 | grep -q ' 1 [<>]' && echo "lost: $(tr '\n' ' ' <"$HOME/diff")" || echo kept
}
make_objects
move lake lake2
judge_objects 'bucket -> bucket'
make_objects
move lake c
cp "$HOME/said" "$HOME/first"
move c lake2
cat "$HOME/first" >>"$HOME/said"
judge_objects 'bucket -> file -> bucket'
make_objects
sse=", sse: 'aws:kms', sse_key: testkey-1"
move lake lake2
judge_objects 'bucket -> bucket with kms'

# the AWS CLI, which is another program, once over
for p in tags user-metadata kms; do
	aws s3api head-object --bucket "$lake2" --key "$p" >/dev/null || bad+=("the AWS CLI does not see $p")
done
[[ $(aws s3api get-object-tagging --bucket "$lake2" --key tags | jq '.TagSet | length') -eq 2 ]] || bad+=('the AWS CLI sees other tags')

printf '%s\n' "${cells[@]}" | column -t -s '|'
((${#bad[@]} == 0)) || fail "$(printf '%s\n' 'neither kept nor refused with a reason:' "${bad[@]}")"
[[ $(printf '%s\n' "${cells[@]}" | grep -c '|kept$') -gt 40 ]] || fail 'too little is kept'
