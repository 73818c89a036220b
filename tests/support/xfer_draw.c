/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/xfer_draw.h"

enum { SITES = EBB_XFER_DRAW_SITES, LINKS = SITES * SITES, SLOTS = EBB_XFER_DRAW_SLOTS };

#define GB ((ebb_xfer_num)EBB_XFER_ONE)

static struct ebb_xfer_site sites[SITES];
static struct ebb_xfer_link links[LINKS];
static struct ebb_xfer_pool pools[EBB_XFER_DRAW_POOLS];
static struct ebb_xfer_tier tiers[EBB_XFER_DRAW_POOLS][3];
static struct ebb_xfer_group groups[EBB_XFER_DRAW_GROUPS];
static struct ebb_xfer_replica replicas[EBB_XFER_DRAW_GROUPS][SITES];
static struct ebb_xfer_dest dests[EBB_XFER_DRAW_GROUPS][SITES];
static bool allowed[EBB_XFER_DRAW_GROUPS][SITES];
static int64_t prices[LINKS][SLOTS];
static ebb_xfer_num rooms[LINKS][SLOTS];
static struct ebb_xfer_slot slots[SLOTS];
static struct ebb_xfer x = {.slots = slots, .sites = sites, .pools = pools, .links = links, .groups = groups};
static struct ebb_prng *rnd;

static int64_t below(int64_t n)
{
	return (int64_t)ebb_prng_below(rnd, (uint64_t)n);
}

/* Up to @most hundredths of a dollar; often nothing. */
static int64_t price(int64_t most)
{
	return below(4) ? below(most + 1) * EBB_XFER_ONE / 100 : 0;
}

static void draw_slots(int64_t most)
{
	static const char *const ids[] = {"s1", "s2", "s3"};

	x.n_slots = (size_t)(1 + below(most));
	x.timed = x.n_slots > 1 || below(2);
	for (size_t s = 0; s < x.n_slots; s++)
		slots[s] = (struct ebb_xfer_slot){ids[s], x.timed ? (1 + below(4)) * EBB_XFER_ONE : INT64_MAX};
}

static void draw_links(bool with_rooms)
{
	x.n_links = 0;
	for (uint32_t a = 0; a < x.n_sites; a++)
		for (uint32_t b = 0; b < x.n_sites; b++) {
			size_t l = x.n_links;
			bool steady = below(2), endless = !with_rooms || below(3) == 0;
			int64_t p = price(9), rate = below(16);

			if (a == b || !below(6))
				continue;
			for (size_t s = 0; s < x.n_slots; s++) {
				prices[l][s] = steady ? p : price(9);
				rooms[l][s] = endless || !x.timed ? EBB_XFER_MAX : rate * slots[s].hours;
				rate = steady ? rate : below(16);
			}
			links[x.n_links++] = (struct ebb_xfer_link){
				a, b, below(2) && x.n_pools ? (uint32_t)below((int64_t)x.n_pools) : EBB_XFER_NONE,
				prices[l], rooms[l], NULL,
			};
		}
}

static void draw_group(size_t i, bool pack)
{
	static const char *const ids[] = {"g1", "g2", "g3", "g4", "g5", "g6"};
	struct ebb_xfer_group *g = &groups[i];

	*g = (struct ebb_xfer_group){
		.id = ids[i], .gb = (1 + below(30)) * GB, .packed = -1, .objects = below(3) * GB * 100,
		.last_slot = (uint32_t)(x.n_slots - 1 - (size_t)(below(4) == 0 && x.n_slots > 1)),
	};
	for (uint32_t s = 0; s < x.n_sites; s++) {
		bool want = below(2);

		if (below(3) == 0)
			replicas[i][g->n_replicas++] = (struct ebb_xfer_replica){
				.site = s, .satisfies = below(2), .per_gb = below(2) ? price(3) : 0, .per_object = price(1) / 100,
				.restore = x.timed && below(6) == 0 ? (1 + below(4)) * EBB_XFER_ONE : 0,
			};
		if (want)
			dests[i][g->n_dests++] = (struct ebb_xfer_dest){s, 1 + below(2)};
		allowed[i][s] = below(9);
	}
	if (g->n_replicas == 0)
		replicas[i][g->n_replicas++] = (struct ebb_xfer_replica){.site = 0, .satisfies = true};
	if (g->n_dests == 0)
		dests[i][g->n_dests++] = (struct ebb_xfer_dest){1, 1};
	g->may_split = below(5) < 2;
	if (g->may_split)
		g->n_dests = 1;
	else if (pack && below(2))
		g->packed = g->gb * (1 + below(5)) / 4;
	g->replicas = replicas[i];
	g->dests = dests[i];
	g->allowed = below(3) ? NULL : allowed[i];
	g->fixed = below(2) * GB * GB;
}

