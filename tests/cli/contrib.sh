#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What ships beside the program says nothing that is not so: YAML parses, manifests have what they need, commands and options exist, in the README too, units
# are what systemd understands and hardened, the CI gate comments and refuses.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd python3 jq
c=$EBB_SRC/contrib

# --- Command lines ---
lines=("$EBB_SRC/README.md" "$c"/systemd/* "$c"/cron/* "$c"/kubernetes/* "$c"/ci/* "$c"/examples/*)
run python3 "$EBB_SRC/tests/support/command_lines.py" "$EBB" "${lines[@]}"
expect_status 0
[[ ${out%% *} -ge 60 ]] || unexpected 'most command lines were not found'
printf 'ExecStart=/usr/bin/ebb runn\n  ebb run --jiter 1min\n' >wrong
run python3 "$EBB_SRC/tests/support/command_lines.py" "$EBB" wrong
expect_status 1
expect_out "wrong:1: command ['runn'] is not known"
expect_out 'wrong:2: option --jiter is not known to run'

# --- Units ---
if command -v systemd-analyze >/dev/null; then
	cp "$c"/systemd/* .
	sed -i "s|/usr/bin/ebb|$EBB|" ./*.service
	run systemd-analyze verify --man=no ./ebb-agent.service ./ebb-run.service ./ebb-run.timer
	[[ $status -eq 0 && -z $err ]] || unexpected 'systemd does not understand the units'
	for u in ebb-agent ebb-run; do
		# 10 is wide open; the files of all users must be within reach
		run systemd-analyze security --offline=true --threshold=35 --no-pager ./$u.service
		expect_status 0
	done
	run systemd-analyze calendar "$(sed -n 's/^OnCalendar=//p' ebb-run.timer)"
	expect_status 0
else
	echo 'note: systemd-analyze is missing, units are not verified here'
fi

# --- Cron ---
while read -r line; do
	[[ $line =~ ^(#|$|[A-Z_]+=) || $line =~ ^([0-9*/,-]+\ +){5}root\ +ebb\  ]] || fail "no line of a crontab: $line"
done <"$c/cron/ebb"

# --- YAML and manifests; the configurations in them pass ebb check ---
if python3 -c 'import yaml' 2>/dev/null; then
	cat >look.py <<-'END'
	import sys, yaml
	top, out = sys.argv[1:]
	n = 0
	for f in ("kubernetes/cronjob.yaml", "kubernetes/indexed-job.yaml", "ci/github.yml", "ci/gitlab.yml",
	          "examples/tiering.yaml", "examples/migration.yaml", "examples/cleanup.yaml", "prometheus/ebb.rules.yml"):
	    docs = list(yaml.safe_load_all(open(f"{top}/{f}")))
	    assert docs and all(isinstance(d, dict) for d in docs), f
	    if not f.startswith("kubernetes"):
	        continue
	    maps = {}
	    for d in docs:
	        assert d["apiVersion"] and d["kind"] and d["metadata"]["name"], f
	        if d["kind"] == "ConfigMap":
	            maps[d["metadata"]["name"]] = d["data"]
	            for name, text in d["data"].items():
	                open(f"{out}/{d['metadata']['name']}-{name}", "w").write(text)
	                n += 1
	    job = docs[-1]["spec"]
	    job = job["jobTemplate"]["spec"] if docs[-1]["kind"] == "CronJob" else job
	    pod = job["template"]["spec"]
	    volumes = {v["name"]: v for v in pod["volumes"]}
	    assert all(v["configMap"]["name"] in maps for v in volumes.values() if "configMap" in v), f
	    for box in pod["containers"]:
	        assert {m["name"] for m in box["volumeMounts"]} == set(volumes), f
	        assert box["securityContext"]["capabilities"]["drop"] == ["ALL"], f
	    if job.get("completionMode") == "Indexed":
	        assert {f"shard-{i}.yaml" for i in range(job["completions"])} == set(maps["ebb-shards"]), f
	print(n)
	END
	mkdir maps
	run python3 look.py "$c" maps
	expect_status 0
	[[ $out -eq 3 ]] || unexpected 'configurations in manifests'
	for f in maps/*; do
		run "$EBB" --config "$f" check
		expect_status 0
		expect_no_out 'warning'
	done
	run sh -n "$c/ci/plan-comment"
	expect_status 0
else
	echo 'note: python3-yaml is missing, manifests are not parsed here'
fi

# --- The container recipe copies what is there ---
for f in contrib/install-packages contrib/packaging/deb; do
	[[ -x $EBB_SRC/$f ]] || fail "the Containerfile runs $f"
	grep -q "$f" "$c/kubernetes/Containerfile" || fail "the Containerfile lacks $f"
done

# --- The gate of a pull request ---
export EBB
mkdir data
for i in 1 2 3; do head -c 1M /dev/zero >"data/$i.tmp"; done
touch -d '2026-01-01T00:00:00Z' data/*
config() {
	cat <<-END
	version: 1
	stores: {d: {type: fs, path: "$PWD/data", class: STANDARD, provider: aws, region: us-east-1}}
	prices: [aws]
	rules: [{name: $1, match: "$2", when: "age > 30d", do: delete, trash: 1d}]
	END
}
config one '1.tmp' >base.yaml
config all '**' >head.yaml
run "$EBB" --config base.yaml --index idx scan
expect_status 0
run "$c/ci/plan-comment" base.yaml head.yaml idx 50
expect_status 0
expect_out '| actions | 1 | 3 |'
expect_out '| saves a month, USD |'
expect_out 'all    delete (trash 1d)'
run "$c/ci/plan-comment" none.yaml head.yaml idx
expect_status 0
expect_out '| actions | 0 | 3 |'
sed -i 's/do: delete, trash: 1d/do: tier, class: GLACIER/' head.yaml
run "$c/ci/plan-comment" base.yaml head.yaml idx 0
cost=$(jq '.one_off_nano' < <("$EBB" --config head.yaml --index idx --json plan -n))
if ((cost > 0)); then
	expect_status 1
	expect_out 'somebody must agree'
else
	expect_status 0
fi
echo nonsense >head.yaml
run "$c/ci/plan-comment" base.yaml head.yaml idx 50
expect_status 3
