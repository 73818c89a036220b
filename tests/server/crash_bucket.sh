#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P4 P5 P14
#
# The program itself against a real object store: killed when it sends its N-th request, its N-th request or answer lost (a network that stays
# away is tests/property/p_faults.c), while it applies and while it takes back a mixed plan over a bucket and a folder. At each point every content can be
# read somewhere by a client that is not ours; the same command then goes on to the same end, and undo gives everything back. A few kills by
# default, spread by EBB_SEED; EBB_POINTS=N tries every N-th, and lost requests and answers, which takes minutes.
# shellcheck source=tests/support/server.sh
. "$EBB_SRC/tests/support/server.sh"
require_cmd strace zstd
strace -f -o /dev/null true 2>/dev/null || skip 'strace cannot trace here'

bucket=$(new_bucket)
mkdir files cold
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
  files: {type: fs, path: $PWD/files}
  cold: {type: fs, path: $PWD/cold}
rules:
  - {name: temporary, store: lake, match: "tmp/**", when: "size > 0", do: delete, trash: 1d}
  - {name: logs, store: lake, match: "logs/**", do: compress}
  - {name: in place, store: lake, match: "stays/**", do: compress, keep_key: true}
  - {name: down, store: lake, match: "down/**", do: tier, to: cold}
  - {name: cold, store: lake, match: "class/**", do: tier, class: GLACIER}
  - {name: packs, store: lake, match: "pack/**", do: archive, to: lake, class: STANDARD}
  - {name: up, store: files, match: "up/**", do: tier, to: lake}
limits: {max_delete: 100%}
END
export EBB_INDEX=$HOME/index bucket no_proxy='*' EBB_POINTS="${EBB_POINTS:-}" EBB_SEED="${EBB_SEED:-20261123}"

boto - <<'END'
import glob, random, shutil, subprocess, zlib

bucket, ebb, index = os.environ["bucket"], os.environ["EBB"], os.environ["EBB_INDEX"]
contents = {
    "tmp/a": b"temporary " * 50, "tmp/b c%2F": b"another\n" * 9, "logs/a.log": b"a line of a log\n" * 3000,
    "stays/a.log": b"another line of a log\n" * 3000,
    "down/x": b"going down " * 900, "class/y": b"cold " * 300, "pack/1": b"one of a pack " * 40, "pack/2": b"two of a pack " * 30,
    "keep": b"stays",
}
up = {"up/small": b"going up\n", "up/large": b"going up, too " * 4000}

def empty():
    while True:
        there = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        if not there:
            return
        for o in there:
            s3.delete_object(Bucket=bucket, Key=o["Key"])

def fresh():
    empty()
    for u in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=bucket, Key=u["Key"], UploadId=u["UploadId"])
    for k, v in contents.items():
        s3.put_object(Bucket=bucket, Key=k, Body=v, ContentType="a/b", Metadata={"by": "me"})
    # the folders stay: another inode is another store
    for d in ("files", "cold"):
        for f in os.listdir(d):
            shutil.rmtree(os.path.join(d, f))
    os.mkdir("files/up")
    for k, v in up.items():
        open("files/" + k, "wb").write(v)
        os.utime("files/" + k, ns=(1600000000 * 10**9, 1600000001 * 10**9))
    os.utime("files/up", ns=(1600000000 * 10**9, 1600000000 * 10**9))
    shutil.rmtree(index, ignore_errors=True)
    if os.path.exists("plan.jsonl"):
        os.unlink("plan.jsonl")
    run("scan", "-q")
    run("plan", "-q", "-o", "plan.jsonl")

said = []

def run(*words, inject=None, most=0):
    trace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=" + inject.split(":")[0], "-e", "inject=" + inject] if inject else []
    p = subprocess.run(trace + [ebb, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if not inject and not 0 <= p.returncode <= most:
        sys.exit("%s: ebb %s ended with %d: %s" % (when, " ".join(words), p.returncode, p.stdout.decode("utf-8", "replace")))
    said.append(p.stdout.decode("utf-8", "replace"))
    return p.returncode

def objects():
    out = {}
    for o in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        key = o["Key"]
        if key.startswith(".ebb-trash/"):
            key = "TRASH/" + key.split("/", 2)[2]
        if key.startswith(".ebb-packs/"):
            out["PACK"] = (0, o["StorageClass"])
        else:
            out[key] = (o["Size"], o["StorageClass"])
    return out

def tree():
    out = {}
    for d in ("files", "cold"):
        for root, dirs, names in os.walk(d):
            for n in names:
                f = os.path.join(root, n)
                out[f] = (open(f, "rb").read(), os.stat(f).st_mtime_ns if f.startswith("files") else 0)
    return out

def bodies():
    for o in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        got = s3.get_object(Bucket=bucket, Key=o["Key"])
        b = got["Body"].read()
        if o["Key"].endswith(".zst") or got.get("ContentEncoding") == "zstd":
            b = subprocess.run(["zstd", "-dqc"], input=b, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        yield b, o["Key"].endswith(".tar.zst")
    for f, (b, _) in tree().items():
        yield b, False

def lost():
    there = list(bodies())
    for k, v in {**contents, **up}.items():
        if not any(v in b if pack else v == b for b, pack in there):
            return k

def check(ok, what):
    if not ok:
        sys.exit("%s: %s\n%s" % (when, what, "".join(said[-3:])))

when = "undisturbed"
fresh()
begin, files = objects(), tree()
run("apply", "-q", "plan.jsonl")
applied, moved = objects(), tree()
check(applied != begin and "TRASH/tmp/a" in applied and "logs/a.log.zst" in applied and "cold/down/x" in moved, "nothing was done")
run("undo", "-q", "last")
check(objects() == begin and tree() == files, "undo does not give back what there was")

def one(way, inject, words):
    """True when the fault was met."""
    global when
    when = "%s during %s" % (inject, words[0])
    fresh()
    if words[0] == "undo":
        run("apply", "-q", "plan.jsonl")
    status = run(*words, inject=inject)
    if way == "kill" and status not in (-9, 137):
        return False
    key = lost()
    check(key is None, "the content of '%s' is lost" % key)
    if words[0] == "apply":
        run("apply", "plan.jsonl", most=1)
        if way == "kill":
            check(objects() == applied and tree().keys() == moved.keys(), "not the same end: %s" % sorted(objects().items()))
    run("undo", "-q", "last", most=0 if way == "kill" else 1)
    check(lost() is None, "content is lost after undo")
    check(objects() == begin, "not given back: %s" % sorted(set(objects().items()) ^ set(begin.items())))
    check(tree() == files, "files are not given back")
    check(not s3.list_multipart_uploads(Bucket=bucket).get("Uploads"), "an upload stays unfinished")
    return True

rng = random.Random(int(os.environ["EBB_SEED"]))
stride = int(os.environ["EBB_POINTS"]) if os.environ["EBB_POINTS"].isdigit() else 24
points = 0
for words in (["apply", "-q", "-j", "1", "plan.jsonl"], ["undo", "-q", "-j", "1", "last"]):
    n = 1 + rng.randrange(stride)
    while one("kill", "sendto:signal=SIGKILL:when=%d" % n, words):
        points += 1
        n += stride
    # these wait for repetitions
    for what in () if not os.environ["EBB_POINTS"].isdigit() else ("recvfrom:error=ECONNRESET:when=%d", "sendto:error=ECONNRESET:when=%d"):
        for k in range(2 + rng.randrange(n), n, stride * 2):
            one("fault", what % k, words)
            points += 1
print("%d points: 0 violations" % points)
END
