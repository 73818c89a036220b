# SPDX-License-Identifier: GPL-3.0-or-later
"""Thirty simulated nights: nights.py EBB BUCKET ENDPOINT SEED NIGHTS

A tree grows, is read and rewritten by day; every night `ebb run` works on it, and on some it is killed (SIGKILL) somewhere and started again. A model
of its own says after each night where every object must be; what is found by find(1)'s means and in the index is held against it, as are the sums
of the report, of the plan and of its rows. At the end every object is read back. Prints one line a night; anything unexpected ends with a message.

Rules and model: *.tmp older than 3 d go into a trash of 2 d; *.log older than 5 d are compressed; in hot and desk what was idle for 4 d moves to cold; from
cold what was read within 2 d moves to desk, and what was idle for 10 d goes to the bucket. The desk has no price: a rule whose move only costs is refused.
"""
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time

ebb, bucket, endpoint, seed, nights = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
rng = random.Random(seed)
DAY = 86400
BASE = int(time.time()) // DAY * DAY - DAY // 2 - nights * DAY  # what is written in the future of the machine counts as being written just now
top = os.getcwd()
env = dict(os.environ, EBB_INDEX=top + "/idx", EBB_CONFIG=top + "/ebb.yaml", TZ="UTC")
CONFIG = f"""version: 1
stores:
  hot:  {{type: fs, path: "{top}/hot", class: NVME}}
  cold: {{type: fs, path: "{top}/cold", class: HDD}}
  desk: {{type: fs, path: "{top}/desk"}}
  lake: {{type: s3, bucket: {bucket}, endpoint: "{endpoint}", class: STANDARD}}
prices: [./prices.yaml]
rules:
  - {{name: temp,  store: hot, match: "**/*.tmp", when: "age > 3d", do: delete, trash: 2d}}
  - {{name: logs,  store: hot, match: "**/*.log", when: "age > 5d", do: compress}}
  - {{name: cold,  store: hot, when: "idle > 4d", do: tier, to: cold}}
  - {{name: again, store: cold, when: "idle < 2d", do: tier, to: desk}}
  - {{name: leave, store: desk, when: "idle > 4d", do: tier, to: cold}}
  - {{name: lake,  store: cold, when: "idle > 10d", do: tier, to: lake}}
limits: {{max_delete: 90%}}
run: {{empty_trash: true}}
alerts: {{min_amount: 1 USD}}
"""

PRICES = """version: 1
name: house
date: 2026-01-01
currency: USD
source: test
confidence: sample
classes:
  NVME: {storage_gib_month: 0.080, source: test}
  HDD: {storage_gib_month: 0.015, source: test}
  STANDARD: {storage_gib_month: 0.004, source: test}
"""


def die(*what):
    sys.exit("nights: seed %d: %s" % (seed, " ".join(map(str, what))))


class Thing:
    """An object, and where it must be."""
    def __init__(self, key, night):
        self.key, self.place, self.version, self.moves = key, "hot", 0, []
        self.written = self.read = 0
        self.write(night)

    def content(self):
        base = hashlib.sha256(f"{seed} {self.base()} {self.version}".encode()).hexdigest()
        n = 100 + int(base[:3], 16) % 400
        if ".log" in self.key:
            return ("".join(f"{i} step {base[:8]} loss 0.5\n" for i in range(6 * n))).encode()
        return hashlib.shake_256(base.encode()).digest(n * 80)

    def base(self):
        return self.key.removesuffix(".zst")

    def path(self):
        return f"{top}/{self.place}/{self.key}"

    def write(self, at):
        self.written = self.read = at
        self.version += 1
        os.makedirs(os.path.dirname(self.path()), exist_ok=True)
        with open(self.path(), "wb") as f:
            f.write(self.content())
        os.utime(self.path(), (at, at))

    def touch(self, at):
        self.read = at
        os.utime(self.path(), (at, self.written))

    def night(self, now, slack):
        """What the rules do to it: its next (place, key)."""
        age, idle = now - self.written, now - self.read
        if self.place == "hot":
            if self.key.endswith(".tmp") and age > 3 * DAY:
                return None, self.key
            if self.key.endswith(".log") and age > 5 * DAY:
                return "hot", self.key + ".zst"
            if idle - slack > 4 * DAY:
                return "cold", self.key
        elif self.place == "cold":
            if idle < 2 * DAY:
                return "desk", self.key
            if idle - slack > 10 * DAY:
                return "lake", self.key
        elif self.place == "desk" and idle - slack > 4 * DAY:
            return "cold", self.key
        return self.place, self.key


