# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A tree of training runs as trainers, caches and tools lay it out, small. For tests: . tests/support/runs.sh, then make_runs FOLDER.
# Layouts: Transformers' Trainer and sharded checkpoints; DeepSpeed; Megatron-LM; Lightning; the Hugging Face hub cache; DVC 3; git-annex;
# OCI image layout 1.0; Delta Lake; Iceberg.

# put FILE BYTES: a file of that size whose content depends on its name
put() {
	local file=$1 size=$2
	mkdir -p "$(dirname "$file")"
	yes "${file##*/}" 2>/dev/null | head -c "$size" >"$file"
}

# old DAYS PATH...: modified so long before 2026-11-01
old() {
	local days=$1
	shift
	find "$@" -exec touch -h -d "2026-11-01T00:00:00Z -$days days" {} +
}

# hf_checkpoint FOLDER STEP EVAL_LOSS: two shards with their index, optimizer, trainer_state.json
hf_checkpoint() {
	local c=$1/checkpoint-$2 log='' s
	put "$c/config.json" 300
	put "$c/model-00001-of-00002.safetensors" 40000
	put "$c/model-00002-of-00002.safetensors" 20000
	put "$c/optimizer.pt" 90000
	cat >"$c/model.safetensors.index.json" <<-END
		{"metadata": {"total_size": 60000}, "weight_map": {
		  "model.embed.weight": "model-00001-of-00002.safetensors",
		  "model.layers.0.weight": "model-00001-of-00002.safetensors",
		  "lm_head.weight": "model-00002-of-00002.safetensors"}}
	END
	for ((s = 500; s < $2; s += 500)); do
		log+="{\"epoch\": 0.1, \"step\": $s, \"loss\": 2.0}, {\"eval_loss\": 9.9, \"step\": $s}, "
	done
	cat >"$c/trainer_state.json" <<-END
		{"best_metric": null, "best_model_checkpoint": null, "epoch": 1.0, "global_step": $2, "is_hyper_param_search": false,
		 "log_history": [$log{"epoch": 1.0, "eval_loss": $3, "eval_runtime": 1.5, "step": $2}]}
	END
}

# A Trainer run of ten checkpoints; the best is 2500, the newest is being written.
make_hf_run() {
	local i losses=(2.0 1.6 1.4 1.2 0.9 1.0 1.1 1.15 1.3 1.35)
	for i in {0..9}; do
		hf_checkpoint "$1" $((500 * (i + 1))) "${losses[i]}"
		old $((60 - 5 * i)) "$1/checkpoint-$((500 * (i + 1)))"
	done
	rm "$1/checkpoint-2000/model-00002-of-00002.safetensors"
	rm "$1/checkpoint-5000/model-00002-of-00002.safetensors" "$1/checkpoint-5000/trainer_state.json"
	old 15 "$1/checkpoint-5000"
	old 40 "$1/checkpoint-2000"
	: >"$1/checkpoint-1000/.keep"
	old 55 "$1/checkpoint-1000"
}

make_deepspeed_run() {
	local s r
	for s in 100 200 300 400; do
		for r in 0 1; do
			put "$1/global_step$s/zero_pp_rank_${r}_mp_rank_00_optim_states.pt" 50000
		done
		put "$1/global_step$s/mp_rank_00_model_states.pt" 30000
		old $((50 - s / 10)) "$1/global_step$s"
	done
	rm "$1/global_step200/zero_pp_rank_1_mp_rank_00_optim_states.pt"
	old 30 "$1/global_step200"
	printf 'global_step400' >"$1/latest"
	old 10 "$1/latest"
}

make_megatron_run() {
	local s
	for s in 0000100 0000200 0000300 0000400; do
		put "$1/iter_$s/mp_rank_00/model_optim_rng.pt" 70000
		put "$1/iter_$s/mp_rank_01/model_optim_rng.pt" 70000
	done
	printf '300' >"$1/latest_checkpointed_iteration.txt"
	old 20 "$1"
}

