#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Completions in the shells that they are for, as somebody who presses TAB there gets them; bash's are tested in help.sh.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"
require_cmd python3
missing=()
mkdir -p bin home
ln -s "$EBB" bin/ebb
export PATH=$PWD/bin:$PATH HOME=$PWD/home TERM=dumb

# --- fish says it without a terminal ---
if command -v fish >/dev/null; then
	"$EBB" help --completion fish >ebb.fish
	fish_completes() { fish --no-config -c "source ebb.fish; complete -C '$1'" 2>/dev/null | cut -f1; }
	[[ $(fish_completes 'ebb appro') == approve ]] || fail "fish: ebb appro: $(fish_completes 'ebb appro')"
	fish_completes 'ebb run --' | grep -qx -- '--watermarks' || fail 'fish: ebb run --'
	fish_completes 'ebb run --' | grep -qx -- '--reject' && fail 'fish offers an option of another command'
	[[ $(fish_completes 'ebb scan --hash a') == *all* ]] || fail "fish: ebb scan --hash a: $(fish_completes 'ebb scan --hash a')"
else
	missing+=(fish)
fi

# --- zsh needs one: TAB is pressed on a terminal, and a key writes down what the line has become ---
if command -v zsh >/dev/null; then
	mkdir fns
	"$EBB" help --completion zsh >fns/_ebb
	cat >tab.py <<-'END'
	import os, pty, select, sys, time
	typed, result = sys.argv[1:]
	pid, fd = pty.fork()
	if pid == 0:
	    os.execvp("zsh", ["zsh", "-f", "-i"])
	def until(path, sent):
	    end = time.time() + 60
	    while not os.path.exists(path):
	        if time.time() > end:
	            sys.exit(f"zsh did not answer to {sent!r}")
	        if select.select([fd], [], [], 0.05)[0]:
	            os.read(fd, 65536)
	setup = (f"unsetopt beep; fpath=({os.getcwd()}/fns $fpath); autoload -Uz compinit; compinit -u -d {os.getcwd()}/dump; "
	         f"dump-line() {{ print -r -- $BUFFER >{result}.new; mv {result}.new {result} }}; zle -N dump-line; bindkey '^X' dump-line; "
	         f": >ready\n")
	os.write(fd, setup.encode())
	until("ready", setup)
	os.unlink("ready")
	os.write(fd, typed.encode() + b"\t\x18")
	until(result, typed)
	os.write(fd, b"\x15exit\n")
	END
	zsh_completes() {
		rm -f line
		python3 tab.py "$1" line || fail "zsh: $1"
		cat line
	}
	[[ $(zsh_completes 'ebb appro') == 'ebb approve ' ]] || fail "zsh: ebb appro: '$(cat line)'"
	[[ $(zsh_completes 'ebb run --water') == 'ebb run --watermarks ' ]] || fail "zsh: ebb run --water: '$(cat line)'"
	[[ $(zsh_completes 'ebb scan --hash can') == 'ebb scan --hash candidates ' ]] || fail "zsh: ebb scan --hash can: '$(cat line)'"
else
	missing+=(zsh)
fi
[[ ${#missing[@]} -eq 0 ]] || skip "needs ${missing[*]}"