def run(*args, now, ok=(0,)):
    p = subprocess.run([ebb, *args], env=dict(env, EBB_NOW=stamp(now)), capture_output=True, text=True)
    if p.returncode not in ok:
        die("ebb", *args, "at", stamp(now), "ended with", p.returncode, "\n", p.stdout[-3000:], p.stderr[-3000:])
    return p.stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))


def killed(now):
    """Begin a run and kill it somewhere. Returns whether it was killed before its end."""
    p = subprocess.Popen([ebb, "--quiet", "run"], env=dict(env, EBB_NOW=stamp(now)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(rng.random() ** 2 * killed.span)
    p.send_signal(signal.SIGKILL)
    return p.wait() != 0


killed.span = 0.4


def found(place):
    """Keys and sizes of a folder, without ebb."""
    out = {}
    for folder, _, names in os.walk(f"{top}/{place}"):
        for name in names:
            path = f"{folder}/{name}"
            key = path.removeprefix(f"{top}/{place}/")
            if not key.startswith(".ebb-"):
                out[key] = os.stat(path).st_size
    return out


def sums(night, now, done):
    """The summary, its plan and the report add up; the index is what is there."""
    plan = next((s for s in night["steps"] if s["step"] == "plan" and "plan" in s), None)
    apply = [s for s in night["steps"] if s["step"] == "apply"]
    if plan and plan["objects"]:
        files = [f"{top}/idx/runs/{s['run']}/plan.jsonl" for s in apply]
        rows = [json.loads(x) for f in files for x in open(f).read().splitlines()[2:]]
        if len(rows) != plan["objects"] or sum(r["size"] for r in rows) != plan["bytes"]:
            die("the plan does not add up", plan)
        if sum(r["one_off_nano"] or 0 for r in rows) != plan["one_off_nano"] or \
           sum(r["saving_month_nano"] or 0 for r in rows) != plan["saving_month_nano"]:
            die("money of the plan does not add up", plan)
    removed = sum(s["done"] for s in night["steps"] if s["step"] == "trash")
    if night["done"] != sum(s["done"] for s in apply) + removed:
        die("done", night["done"], "is not the sum of its steps")
    report = json.loads(run("report", "--format", "json", now=now))
    index = [o for o in lines(run("find", "--json", now=now)) if o["kind"] == "file"]
    if sum(s["bytes"] for s in report["stores"]) != report["total"]["bytes"] or \
       sum(s.get("cost_month_nano", 0) for s in report["stores"]) != report["cost_month_nano"]:
        die("the report's stores do not add up")
    for name, rows in report["by"].items():
        if abs(sum(r["cost_month_nano"] for r in rows) - report["cost_month_nano"]) > len(rows):
            die("the report by", name, "does not add up")
    if sum(o["size"] for o in index) != report["total"]["bytes"]:
        die("the report is not what the index holds")
    for place in ("hot", "cold", "desk"):
        have, known = found(place), {o["path"]: o["size"] for o in index if o["store"] == place}
        if have != known:
            die(place, "is not as the index says:", set(have.items()) ^ set(known.items()))
    return report, index


def compare(things, index, now, slack, more):
    """Every object is where the model says, once. Where `more` runs were begun before the last, killed or not, the rules may have met it so often."""
    where = {}
    for o in index:
        if not o["path"].startswith(".ebb-"):
            where.setdefault(o["path"].removesuffix(".zst"), []).append((o["store"], o["path"]))
    moved = 0
    for t in list(things.values()):
        allowed = [t.night(now, slack)]
        before = t.place, t.key
        for _ in range(more):
            if allowed[-1][0]:
                t.place, t.key = allowed[-1]
                allowed.append(t.night(now, slack))
        t.place, t.key = before
        is_at = where.pop(t.base(), [(None, t.key)])
        if len(is_at) != 1 or is_at[0] not in allowed:
            die(t.key, "of", t.place, "is at", is_at, "and not at", allowed, "written", stamp(t.written), "read", stamp(t.read))
        place, key = is_at[0]
        if place != t.place:
            moved += 1
            # back and forth: it goes up only because somebody read it since it came down, and down only after days of rest
            if t.moves and place == "desk" and t.read < t.moves[-1][0]:
                die(key, "moves up, though nobody read it since it came down at", stamp(t.moves[-1][0]))
            if t.moves and place == t.moves[-1][1] and now - t.moves[-1][0] < 3 * DAY and place != "desk":
                die(key, "moves back to", place, "after", (now - t.moves[-1][0]) // DAY, "days")
            t.moves.append((now, t.place, place))
        if place is None:
            del things[t.base()]
        t.place, t.key = place, key
    if where:
        die("in the stores, but not in the model:", where)
    return moved


def day(n, now, things):
    """What people do: write, read, rewrite, each half a day or so before the night."""
    for i in range(12):
        kind = rng.choice([".bin", ".bin", ".log", ".tmp"])
        key = f"run{n % 5}/n{n}-{i}{kind}"
        things[key] = Thing(key, now - DAY // 2 + i)
    files = [t for t in things.values() if t.place != "lake"]
    for t in rng.sample(files, min(8, len(files))):
        t.touch(now - DAY // 4)
    for t in rng.sample([t for t in files if t.place == "hot" and not t.key.endswith(".zst")], 3):
        t.write(now - DAY // 5)


def main():
    for d in ("hot", "cold", "desk"):
        os.mkdir(d)
    open("ebb.yaml", "w").write(CONFIG)
    open("prices.yaml", "w").write(PRICES)
    things, kills, total, last = {}, 0, 0, None
    day(0, BASE, things)
    scans = {s["store"]: s for s in lines(run("--json", "scan", now=BASE))}
    slack = {"relatime": DAY, "atime": 0}.get(scans["hot"]["evidence"])
    if slack is None:
        print("this filesystem does not record reads:", scans["hot"]["evidence"])
        sys.exit(77)
    for n in range(nights):
        now = BASE + n * DAY
        if n:
            day(n, now, things)
        more = rng.choice([0, 0, 1, 2])
        cut = sum(killed(now) for _ in range(more))
        kills += cut
        night = json.loads(run("--json", "run", now=now, ok=(0, 1)))
        if night["exit"] and not cut:
            die("a night without a kill ended with", night["exit"], json.dumps(night["steps"], indent=1))
        report, index = sums(night, now, things)
        moved = compare(things, index, now, slack, more)
        total += moved
        last = {s["store"]: s for s in report["stores"]}
        print(f"night {n + 1:2}: {len(things):3} objects, {moved:2} moved, {cut} killed;",
              ", ".join(f"{k} {v['bytes'] // 1024} KiB {v.get('cost_month_nano', 0) / 1e6:.4f}m" for k, v in last.items()))
    for t in things.values():  # nothing was lost on the way
        got = subprocess.run([ebb, "get", f"{t.place}:{t.base()}"], env=dict(env, EBB_NOW=stamp(now)), capture_output=True)
        if got.returncode or got.stdout != t.content():
            die(t.key, "in", t.place, "is not what was written:", got.stderr.decode())
    ever = [t for t in things.values() if t.moves]
    back = sum(any(m[2] == "desk" for m in t.moves) for t in ever)
    in_lake = sum(t.place == "lake" for t in things.values())
    if not (in_lake and back and kills and total > nights):
        die("too little happened:", in_lake, back, kills, total)
    print(f"{total} moves of {len(ever)} objects that are left, {back} came up because they were read, {in_lake} in the bucket; {kills} runs killed;",
          f"{len(things)} objects read back")


main()
