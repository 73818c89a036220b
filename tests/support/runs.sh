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
