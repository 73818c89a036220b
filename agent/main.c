/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program, and the map of this folder. main() makes three calls that matter:
 *
 * ebb_cli_parse() reads the command line with the tables
 *   cli.c            parsing: options, environment, units, choices
 *   cli_table.c      all commands, one line each
 *   cli_help.c       help for people          cli_man.c     man pages          cli_complete.c   bash, zsh, fish
 *
 * ebb_app_init() prepares what every command works with
 *   app.c            options, clock, log, signals; opens configuration, index and run lock
 *   config.c         ebb.yaml: stores, prices, limits; hands the rules to policies/
 *   config_links.c   how fast links are
 *   yaml.c           YAML into a document, strictly         config_s3.c      buckets in it      region.c    countries of regions
 *   books.c          price books on disk
 *   hours.c          "Mon-Fri 20:00-06:00"                 rates.c      "08:00-18:00 50MB/s"          config_night.c   run and schedule in ebb.yaml
 *   lock.c           one run at a time per index
 *   target.c         what STORE, STORE:KEY and PATH mean
 *   out.c            tables and numbers for people          out_json.c    JSON lines          owner.c    names of users
 *   progress.c       rate and time to go, on a terminal
 *
 * and the command's run(), in a file of its own, does it
 *   cmd_init.c       a configuration to begin with
 *   cmd_check.c      what ebb understood                    cmd_explain.c    which rule meets an object, and why
 *   check_money.c    budgets, shared costs, alerts
 *   cmd_scan.c       bring the index up to date             scan.c           one store: walk, doubt, publish
 *   scan_inventory.c a bucket from a report, without asking it             listing.c    what listing costs
 *   keeping.c        what a bucket does with old versions
 *   cmd_ingest.c     what access logs tell of reads         ingest.c         which line is of which store
 *   cmd_find.c       objects that meet a condition          find_order.c     all of them in order
 *   cmd_du.c         sums by folder or group                tally.c          counted by age, size, kind, extension, owner
 *   cmd_report.c     what is there                          tally_dir.c      counted by folder
 *   report.c         collected                              report_text.c    for people     report_json.c    for programs
 *   report_html.c    as a page                              report_focus.c   FOCUS 1.4         report_csv.c
 *   report_rows.c    row by row                             report_md.c      Markdown          report_prom.c    Prometheus
 *   report_money.c   who pays, what runs saved              page_money.c     the same as a page       page_dims.c     and bars
 *   report_openmetrics.c  the newer text of Prometheus
 *   approval.c       a plan for who approves it             page_approval.c  as a page
 *   chart.c          pictures        html.c           pages                                  advice.c         what to do first
 *   showback.c       who pays for what                      history.c        what was there each day
 *   ahead.c          what rules will do
 *   savings.c        what plans promised and runs brought   realised.c       measured after later scans    moved.c    by budget
 *   cmd_serve.c      as a live page                         serve.c          a small web server    browse.c     folders
 *   cmd_reconcile.c  predicted and billed                   csvfile.c        CSV of any size          webhook.c       alerts by POST
 *   cmd_alerts.c     budgets and surprises                  alerts.c         found           config_alerts.c  as ebb.yaml has them
 *   cmd_help.c       help, man pages, completions           cmd_version.c    the version
 *   cmd_dupes.c      what is stored more than once          groups.c         grouped, ranked by what it costs
 *   hash.c           which digests are missing              hash_read.c      read by many threads     hash_tell.c   and told
 *   etags.c          files and objects that are the same    fetch.c          read within a budget     learned.c  kept aside
 *   reach.c          stores of the index, open              placed.c         their records    survivors.c      which copy stays
 *   same.c           equal to the last byte                 chunks.c         what storing chunks once would save
 *
 *   cmd_checkpoints.c  runs, what stays and why             context.c        what decisions know beside the object
 *   cmd_findings.c   what could go, and no rule says so            findings.c       found
 *   factbook.c       what files say of others, kept          ref.c            who reads them
 *   ref_index.c      ref_trainer.c    ref_metrics.c    ref_latest.c          of checkpoints
 *   ref_hf.c         ref_link.c       ref_dvc.c        ref_annex.c           of caches
 *   ref_oci.c        ref_delta.c      ref_iceberg.c    of images and tables  guards.c         who refers to what
 *   inuse.c          what is open right now
 *   config_guards.c  what else counts as in use
 *
 *   cmd_plan.c       decide and price, into a file          cmd_show.c       read a plan
 *   cmd_diff.c       compare two plans                      plantext.c       a plan for people
 *   cmd_simulate.c   what policies would have cost          trace.c          reads and objects from CSV files
 *   simulate_lifecycle.c  a bucket's own rules, priced      lifecycle_json.c read and written
 *   cmd_export.c     rules and plans for the provider       export_hcl.c     as Terraform
 *   planfile.c       plan files as a whole                  planhead.c       their header     planrow.c    their rows
 *   linefile.c       files of lines, plain or .zst          jsonline.c       one line, read with suspicion
 *   planstore.c      stores as plans name them               habit_scan.c     how datasets are read, for class: auto
 *
 *   cmd_apply.c      do exactly a plan                      apply.c          window by window, under limits
 *   session.c        before and after every run             run.c            runs on disk
 *   lower.c          actions become steps                   act_delete.c     act_tier.c     act_compress.c     act_dedup.c
 *   act_archive.c    many objects into one pack             packer.c         doing so        packer_write.c  unpack.c
 *   undo_packs.c     packs on the way back                  packed.c         where in a pack an object is
 *   act_strike.c     objects deleted in packs               strike.c         their tombstones     packname.c  names of both
 *   act_repack.c     packs without them                     repack.c         made and compared
 *   packs.c          packs as they stand, what is in them   cmd_packs.c      listed               plan_packs.c  in plans
 *   plan_sample.c    what compressing would leave, by samples
 *   act_copy.c       and of transfers                       after.c          what a copy made, for the next hop
 *   op.c             one action of a run                    steps.c          the few things it is made of
 *   stream.c         copying through a codec                take.c           or by the stores themselves
 *   replace.c        encoded under the same key             encoded.c        what the journals say is so
 *   executor.c       many operations at once
 *   storeset.c       stores of a run                        dirs.c           folders it touches
 *   breaker.c        what stops it by itself                journal.c        what was going to be done, and was
 *   jrecord.c        records of the journal                 replay.c         reading all of it
 *   marks.c          how far a copy had come
 *   recover.c        after a kill                           cmd_status.c     last runs, what is under way
 *   cmd_run.c        one night, for cron                    night.c          step by step    nightlog.c   what came of each
 *   cmd_approve.c    plans that wait for a yes              pending.c        on disk         schedule.c   when is what due
 *   cmd_agent.c      the daemon                             daemon.c         waits, starts jobs    beat.c    how it is
 *   notify.c         and tells systemd
 *   relief.c         a filesystem that is too full          subset.c         a part of a plan
 *   cmd_undo.c       take back a run                        undo.c           last window first
 *   undo_dirs.c      folders on the way back                cmd_restore.c    take back one object
 *   cmd_get.c        read one object, decoded
 *   cmd_audit.c      what was decided and done, and by whom                audit.c    as a chain of lines
 *   cmd_thaw.c       archived objects made readable         thaw.c           looked at, priced, asked for
 *   thawing.c        for other commands, too                thaw_order.c     what was asked for, on disk
 *   cmd_verify.c     read again, and compared               verify.c         one object     verify_log.c    how far, and when
 *   cmd_runs.c       journals: how many, of what use        undo_cost.c      what taking back costs
 *   cmd_trash.c      what waits in the trash                trash.c          added up
 *   cmd_transfer.c   cheapest way across regions            transfer_out.c   for people and programs
 *   cmd_price.c      books of prices, and quotes            price_out.c      books     quote_out.c   quotes
 *   jsonput.c        JSON piece by piece
 *   transfer_make.c  planned from the index                 transfer_index.c what stands where, what is missing
 *   transfer_rows.c  as actions of a plan file              sent.c           planned and sent over each link
 *   transfer_ratio.c what compressing would save            transfer_slots.c time cut where links open and close
 *   transfer_keys.c  stores side by side, key by key
 *   transfer_bill.c  who is paid for what, and why          transfer_report.c  for who approves it: md, html
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/app.h"
#include "agent/cli.h"
#include "agent/out.h"

