#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Thirty simulated nights of ebb run over two folders and a bucket, with kills (P4, P5, P8): space and cost go where the rules say, nothing is moved back and
# forth, each night's report adds up. See tests/support/nights.py. EBB_SEED fixes it.
# shellcheck source=tests/support/server.sh
. "$EBB_SRC/tests/support/server.sh"
require_cmd python3

seed=${EBB_SEED:-$((16#$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')))}
echo "seed $seed"
# sanitizers are slow; what they look for happens in half as many nights
nights=30
[[ $EBB == */release/* ]] || nights=16
status=0
python3 "$EBB_SRC/tests/support/nights.py" "$EBB" "$(new_bucket)" "$RGW_ENDPOINT" "$seed" "$nights" || status=$?
[[ $status -ne 77 ]] || skip 'reads are not recorded here'
[[ $status -eq 0 ]] || fail "seed $seed"
