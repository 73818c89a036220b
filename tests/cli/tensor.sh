#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Promises: P12
# compress with codec tensor: a safetensors file becomes a container that the stand-alone decoder reads, undo gives it back; a header
# that lies is refused.
# shellcheck source=tests/cli/apply/stores.sh
. "$EBB_SRC/tests/cli/apply/stores.sh"
require_cmd python3 cc

cc -O2 -Wall -Wextra -Werror -o "$HOME/tensor-decode" "$EBB_SRC/contrib/tensor-decode.c" -lzstd

mkdir models
python3 - <<'END'
import json, random, struct

def model(name, weights, claimed):
    head = json.dumps({"w": {"dtype": "BF16", "shape": [claimed // 2], "data_offsets": [0, claimed]}}).encode()
    with open(name, "wb") as f:
        f.write(struct.pack("<Q", len(head)) + head + weights)

r = random.Random(7)
floats = struct.pack("<200000f", *(r.gauss(0, 0.02) for _ in range(200000)))
top = b"".join(floats[i + 2:i + 4] for i in range(0, len(floats), 4))
model("models/good.safetensors", top, len(top))
model("models/lies.safetensors", top, 2 * len(top))
END
cp models/good.safetensors "$HOME/good"
listing models >"$HOME/before"
cat >ebb.yaml <<-END
	version: 1
	stores:
	  m: {type: fs, path: "$PWD/models"}
	rules:
	  - {name: weights, match: "*.safetensors", do: compress, codec: tensor}
END
plan
run "$EBB" apply plan.jsonl
expect_status 1
expect_err 'skipped m:lies.safetensors: safetensors: the header places a tensor up to byte'
[[ -e models/lies.safetensors && ! -e models/good.safetensors ]] || fail 'not applied as planned'
"$HOME/tensor-decode" <models/good.safetensors.ebbt | cmp - "$HOME/good"
zstd -3 -qc "$HOME/good" >"$HOME/good.zst"
ours=$(stat -c %s models/good.safetensors.ebbt) theirs=$(stat -c %s "$HOME/good.zst")
((ours * 100 <= theirs * 87)) || fail "$ours bytes, zstd -3: $theirs"

# One bit wrong, and cut short: the decoder says so.
python3 - models/good.safetensors.ebbt <<'END'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
open("cut", "wb").write(b[:-1])
b[len(b) // 2] ^= 4
open("bad", "wb").write(b)
END
for f in bad cut; do
	if "$HOME/tensor-decode" <$f >/dev/null 2>"$HOME/said"; then
		fail "$f decodes"
	fi
done
grep -q 'ends early' "$HOME/said"

run "$EBB" undo last
expect_status 0
same_tree models "$HOME/before"
