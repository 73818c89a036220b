#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P1 P4 P5 P14
#
# The program itself against a real object store: killed when it sends its N-th request, its N-th request or answer lost (a network that stays
# away is tests/property/p_faults.c), while it applies and while it takes back a mixed plan over two buckets and two folders: delete, retention of
# checkpoints, compress, tier to a folder, a class, another bucket and a bucket, with each way to verify, archive into either bucket, dedup.
# At each point every content can be read somewhere by a client that is not ours; the same command then goes on to the same end, and undo gives everything back. A few kills by
# default, spread by EBB_SEED; EBB_POINTS=N tries every N-th, and lost requests and answers, which takes minutes.
# shellcheck source=tests/support/server.sh
. "$EBB_SRC/tests/support/server.sh"
require_cmd strace zstd
strace -f -o /dev/null true 2>/dev/null || skip 'strace cannot trace here'

bucket=$(new_bucket)
other=$(new_bucket)
mkdir files cold
cat >ebb.yaml <<END
version: 1
stores:
  lake: {type: s3, bucket: $bucket, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
  far: {type: s3, bucket: $other, endpoint: "$RGW_ENDPOINT", region: us-east-1, class: STANDARD}
  files: {type: fs, path: $PWD/files}
  cold: {type: fs, path: $PWD/cold}
datasets:
  - {match: "runs/**", kind: checkpoints}
rules:
  - {name: temporary, store: lake, match: "tmp/**", when: "size > 0", do: delete, trash: 1d}
  - {name: logs, store: lake, match: "logs/**", do: compress}
  - {name: in place, store: lake, match: "stays/**", do: compress, keep_key: true}
  - {name: down, store: lake, match: "down/**", do: tier, to: cold}
  - {name: cold, store: lake, match: "class/**", do: tier, class: GLACIER}
  - {name: packs, store: lake, match: "pack/**", do: archive, to: lake, class: STANDARD}
  - {name: up, store: files, match: "up/**", do: tier, to: lake}
  - {name: across, store: lake, match: "across/**", do: tier, to: far, verify: checksum}
  - {name: twice read, store: lake, match: "twice/**", do: tier, to: far, verify: bytes}
  - {name: by size, store: lake, match: "size/**", do: tier, to: cold, verify: size}
  - {name: far packs, store: files, match: "heap/**", do: archive, to: far}
  - {name: twins, store: files, match: "twin/**", do: dedup, how: delete}
  - {name: history, store: files, match: "runs/**", kind: checkpoints, do: retain, keep_last: 1, trash: 1d}
limits: {max_delete: 100%}
END
export EBB_INDEX=$HOME/index bucket other no_proxy='*' EBB_POINTS="${EBB_POINTS:-}" EBB_SEED="${EBB_SEED:-20261123}"

boto - <<'END'
import random, re, shutil, subprocess

bucket, other, ebb, index = os.environ["bucket"], os.environ["other"], os.environ["EBB"], os.environ["EBB_INDEX"]
contents = {
    "tmp/a": b"temporary " * 50, "tmp/b c%2F": b"another\n" * 9, "logs/a.log": b"a line of a log\n" * 3000,
    "stays/a.log": b"another line of a log\n" * 3000,
    "down/x": b"going down " * 900, "class/y": b"cold " * 300, "pack/1": b"one of a pack " * 40, "pack/2": b"two of a pack " * 30,
    "keep": b"stays", "across/x": b"to another bucket " * 200, "twice/x": b"compared byte by byte " * 200, "size/x": b"looked at " * 100,
}
up = {"up/small": b"going up\n", "up/large": b"going up, too " * 4000, "heap/1": b"small and old " * 9, "heap/2": b"another small one " * 7,
      "twin/a": b"the same " * 500, "twin/b": b"the same " * 500,
      "runs/checkpoint-100/model.safetensors": b"weights of old " * 90, "runs/checkpoint-200/model.safetensors": b"weights of now " * 90}

def listed():
    for b in (bucket, other):
        for o in s3.list_objects_v2(Bucket=b).get("Contents", []):
            yield b, o

def uploads():
    return [(b, u) for b in (bucket, other) for u in s3.list_multipart_uploads(Bucket=b).get("Uploads", [])]

def empty():
    while there := list(listed()):
        for b, o in there:
            s3.delete_object(Bucket=b, Key=o["Key"])

def fresh():
    empty()
    for b, u in uploads():
        s3.abort_multipart_upload(Bucket=b, Key=u["Key"], UploadId=u["UploadId"])
    for k, v in contents.items():
        s3.put_object(Bucket=bucket, Key=k, Body=v, ContentType="a/b", Metadata={"by": "me"})
    # the folders stay: another inode is another store
    for d in ("files", "cold"):
        for f in os.listdir(d):
            shutil.rmtree(os.path.join(d, f))
    for k, v in up.items():
        os.makedirs(os.path.dirname("files/" + k), exist_ok=True)
        open("files/" + k, "wb").write(v)
        os.utime("files/" + k, ns=(1600000000 * 10**9, 1600000001 * 10**9))
    for root, dirs, names in os.walk("files", topdown=False):
        os.utime(root, ns=(1600000000 * 10**9, 1600000000 * 10**9))
    shutil.rmtree(index, ignore_errors=True)
    if os.path.exists("plan.jsonl"):
        os.unlink("plan.jsonl")
    run("scan", "-q", "--hash", "candidates")
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
    for b, o in listed():
        key = o["Key"]
        if key.startswith(".ebb-trash/"):
            key = "TRASH/" + key.split("/", 2)[2]
        key = (b, "PACK" if key.startswith(".ebb-packs/") else key)
        out[key] = (0 if key[1] == "PACK" else o["Size"], o["StorageClass"])
    return out

def tree():
    out = {}
    for d in ("files", "cold"):
        for root, dirs, names in os.walk(d):
            for n in names:
                f = os.path.join(root, n)
                f, key = f, re.sub(r"(\.ebb-trash)/[^/]*", r"\1", f)
                out[key] = (open(f, "rb").read(), os.stat(f).st_mtime_ns if f.startswith("files") else 0)
    return out

def bodies():
    for where, o in listed():
        got = s3.get_object(Bucket=where, Key=o["Key"])
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
for key in (bucket, "TRASH/tmp/a"), (bucket, "logs/a.log.zst"), (other, "across/x"), (other, "twice/x"), (bucket, "PACK"), (other, "PACK"):
    check(key in applied, "%s is not there: not all was done" % (key,))
for f in "cold/down/x", "cold/size/x", "files/.ebb-trash/runs/checkpoint-100/model.safetensors":
    check(f in moved, "%s is not there: not all was done" % f)
check(sum(f.startswith("files/twin/") for f in moved) == 1, "twins stay")
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
    check(not uploads(), "an upload stays unfinished")
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
