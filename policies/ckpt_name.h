/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of checkpoints: which folder or file of a key is a checkpoint, of which step, and of which run.
 *
 * Known without being told, as a whole component of a path; the outermost counts:
 *   checkpoint-N                          Hugging Face Trainer
 *   global_stepN                          DeepSpeed
 *   iter_N                                Megatron-LM
 *   epoch=E-step=S-NAME=VALUE[-vN].ckpt   Lightning; any of the three may be missing but one of epoch and step
 *   step-N step_N stepN ckpt-N ckpt_N epoch-N epoch_N    torchtitan, OLMo, torchtune and many others
 * Where it is a file, an extension may follow the number (.pt, .ckpt, .safetensors ...).
 *
 * Anything else is named by the captures of a pattern, of the rule or of the dataset: "out/{run}/weights_{step}.bin". `step` is a whole
 * number. The checkpoint is the path up to the end of the component in which the last of `step` and `run` stands. A capture named
 * like the metric is its value.
 *
 * A family is what has the same path but for step, epoch and metric; in its name they are written as '*'.
 *
 * Pure. Threads: any.
 */
#ifndef EBB_POLICIES_CKPT_NAME_H
#define EBB_POLICIES_CKPT_NAME_H

#include "core/record.h"
#include "policies/glob.h"

/* Figures that stand in a name. */
#define EBB_CKPT_NAME_METRICS 4

struct ebb_ckpt_name_metric {
	char name[64];
	double value;
};

struct ebb_ckpt_name {
	size_t path_len;		/* the checkpoint is the first bytes of the key, a folder or a file */
	bool file;			/* it is the whole key */
	int64_t step;
	char family[EBB_KEY_MAX + 16];	/* NUL-terminated */
	struct ebb_ckpt_name_metric metrics[EBB_CKPT_NAME_METRICS];
	size_t nmetrics;
};

/* Is there a checkpoint in the path, by the names known? */
bool ebb_ckpt_name_known(const char *key, size_t len, struct ebb_ckpt_name *ret);

/*
 * The same by a pattern with a capture `step`.
 *
 * @metric  name of the capture that is a figure, or NULL.
 * @return  false also when the pattern has no such capture, or what it took is no number.
 */
bool ebb_ckpt_name_by(const struct ebb_glob *g, const char *metric, const char *key, size_t len, struct ebb_ckpt_name *ret);

/* Has the pattern a capture `step`? */
bool ebb_ckpt_name_asks(const struct ebb_glob *g);

/* A step or figure written out in full: digits; a decimal number. False otherwise. */
bool ebb_ckpt_name_step(const char *p, size_t len, int64_t *ret);
bool ebb_ckpt_name_figure(const char *p, size_t len, double *ret);

#endif