const struct ebb_xfer *ebb_xfer_draw(const struct ebb_xfer_draw *how, struct ebb_prng *from)
{
	static const char *const ids[] = {"a", "b", "c", "d", "e", "f"};

	rnd = from;
	x.n_sites = (size_t)(2 + below(how->sites - 1));
	x.n_groups = (size_t)(1 + below(how->groups));
	x.n_pools = (size_t)below(how->pools + 1);
	for (size_t s = 0; s < x.n_sites; s++)
		sites[s] = (struct ebb_xfer_site){
			ids[s], "", "", below(3), price(2) / 100, price(2) / 100, below(2) ? price(1) : 0,
			below(3) ? price(2) : EBB_XFER_NEVER, below(3) ? price(2) : EBB_XFER_NEVER,
		};
	for (size_t p = 0; p < x.n_pools; p++) {
		tiers[p][0] = (struct ebb_xfer_tier){(1 + below(30)) * GB, price(9)};
		tiers[p][1] = (struct ebb_xfer_tier){(40 + below(50)) * GB, price(9)};
		tiers[p][2] = (struct ebb_xfer_tier){EBB_XFER_MAX, price(9)};
		pools[p] = (struct ebb_xfer_pool){"p", below(2) * below(20) * GB, tiers[p], 3, NULL};
	}
	draw_slots(how->slots);
	draw_links(how->rooms);
	for (size_t i = 0; i < x.n_groups; i++)
		draw_group(i, how->pack);
	return &x;
}

/* --- As a document, to look at and to plan with the program --- */

static void list(FILE *out, const char *name)
{
	fprintf(out, ",\n \"%s\": [", name);
}

static void number(FILE *out, const char *name, ebb_xfer_num v)
{
	char t[EBB_XFER_TEXT];

	fprintf(out, ", \"%s\": %s", name, ebb_xfer_gb_text(v, t));
}

static void print_links(FILE *out)
{
	char t[EBB_XFER_TEXT];

	list(out, "links");
	for (size_t l = 0; l < x.n_links; l++) {
		fprintf(out, "%s\n  {\"from\": \"%s\", \"to\": \"%s\"", l ? "," : "", sites[links[l].from].id, sites[links[l].to].id);
		if (links[l].pool != EBB_XFER_NONE)
			fprintf(out, ", \"pool\": \"p%u\"", links[l].pool);
		for (size_t s = 0; s < x.n_slots; s++)
			fprintf(out, "%s%s", s ? ", " : ", \"usd_per_gb\": [", ebb_xfer_gb_text(links[l].price[s], t));
		fputs("]", out);
		if (links[l].capacity[0] == EBB_XFER_MAX) {
			fputs("}", out);
			continue;
		}
		for (size_t s = 0; s < x.n_slots; s++)
			fprintf(out, "%s%s", s ? ", " : ", \"gb_per_hour\": [",
				ebb_xfer_gb_text(links[l].capacity[s] / slots[s].hours * EBB_XFER_ONE, t));
		fputs("]}", out);
	}
	fputs("]", out);
}

