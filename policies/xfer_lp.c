/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policies/xfer_lp.h"

#include <stdlib.h>

#ifndef EBB_WITHOUT_GLPK

#include <glpk.h>

struct ebb_xfer_lp {
	glp_prob *p;
	int *at;		/* entries as GLPK wants them: numbered from 1 */
	double *value;
	size_t room;
};

bool ebb_xfer_lp_built(void)
{
	return true;
}

struct ebb_xfer_lp *ebb_xfer_lp_new(void)
{
	struct ebb_xfer_lp *lp = calloc(1, sizeof(*lp));

	if (!lp)
		return NULL;
	glp_term_out(GLP_OFF);
	lp->p = glp_create_prob();
	return lp;
}

void ebb_xfer_lp_free(struct ebb_xfer_lp *lp)
{
	if (!lp)
		return;
	glp_delete_prob(lp->p);
	free(lp->at);
	free(lp->value);
	free(lp);
}

static bool take(struct ebb_xfer_lp *lp, size_t n, const struct ebb_xfer_lp_entry *entries)
{
	if (n + 1 > lp->room) {
		int *at = reallocarray(lp->at, 2 * n + 64, sizeof(*at));
		lp->at = at ? at : lp->at;
		double *value = reallocarray(lp->value, 2 * n + 64, sizeof(*value));
		lp->value = value ? value : lp->value;
		if (!at || !value)
			return false;
		lp->room = 2 * n + 64;
	}
	for (size_t i = 0; i < n; i++) {
		lp->at[i + 1] = entries[i].at + 1;
		lp->value[i + 1] = entries[i].value;
	}
	return true;
}

int ebb_xfer_lp_row(struct ebb_xfer_lp *lp, bool equal, double bound, size_t n,
		    const struct ebb_xfer_lp_entry *entries)
{
	if (!take(lp, n, entries))
		return -1;
	int row = glp_add_rows(lp->p, 1);
	glp_set_row_bnds(lp->p, row, equal ? GLP_FX : GLP_UP, bound, bound);
	glp_set_mat_row(lp->p, row, (int)n, lp->at, lp->value);
	return row - 1;
}

int ebb_xfer_lp_col(struct ebb_xfer_lp *lp, double cost, size_t n, const struct ebb_xfer_lp_entry *entries)
{
	if (!take(lp, n, entries))
		return -1;
	int col = glp_add_cols(lp->p, 1);
	glp_set_col_bnds(lp->p, col, GLP_LO, 0, 0);
	glp_set_obj_coef(lp->p, col, cost);
	glp_set_mat_col(lp->p, col, (int)n, lp->at, lp->value);
	return col - 1;
}

void ebb_xfer_lp_cost(struct ebb_xfer_lp *lp, int col, double cost)
{
	glp_set_obj_coef(lp->p, col + 1, cost);
}

bool ebb_xfer_lp_solve(struct ebb_xfer_lp *lp)
{
	glp_smcp how;

	glp_init_smcp(&how);
	how.msg_lev = GLP_MSG_OFF;
	/* what the last time left may have become singular: then from the start */
	for (int again = 0; again < 2; again++) {
		if (glp_simplex(lp->p, &how) == 0 && glp_get_status(lp->p) == GLP_OPT)
			return true;
		glp_adv_basis(lp->p, 0);
	}
	return false;
}

double ebb_xfer_lp_objective(const struct ebb_xfer_lp *lp)
{
	return glp_get_obj_val(lp->p);
}

double ebb_xfer_lp_value(const struct ebb_xfer_lp *lp, int col)
{
	return glp_get_col_prim(lp->p, col + 1);
}

double ebb_xfer_lp_dual(const struct ebb_xfer_lp *lp, int row)
{
	return glp_get_row_dual(lp->p, row + 1);
}

#else

bool ebb_xfer_lp_built(void)
{
	return false;
}

struct ebb_xfer_lp *ebb_xfer_lp_new(void)
{
	return NULL;
}

void ebb_xfer_lp_free(struct ebb_xfer_lp *lp)
{
	(void)lp;
}

int ebb_xfer_lp_row(struct ebb_xfer_lp *lp, bool equal, double bound, size_t n,
		    const struct ebb_xfer_lp_entry *entries)
{
	(void)lp, (void)equal, (void)bound, (void)n, (void)entries;
	return -1;
}

int ebb_xfer_lp_col(struct ebb_xfer_lp *lp, double cost, size_t n, const struct ebb_xfer_lp_entry *entries)
{
	(void)lp, (void)cost, (void)n, (void)entries;
	return -1;
}

void ebb_xfer_lp_cost(struct ebb_xfer_lp *lp, int col, double cost)
{
	(void)lp, (void)col, (void)cost;
}

bool ebb_xfer_lp_solve(struct ebb_xfer_lp *lp)
{
	(void)lp;
	return false;
}

double ebb_xfer_lp_objective(const struct ebb_xfer_lp *lp)
{
	(void)lp;
	return 0;
}

double ebb_xfer_lp_value(const struct ebb_xfer_lp *lp, int col)
{
	(void)lp, (void)col;
	return 0;
}

double ebb_xfer_lp_dual(const struct ebb_xfer_lp *lp, int row)
{
	(void)lp, (void)row;
	return 0;
}

#endif
