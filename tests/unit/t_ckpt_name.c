/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <check.h>
#include <string.h>

#include "policies/ckpt_name.h"
#include "tests/support/unit.h"

static struct ebb_ckpt_name got;

/* The checkpoint's path, its step and family; NULL: there must be none. */
static void known(const char *key, const char *path, int64_t step, const char *family)
{
	bool is = ebb_ckpt_name_known(key, strlen(key), &got);

	ck_assert_msg(is == (path != NULL), "%s", key);
	if (!path)
		return;
	ck_assert_uint_eq(got.path_len, strlen(path));
	ck_assert_int_eq(got.step, step);
	ck_assert_str_eq(got.family, family);
	ck_assert_int_eq(got.file, got.path_len == strlen(key));
}

START_TEST(trainers)
{
	known("r/checkpoint-500/model.safetensors", "r/checkpoint-500", 500, "r/checkpoint-*");
	known("checkpoint-0/x", "checkpoint-0", 0, "checkpoint-*");
	known("a/checkpoint-5/global_step5/mp.pt", "a/checkpoint-5", 5, "a/checkpoint-*");
	known("a/global_step1200/x.pt", "a/global_step1200", 1200, "a/global_step*");
	known("m/iter_0000100/mp_rank_00/x.pt", "m/iter_0000100", 100, "m/iter_*");
	known("t/step-10/__0_0.distcp", "t/step-10", 10, "t/step-*");
	known("t/step10-x/a", NULL, 0, NULL);
	known("t/step_7.pt", "t/step_7.pt", 7, "t/step_*.pt");
	known("t/epoch_3/a.safetensors", "t/epoch_3", 3, "t/epoch_*");
	known("t/ckpt-12.safetensors", "t/ckpt-12.safetensors", 12, "t/ckpt-*.safetensors");
}
END_TEST

START_TEST(others)
{
	known("checkpoint/x", NULL, 0, NULL);
	known("checkpoint-/x", NULL, 0, NULL);
	known("checkpoint-12a/x", NULL, 0, NULL);
	known("checkpoint-1.5/x", NULL, 0, NULL);
	known("checkpoints-12/x", NULL, 0, NULL);
	known("mycheckpoint-12/x", NULL, 0, NULL);
	known("step-1234567890123456789012/x", NULL, 0, NULL);
	known("last.ckpt", NULL, 0, NULL);
	known("a=b", NULL, 0, NULL);
	known("step-10.pt/x", NULL, 0, NULL);
}
END_TEST

START_TEST(lightning)
{
	known("d/epoch=3-step=400-val_loss=0.12.ckpt", "d/epoch=3-step=400-val_loss=0.12.ckpt", 400, "d/epoch=*-step=*-val_loss=*.ckpt");
	ck_assert_uint_eq(got.nmetrics, 1);
	ck_assert_str_eq(got.metrics[0].name, "val_loss");
	ck_assert(got.metrics[0].value > 0.119 && got.metrics[0].value < 0.121);
	known("epoch=3.ckpt", "epoch=3.ckpt", 3, "epoch=*.ckpt");
	known("epoch=3-v1.ckpt", "epoch=3-v1.ckpt", 3, "epoch=*.ckpt");
	known("epoch=1-loss=-1.5e-05.ckpt", "epoch=1-loss=-1.5e-05.ckpt", 1, "epoch=*-loss=*.ckpt");
	ck_assert(got.metrics[0].value < -1.4e-05 && got.metrics[0].value > -1.6e-05);
	known("val_loss=0.5.ckpt", NULL, 0, NULL);
	known("epoch=x.ckpt", NULL, 0, NULL);
}
END_TEST

static struct ebb_arena arena;

static bool by(const char *pattern, const char *metric, const char *key)
{
	struct ebb_glob *g;

	ck_assert_int_eq(ebb_glob_compile(&arena, pattern, &g, NULL), 0);
	return ebb_ckpt_name_by(g, metric, key, strlen(key), &got);
}

START_TEST(patterns)
{
	ck_assert(by("out/{run}/weights_{step}.bin", NULL, "out/a/weights_30.bin"));
	ck_assert(got.file);
	ck_assert_str_eq(got.family, "out/a/weights_*.bin");
	ck_assert(by("runs/{run}/s{step}/**", NULL, "runs/a/s7/x/y"));
	ck_assert(!got.file);
	ck_assert_uint_eq(got.path_len, strlen("runs/a/s7"));
	/* the run may stand behind the step */
	ck_assert(by("ckpts/{step}/{run}/**", NULL, "ckpts/100/b/w.pt"));
	ck_assert_uint_eq(got.path_len, strlen("ckpts/100/b"));
	ck_assert_str_eq(got.family, "ckpts/*/b");
	ck_assert(by("{step}_{fid}.pt", "fid", "12_3.5.pt"));
	ck_assert_str_eq(got.family, "*_*.pt");
	ck_assert(got.nmetrics == 1 && got.metrics[0].value == 3.5);
	ck_assert(!by("{step}.pt", NULL, "abc.pt"));
	ck_assert(!by("{run}.pt", NULL, "12.pt"));
	ebb_arena_release(&arena);
}
END_TEST

EBB_UNIT_MAIN("ckpt_name", trainers, others, lightning, patterns)