make_lightning_run() {
	put "$1/checkpoints/epoch=0-step=100-val_loss=0.90.ckpt" 30000
	put "$1/checkpoints/epoch=1-step=200-val_loss=0.40.ckpt" 30000
	put "$1/checkpoints/epoch=2-step=300-val_loss=0.55.ckpt" 30000
	: >"$1/checkpoints/epoch=3-step=400-val_loss=0.50.ckpt"
	put "$1/checkpoints/epoch=4-step=500-val_loss=0.60.ckpt" 30000
	put "$1/checkpoints/last.ckpt" 30000
	old 30 "$1"
}

# Checkpoints that no name tells: a pattern must.
make_custom_run() {
	local s
	for s in 10 20 30 40; do put "$1/weights_$s.pkl.pt" 10000; done
	old 30 "$1"
}

make_runs() {
	make_hf_run "$1/runs/llm/sft-a"
	make_deepspeed_run "$1/runs/llm/zero-b"
	make_megatron_run "$1/runs/llm/mega-c"
	make_lightning_run "$1/runs/vision/light-d"
	make_custom_run "$1/runs/vision/custom-e"
}

# hf_blob REPO NAME FILE BYTES COMMIT: a blob and the symlink of a snapshot to it
hf_blob() {
	put "$1/blobs/$2" "$4"
	mkdir -p "$1/snapshots/$5"
	ln -s "../../blobs/$2" "$1/snapshots/$5/$3"
}

# Two repositories of a hub cache: one with a blob that no snapshot has, one whose ref names a snapshot that is not there.
make_hf_cache() {
	local a=$1/models--org--good b=$1/models--org--broken c1=1111111111111111111111111111111111111111 c2=2222222222222222222222222222222222222222
	hf_blob "$a" aaaa0001 model.safetensors 40000 $c1
	hf_blob "$a" aaaa0002 config.json 300 $c1
	put "$a/blobs/aaaa9999" 70000
	mkdir -p "$a/refs" "$b/refs"
	printf %s $c1 >"$a/refs/main"
	hf_blob "$b" bbbb0001 model.safetensors 40000 $c1
	put "$b/blobs/bbbb9999" 70000
	printf %s $c2 >"$b/refs/main"
}

# dvc_object CACHE CONTENT: a file of a cache by its MD5, which is printed
dvc_object() {
	local sum
	sum=$(printf %s "$2" | md5sum | cut -d' ' -f1)
	mkdir -p "$1/files/md5/${sum:0:2}"
	printf %s "$2" >"$1/files/md5/${sum:0:2}/${sum:2}"
	echo "$sum"
}

# dvc_repo FOLDER: data.csv.dvc, a folder in dvc.lock, and an object that nothing names
dvc_repo() {
	local one two list
	mkdir -p "$1/.dvc"
	one=$(dvc_object "$1/.dvc/cache" "one of $1")
	two=$(dvc_object "$1/.dvc/cache" "two of $1")
	list=$(dvc_object "$1/.dvc/cache" "[{\"md5\": \"$two\", \"relpath\": \"x.bin\"}]")
	mv "$1/.dvc/cache/files/md5/${list:0:2}/${list:2}" "$1/.dvc/cache/files/md5/${list:0:2}/${list:2}.dir"
	dvc_object "$1/.dvc/cache" "nobody's in $1" >"$1/orphan"
	printf 'outs:\n- md5: %s\n  size: 20\n  hash: md5\n  path: data.csv\n' "$one" >"$1/data.csv.dvc"
	printf 'schema: "2.0"\nstages:\n  train:\n    cmd: x\n    outs:\n    - path: out\n      hash: md5\n      md5: %s.dir\n' "$list" >"$1/dvc.lock"
	: >"$1/.dvc/config"
}

# One with a history that may name more, one without.
make_dvc() {
	dvc_repo "$1/with-git"
	mkdir -p "$1/with-git/.git"
	dvc_repo "$1/no-scm"
	printf '[core]\n    no_scm = True\n' >"$1/no-scm/.dvc/config"
}

