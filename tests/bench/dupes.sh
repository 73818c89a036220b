#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: EBB=build/ebb tests/bench/dupes.sh [TREE [ROUNDS]]
#
# Finding duplicates from nothing (ebb scan, ebb dupes), and again on the unchanged tree, beside jdupes and rmlint: wall and CPU
# seconds and resident memory, medians of interleaved rounds, warm. Then the groups are compared name by name with those of
# `jdupes -r -H`; a difference that is not explained fails. Without a tree a small one is made: many sizes, a third of the
# files stored twice, some that differ in one byte only, some hard links.
set -eu

: "${EBB:?}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tree=${1:-} rounds=${2:-3}

make_tree() {
	python3 - "$1" <<'END'
import os, random, sys
root, r = sys.argv[1], random.Random(42)
kept = []
for i in range(20000):
    d = f"{root}/d{i % 200:03}"
    os.makedirs(d, exist_ok=True)
    what, path = r.random(), f"{d}/f{i:06}"
    if kept and what < 0.3:
        data = r.choice(kept)
    elif kept and what < 0.38:
        data = bytearray(r.choice(kept))
        data[r.choice([0, len(data) // 2, -1])] ^= 0x5A
    else:
        data = r.randbytes(int(r.lognormvariate(9.5, 1.5)) + 1)
        kept.append(data)
    if i and r.random() < 0.01:
        os.link(last, path)
        continue
    open(path, "wb").write(data)
    last = path
END
}

if [[ ! $tree ]]; then
	tree=$tmp/tree
	make_tree "$tree"
fi
cat >"$tmp/ebb.yaml" <<END
version: 1
stores: {t: {type: fs, path: "$(realpath "$tree")", class: NVME}}
prices: [onprem]
END
export EBB_CONFIG=$tmp/ebb.yaml EBB_INDEX=$tmp/index

first() {
	rm -rf "$tmp/index"
	"$EBB" --quiet scan >"$tmp/out.scan" && "$EBB" --quiet dupes --json >"$tmp/out.first"
}
again() { "$EBB" --quiet dupes --json >"$tmp/out.again"; }
again_scan() { "$EBB" --quiet scan >"$tmp/out.scan" && again; }
jdupes_() { jdupes -q -r "$tree" >"$tmp/out.jdupes"; }
rmlint_() { (cd "$tmp" && rmlint -T df -a xxhash -t 2 -o summary:stdout "$tree" >"$tmp/out.rmlint"); }
export -f first again again_scan jdupes_ rmlint_
export EBB tmp tree

names=(first again again_scan)
for peer in jdupes rmlint; do
	if command -v "$peer" >/dev/null; then names+=("${peer}_"); fi
done
for ((i = 0; i <= rounds; i++)); do # round 0 warms the cache
	for name in "${names[@]}"; do
		/usr/bin/time -a -o "$tmp/times" -f "$i $name %e %U %S %M" bash -c "$name"
	done
done
python3 - "$tmp/times" <<'END'
import statistics, sys
rows = {}
for line in open(sys.argv[1]):
    i, name, *v = line.split()
    if i != "0":
        rows.setdefault(name.rstrip("_"), []).append([float(x) for x in v])
med = {n: [statistics.median(c) for c in zip(*r)] for n, r in rows.items()}
base = med.get("jdupes")
print(f"{'':12} {'wall s':>8} {'CPU s':>8} {'MiB':>6} {'wall x':>7} {'CPU x':>7}   (x: against jdupes)")
for n, (e, u, s, m) in med.items():
    x = f"{base[0] / e:7.2f} {(base[1] + base[2]) / (u + s):7.2f}" if base else ""
    print(f"{n:12} {e:8.3f} {u + s:8.3f} {m / 1024:6.1f} {x}")
END
if command -v jdupes >/dev/null; then
	jdupes -q -r -H "$tree" >"$tmp/out.groups"
	python3 - "$tree" "$tmp/out.first" "$tmp/out.groups" <<'END'
import base64, json, os, sys
tree, ours, theirs = sys.argv[1:]
tree = os.path.realpath(tree)
def name(m):
    return base64.b64decode(m["path_b64"]) if "path_b64" in m else m["path"].encode()
def inode(n):
    return os.lstat(os.path.join(tree.encode(), n)).st_ino
a = {frozenset(name(m) for m in json.loads(l)["members"]) for l in open(ours)}
b = {frozenset(os.path.relpath(os.path.realpath(n), tree.encode()) for n in g.split(b"\n") if n)
     for g in open(theirs, "rb").read().split(b"\n\n")} - {frozenset()}
b = {g for g in b if len(g) > 1}
links = {g for g in b - a if len({inode(n) for n in g}) == 1}
print(f"groups: ebb {len(a)}, jdupes -H {len(b)}; the same in every name {len(a & b)}")
print(f"  of jdupes alone: {len(links)} are names of one inode, which take no room twice; {len(b - a - links)} not explained")
print(f"  of ebb alone: {len(a - b)} not explained")
for g in list((b - a - links) | (a - b))[:20]:
    print("   ", *sorted(n.decode("utf-8", "backslashreplace") for n in g))
sys.exit(bool((b - a - links) | (a - b)))
END
fi