static void print_group(FILE *out, const struct ebb_xfer_group *g)
{
	fprintf(out, "  {\"id\": \"%s\", \"last_slot\": %u, \"may_split\": %s", g->id, g->last_slot, g->may_split ? "true" : "false");
	number(out, "gb", g->gb);
	number(out, "objects", g->objects);
	if (g->packed >= 0)
		number(out, "compress_ratio", g->packed * 4 / g->gb * EBB_XFER_ONE / 4);
	if (g->fixed) {
		fprintf(out, ", \"delete_after\": {\"site\": \"a\"");
		number(out, "early_delete_usd", g->fixed / EBB_XFER_ONE);
		fputs("}", out);
	}
	for (size_t s = 0, n = 0; g->allowed && s <= x.n_sites; s++)
		if (s < x.n_sites && g->allowed[s])
			fprintf(out, "%s\"J%s\"", n++ ? ", " : ", \"allowed_jurisdictions\": [", sites[s].id);
		else if (s == x.n_sites)
			fprintf(out, "%s", n ? "]" : ", \"allowed_jurisdictions\": []");
	for (size_t i = 0; i < g->n_replicas; i++) {
		fprintf(out, "%s{\"site\": \"%s\", \"satisfies\": %s", i ? ", " : ",\n   \"replicas\": [", sites[g->replicas[i].site].id,
			g->replicas[i].satisfies ? "true" : "false");
		number(out, "retrieval_usd_per_gb", g->replicas[i].per_gb);
		number(out, "retrieval_usd_per_object", g->replicas[i].per_object);
		number(out, "restore_hours", g->replicas[i].restore);
		fputs("}", out);
	}
	for (size_t i = 0; i < g->n_dests; i++)
		fprintf(out, "%s{\"site\": \"%s\", \"copies\": %d}", i ? ", " : "],\n   \"destinations\": [", sites[g->dests[i].site].id,
			(int)g->dests[i].copies);
	fputs("]}", out);
}

void ebb_xfer_draw_print(FILE *out)
{
	fprintf(out, "{\"format\": \"xfer-plan\", \"version\": 1, \"id\": \"drawn\", \"title\": \"drawn\", \"currency\": \"USD\", \"size_unit\": \"GB\"");
	for (size_t s = 0; x.timed && s < x.n_slots; s++) {
		fprintf(out, "%s{\"id\": \"%s\"", s ? ", " : ",\n \"slots\": [", slots[s].id);
		number(out, "hours", slots[s].hours);
		fputs("}", out);
	}
	fputs(x.timed ? "]" : "", out);
	list(out, "sites");
	for (size_t s = 0; s < x.n_sites; s++) {
		fprintf(out, "%s\n  {\"id\": \"%s\", \"jurisdiction\": \"J%s\", \"relay\": %s", s ? "," : "", sites[s].id, sites[s].id,
			sites[s].relay ? "true" : "false");
		number(out, "get_usd", sites[s].get);
		number(out, "put_usd", sites[s].put);
		number(out, "relay_usd_per_gb", sites[s].relay_fee);
		if (sites[s].compress >= 0)
			number(out, "compress_usd_per_gb", sites[s].compress);
		if (sites[s].decompress >= 0)
			number(out, "decompress_usd_per_gb", sites[s].decompress);
		fputs("}", out);
	}
	fputs("]", out);
	list(out, "pools");
	for (size_t p = 0; p < x.n_pools; p++) {
		fprintf(out, "%s\n  {\"id\": \"p%zu\"", p ? "," : "", p);
		number(out, "already_gb", pools[p].already);
		for (size_t t = 0; t < 3; t++) {
			fprintf(out, "%s{\"note\": \"\"", t ? ", " : ", \"tiers\": [");
			if (t < 2)
				number(out, "upto_gb", tiers[p][t].upto);
			else
				fputs(", \"upto_gb\": null", out);
			number(out, "usd_per_gb", tiers[p][t].price);
			fputs("}", out);
		}
		fputs("]}", out);
	}
	fputs("]", out);
	print_links(out);
	list(out, "groups");
	for (size_t g = 0; g < x.n_groups; g++) {
		fputs(g ? ",\n" : "\n", out);
		print_group(out, &groups[g]);
	}
	fputs("]}\n", out);
}