/* What went wrong, and for a wrong command line where help is. An empty message was told before. */
static void tell(const struct ebb_err *err, const struct ebb_cli_command *cmd)
{
	if (!*err->msg)
		return;
	fprintf(stderr, "ebb: %s\n", err->msg);
	if (err->code == EBB_EUSAGE && cmd)
		fprintf(stderr, "ebb: 'ebb help %s' shows how\n", cmd->name);
}

/* --help and --version, with or without a command. Returns whether there is nothing else to do. */
static bool answered(const struct ebb_cli_command *cmd, const struct ebb_cli_args *args)
{
	if (ebb_cli_flag(args, "help"))
		ebb_cli_help(ebb_out_standard(), cmd);
	else if (ebb_cli_flag(args, "version"))
		fputs("ebb " EBB_CLI_VERSION "\n", ebb_out_standard());
	else
		return false;
	return true;
}

static int run(int argc, char **argv, const struct ebb_cli_command **ret_cmd, struct ebb_err *err)
{
	EBB_CLEANUP(ebb_cli_args_freep) struct ebb_cli_args *args = NULL;
	EBB_CLEANUP(ebb_app_release) struct ebb_app app = {0};
	int r = ebb_cli_parse(argc, argv, ret_cmd, &args, err);

	if (r)
		return r;
	if (answered(*ret_cmd, args))
		return ebb_out_flush(ebb_out_standard(), err);
	r = ebb_app_init(&app, args, err);
	if (!r)
		r = (*ret_cmd)->run(&app, args, err);
	/* What was printed must have arrived, or a full disk would look like success. */
	struct ebb_err flush = {0};
	int f = ebb_out_flush(ebb_out_standard(), &flush);
	if (r || !f)
		return r;
	*err = flush;
	return f;
}

int main(int argc, char **argv)
{
	const struct ebb_cli_command *cmd = NULL;
	struct ebb_err err = {0};
	int r = run(argc, argv, &cmd, &err);

	/* A reader that had enough, as in `ebb find | head`, is no failure. */
	if (r && err.sys == EPIPE)
		return EBB_EXIT_OK;
	if (r)
		tell(&err, cmd);
	return ebb_err_exit_of(r);
}
