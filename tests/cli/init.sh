#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ebb init: a configuration that passes ebb check, with names that are unique and what cannot be a store refused.
# shellcheck source=tests/cli/lib.sh
. "$EBB_SRC/tests/cli/lib.sh"

mkdir -p books data/scratch 'other/Scratch' 'odd/9 lives: "x"'
cat >books/onprem.yaml <<'END'
version: 1
name: onprem
date: 2026-11-01
currency: USD
source: test
confidence: sample
classes:
  NVME: {storage_gib_month: 0.080, source: test}
  HDD: {storage_gib_month: 0.015, source: test}
END
export EBB_PRICES=$PWD/books

run "$EBB" init data/scratch other/Scratch 'odd/9 lives: "x"'
expect_status 0
expect_no_err '?'
expect_out '  scratch:'
expect_out '  scratch-2:'
expect_out '  store-9-lives-x:'
expect_out "path: \"$PWD/data/scratch\""
printf '%s\n' "$out" >ebb.yaml

run "$EBB" check
expect_status 0
expect_out 'ebb.yaml is fine: 3 stores'
expect_out 'delete into the trash for 30d'
expect_out 'compress with zstd'
expect_out '1.0 TiB (1,099,511,627,776 bytes)'

run env AWS_REGION=eu-west-1 "$EBB" init s3://lake/raw/2024 data/scratch
expect_status 0
expect_out 'prefix: "raw/2024/"'
printf '%s\n' "$out" >bucket.yaml
run "$EBB" --config bucket.yaml check
expect_status 0
expect_out 's3://lake/raw/2024/'
run "$EBB" init s3://
expect_status 2
expect_err "'s3://' names no bucket"

run "$EBB" init data data/scratch
expect_status 2
expect_err 'lie in one another: name the outer one only'

run "$EBB" init data/none
expect_status 2
expect_err "cannot look at 'data/none': No such file or directory"

run "$EBB" init ebb.yaml
expect_status 2
expect_err "'ebb.yaml' is not a folder"

run "$EBB" init
expect_status 2
expect_err 'too few arguments: ebb init [options] DIR|s3://BUCKET[/PREFIX]...'

# What is there before stays: init only prints.
[[ $(find data -type f | wc -l) -eq 0 ]] || fail 'init wrote something'
