#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P13 P14
#
# The same rules on a bucket as on a directory: scan, plan, apply, undo; files moved into the bucket and back; odd keys; versions. What
# ebb did is looked at with clients that are not ours.

. "$EBB_SRC/tests/support/server.sh"

lake=$(new_bucket) old=$(new_bucket)
aws s3api put-bucket-versioning --bucket "$old" --versioning-configuration Status=Enabled
mkdir files cold
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $lake, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
  old: {type: s3, bucket: $old, endpoint: "$RGW_ENDPOINT", region: us-east-1}
  files: {type: fs, path: $PWD/files}
  cold: {type: fs, path: $PWD/cold}
rules:
  - {name: temporary, match: "tmp/**", when: "size > 0", do: delete}
  - {name: logs, match: "logs/**", do: compress}
  - {name: down, store: lake, match: "down/**", do: tier, to: cold}
  - {name: odd, store: lake, match: "odd**", when: "size > 0", do: delete}
  - {name: up, store: files, match: "up/**", do: tier, to: lake}
limits: {max_delete: 100%}
END

# --- What there is ---
boto "$lake" "$old" <<'END'
odd = ["sp ace", "pl+us", "per%2Fcent", "dou//ble", "trail/", "/..", "/../b", "new\nline", "\U0001f600", "q?&=#", "k" * 1000]
for bucket in argv:
    s3.put_object(Bucket=bucket, Key="tmp/a.tmp", Body=b"temporary")
    s3.put_object(Bucket=bucket, Key="logs/a.log", Body=b"a line of a log\n" * 20000, ContentType="text/x-log", Metadata={"by": "me"})
for k in odd:
    s3.put_object(Bucket=argv[0], Key="odd" + k, Body=k.encode())
s3.put_object(Bucket=argv[0], Key="down/x", Body=b"x" * 70000, ContentType="a/b", Metadata={"note": "kept"})
s3.put_object(Bucket=argv[0], Key="down//no", Body=b"no path")
s3.put_object(Bucket=argv[1], Key="tmp/a.tmp", Body=b"temporary, again")
END
mkdir files/tmp files/logs files/up
printf temporary >files/tmp/a.tmp
yes 'a line of a log' | head -n 20000 >files/logs/a.log
head -c 3000000 /dev/urandom >files/up/big
echo small >files/up/small
chmod 640 files/up/big
touch -d '2020-02-03 04:05:06.789' files/up/*
setfattr -n user.note -v hello files/up/small 2>/dev/null || true
cp -a files before

# objects BUCKET: keys, sizes, entity tags and classes as curl gets them; the trash as one word
objects() {
	curl -sf --aws-sigv4 aws:amz:us-east-1:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$RGW_ENDPOINT/$1?encoding-type=url&list-type=2" |
		sed 's|<Contents>|\n&|g' |
		sed -nE 's|^<Contents><Key>([^<]*)</Key>.*<ETag>([^<]*)</ETag><Size>([^<]*)</Size><StorageClass>([^<]*)<.*|\1 \3 \4 \2|p' |
		sed -E 's|%2F|/|g; s|^.ebb-trash/[^/]*/|TRASH|' | LC_ALL=C sort
}
objects "$lake" >lake.before
objects "$old" >old.before

# --- Scan, plan, apply ---
export EBB_INDEX=$HOME/index
run "$EBB" scan
expect_status 0
expect_out 'lake: 15 objects'
expect_out '1 listing request'
run "$EBB" find lake --json
[[ $(grep -c '"path"' <<<"$out") -eq 15 ]] || unexpected 'not all are in the index'
run "$EBB" find "s3://$lake/down/" --json
[[ $(grep -c . <<<"$out") -eq 2 ]] || unexpected 'a URL means the keys below it'
run "$EBB" explain "s3://$lake/logs/a.log"
expect_out 'in class STANDARD, entity tag'
run "$EBB" plan -o plan.jsonl
expect_status 0
run "$EBB" apply plan.jsonl
expect_status 1
expect_out '20 applied'
expect_err "cannot be a path in store 'cold'"

objects "$lake" >lake.after
grep -q '^TRASHtmp/a.tmp 9 ' lake.after || fail 'the trash lacks what was deleted'
[[ $(grep -cE '^TRASH(odd|.long)' lake.after) -eq 11 ]] || fail "$(cat lake.after)"
grep -q '^logs/a.log.zst ' lake.after || fail 'not compressed'
run aws s3api head-object --bucket "$lake" --key logs/a.log.zst
expect_out '"by": "me"'
aws s3 cp "s3://$lake/logs/a.log.zst" - | zstd -dc | cmp - before/logs/a.log
aws s3 cp "s3://$lake/up/big" - | cmp - before/up/big
[[ $(stat -c %s cold/down/x) -eq 70000 ]] || fail 'did not come to the directory'
[[ ! -e files/up/big && ! -e files/tmp/a.tmp ]] || fail 'the directory still has them'
objects "$old" >old.after
! grep -q a.tmp old.after || fail 'not hidden'
run aws s3api list-object-versions --bucket "$old" --prefix tmp/
expect_out '"IsLatest": true'
expect_out 'DeleteMarkers'

# --- What is hidden is shown by its key and id ---
run env EBB_INDEX="$HOME/hidden" "$EBB" scan old
expect_status 0
run env EBB_INDEX="$HOME/hidden" "$EBB" find old --where 'type == "version"'
expect_out 'old:tmp/a.tmp  (version '
run env EBB_INDEX="$HOME/hidden" "$EBB" find old --json
[[ $(jq -r 'select(.kind == "marker") | .path + " " + .id' <<<"$out") == "tmp/a.tmp "* ]] || unexpected 'no delete marker'

# --- Again, and back ---
run "$EBB" apply plan.jsonl
expect_out 'nothing to do'
run "$EBB" undo last
expect_status 0
expect_out '20 given back'
objects "$lake" >lake.back
diff lake.before lake.back >&2 || fail 'the bucket is not as it was'
objects "$old" | diff old.before - >&2 || fail 'the bucket with versions is not as it was'
run diff -r before files
expect_status 0
for f in up/big up/small logs/a.log; do
	[[ $(stat -c '%a %u %y' "files/$f") == $(stat -c '%a %u %y' "before/$f") ]] || fail "metadata of $f"
done
run aws s3api head-object --bucket "$lake" --key down/x
expect_out '"note": "kept"'
expect_out '"ContentType": "a/b"'

# --- Killed in the middle, it goes on ---
run "$EBB" scan
expect_status 0
run "$EBB" plan -o again.jsonl
for s in 0.05 0.15 0.3; do
	{ timeout --foreground -s KILL "$s" "$EBB" apply again.jsonl || true; } >/dev/null 2>&1
done
run "$EBB" apply again.jsonl
[[ $status -le 1 ]] || unexpected 'it does not go on'
objects "$lake" | diff lake.after - >&2 || fail 'killed, it does not come to the same end'
run "$EBB" undo last
expect_status 0
objects "$lake" | diff lake.before - >&2 || fail 'killed, it cannot be taken back'