make_annex() {
	local key=SHA256E-s5--aaaa.bin
	put "$1/.git/annex/objects/a1/b2/$key/$key" 5000
	put "$1/.git/annex/objects/c3/d4/SHA256E-s5--unused.bin/SHA256E-s5--unused.bin" 5000
	printf '[core]\n\tbare = false\n[annex]\n\tuuid = 1\n' >"$1/.git/config"
	ln -s ".git/annex/objects/a1/b2/$key/$key" "$1/here.bin"
	ln -s .git/annex/objects/zz/zz/SHA256E-s5--elsewhere/SHA256E-s5--elsewhere "$1/elsewhere.bin"
}

# oci_blob LAYOUT CONTENT: prints its digest
oci_blob() {
	local sum
	sum=$(printf %s "$2" | sha256sum | cut -d' ' -f1)
	mkdir -p "$1/blobs/sha256"
	printf %s "$2" >"$1/blobs/sha256/$sum"
	echo "sha256:$sum"
}

make_oci() {
	local config layer manifest
	config=$(oci_blob "$1" '{"architecture": "amd64", "os": "linux"}')
	layer=$(oci_blob "$1" 'a layer, if it were gzip')
	manifest=$(oci_blob "$1" "{\"schemaVersion\": 2, \"config\": {\"digest\": \"$config\", \"size\": 1}, \"layers\": [{\"digest\": \"$layer\", \"size\": 1}]}")
	oci_blob "$1" 'a layer that no manifest names' >/dev/null
	printf '{"imageLayoutVersion": "1.0.0"}' >"$1/oci-layout"
	printf '{"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "%s", "size": 1}]}' \
		"$manifest" >"$1/index.json"
}

# A table whose log is whole, with a file that was never added; one with a checkpoint in Parquet.
make_delta() {
	local t
	for t in whole checkpointed; do
		put "$1/$t/part-00000.parquet" 9000
		put "$1/$t/day=2026-10-01/part 1.parquet" 9000
		put "$1/$t/orphan.parquet" 9000
		mkdir -p "$1/$t/_delta_log"
		printf '{"protocol": {"minReaderVersion": 1}}\n{"add": {"path": "part-00000.parquet", "size": 9000}}\n' \
			>"$1/$t/_delta_log/00000000000000000000.json"
		printf '{"remove": {"path": "part-00000.parquet"}}\n{"add": {"path": "day=2026-10-01/part%%201.parquet"}}\n' \
			>"$1/$t/_delta_log/00000000000000000001.json"
	done
	put "$1/checkpointed/_delta_log/00000000000000000001.checkpoint.parquet" 900
	rm "$1/checkpointed/_delta_log/00000000000000000000.json"
}

make_iceberg() {
	put "$1/events/data/00000-0.parquet" 9000
	put "$1/events/metadata/snap-1.avro" 900
	printf '{"format-version": 2, "location": "file:///x/events", "snapshots": [{"snapshot-id": 1, "manifest-list": "file:///x/events/metadata/snap-1.avro"}]}' \
		>"$1/events/metadata/00001-abc.metadata.json"
}

# A farm that names files by symlinks, one folder by another, and a link that leads nowhere.
make_farm() {
	put "$1/store/a.bin" 7000
	put "$1/store/b.bin" 7000
	put "$1/store/dir/c.bin" 7000
	put "$1/store/dir/d.bin" 7000
	put "$1/store/unnamed.bin" 7000
	mkdir -p "$1/farm" "$1/torn"
	ln -s ../store/a.bin "$1/farm/a"
	ln -s a "$1/farm/again"
	ln -s ../store/dir "$1/farm/dir"
	ln -s dir/c.bin "$1/farm/through"
	put "$1/torn/beside.bin" 7000
	ln -s ../store/gone.bin "$1/torn/gone"
}

make_refs() {
	make_hf_cache "$1/hub"
	make_dvc "$1/dvc"
	make_annex "$1/annex"
	make_oci "$1/oci"
	make_delta "$1/delta"
	make_iceberg "$1/iceberg"
	make_farm "$1/links"
	old 100 "$1"
}
