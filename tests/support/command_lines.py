# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that every command line of ebb in the files named uses commands and options that exist: EBB FILE...

A command line begins with `ebb` (or a path that ends in /ebb) as a word and ends at a shell operator, a backtick or three spaces (a remark).
Kubernetes `args: [...]` lists are command lines too. Prints how many were found; one that is wrong is named, and the status is 1.
"""
import re
import subprocess
import sys

ebb, files = sys.argv[1], sys.argv[2:]


def out(*args):
    return subprocess.run([ebb, *args], capture_output=True, text=True, check=True).stdout


def options(text):
    """{option: takes an argument} from a help page"""
    found = {}
    for line in text.splitlines():
        m = re.match(r"\s+(?:-(\w), )?--([a-z-]+)(?:[ =]([A-Z<a-z|]\S*))?(?:\s{2,}|$)", line)
        if m:
            takes = m.group(3) is not None
            found["--" + m.group(2)] = takes
            if m.group(1):
                found["-" + m.group(1)] = takes
    return found


commands = out("help", "--commands").split()
glob = {"--config": True, "-c": True, "--index": True, "-i": True, "--json": False, "--quiet": False, "-q": False,
        "--verbose": False, "-v": False, "--log-json": False, "--help": False, "-h": False, "--version": False}
of = {c: {**options(out("help", c)), **glob} for c in commands}
START = re.compile(r"(?:^|(?<=[\s\"'`(=]))(?:[\w./$-]*/)?(?:ebb|\"\$ebb\")(?=\s+[-a-z])")
END = re.compile(r"\s*(?:`|&&|\|\|?|;|>|<|\s#|\)|\s{3,}|$|,\s|\.\s)")


def check(words):
    known, cmd, skip = glob, None, False
    for w in words:
        w = w.strip("\"'")
        if skip:
            skip = False
        elif w.startswith("-") and len(w) > 1:
            name = w.split("=")[0]
            if name not in known:
                return f"option {name} is not known" + (f" to {cmd}" if cmd else "")
            skip = known[name] and "=" not in w
        elif cmd is None:
            if w not in commands:
                return f"command {w} is not known"
            cmd, known = w, of[w]
    return None


n = bad = 0
for path in files:
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        found = [line[m.end():].strip() for m in START.finditer(line)]
        k = re.match(r"\s+args: \[(.*)\]", line)
        if k:
            found.append(k.group(1).replace(",", " "))
        for text in found:
            words = text[:END.search(text).start()].split()
            # prose, as in "# ebb as a daemon": a command line begins with a command or an option
            if not words or (words[0] not in commands and not words[0].startswith("-")):
                if line.lstrip().startswith(("ExecStart", "$ ebb", "ebb ", "30 2", "*/5")):
                    print(f"{path}:{number}: command {words[:1]} is not known")
                    bad += 1
                continue
            n += 1
            why = check(words)
            if why:
                print(f"{path}:{number}: {why}: ebb {' '.join(words)}")
                bad += 1
print(n, "command lines")
sys.exit(bad > 0)
