# SPDX-License-Identifier: GPL-3.0-or-later
#
# One Makefile for the whole house; `make help` lists what it can do. Sources are found by wildcard, so a
# new file needs no line here. Everything that is made lies in build/CONFIG, so that configurations never
# mix. Set on the command line:
#
#   CONFIG=release|sanitize|tsan|coverage|clang|fuzz
#   WERROR=1        warnings are errors
#   T='t_buf cli'   only these tests: names or groups (with `make test`)
#   DIRS='core'     only these folders in the library (while others are being written)
#   BUILD=dir       instead of build
#   GLPK=0          without the LP solver
#   V=1             show whole commands
#   CFLAGS=...      instead of -O2 -g; LDFLAGS=... is added to links

CONFIG ?= release
BUILD ?= build
B := $(BUILD)/$(CONFIG)
DIRS ?= core compress policies scanners agent
CFLAGS ?= -O2 -g
FUZZ_SECONDS ?= 10
PREFIX ?= /usr/local

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# --- Compiler and flags ---------------------------------------------------------------------------------

MODE_release :=
MODE_clang :=
MODE_sanitize := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
MODE_tsan := -O1 -fno-omit-frame-pointer -fsanitize=thread
MODE_coverage := -O0 --coverage -fprofile-update=atomic
MODE_fuzz := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
ifeq ($(origin MODE_$(CONFIG)),undefined)
$(error CONFIG=$(CONFIG) is unknown; take release, sanitize, tsan, coverage, clang or fuzz)
endif

ifeq ($(origin CC),default)
CC := $(if $(filter clang fuzz,$(CONFIG)),clang,gcc)
endif

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wvla -Wformat=2 -Wundef -fno-common $(if $(filter 1,$(WERROR)),-Werror)

# Libraries: the third column of contrib/packages, a pkg-config module, or -lNAME for one that has none. Asked for only by
# goals that compile. GLPK=0 builds without the LP solver of the transfer planner, which then plans with less proof.
ifneq ($(filter-out clean help uninstall,$(or $(MAKECMDGOALS),all)),)
ifeq ($(shell command -v pkg-config),)
$(error pkg-config is missing: apt-get install pkg-config)
endif
LIBRARIES := $(filter-out $(if $(filter 0,$(GLPK)),-lglpk),$(shell awk '$$1 == "build" { print $$3 }' contrib/packages))
MODULES := $(filter-out -l%,$(LIBRARIES))
package = $(shell awk '$$3 == "$(1)" { print $$2 }' contrib/packages)
missing := $(foreach m,$(MODULES),$(shell pkg-config --exists $(m) || echo $(m)))
ifneq ($(strip $(missing)),)
$(error libraries are missing: $(missing); on Debian: apt-get install $(foreach m,$(missing),$(call package,$(m))))
endif
LIB_CFLAGS := $(shell pkg-config --cflags $(MODULES)) $(if $(filter 0,$(GLPK)),-DEBB_WITHOUT_GLPK)
LIB_LDLIBS := $(shell pkg-config --libs $(MODULES)) $(filter -l%,$(LIBRARIES))
# libs3 has no pkg-config module and is optional: without its header the driver is left out.
HAVE_LIBS3 := $(shell printf '\043include <libs3.h>\n' | $(CC) -E -x c - >/dev/null 2>&1 && echo 1)
LIB_CFLAGS += $(if $(HAVE_LIBS3),-DEBB_HAVE_LIBS3)
LIB_LDLIBS += $(if $(HAVE_LIBS3),-ls3)
endif
# Check is needed by tests only, so it is looked up when the first test is built.
CHECK_CFLAGS = $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LDLIBS = $(shell pkg-config --libs check 2>/dev/null)

COMPILE = $(CC) -std=c17 -D_GNU_SOURCE -I. $(WARNINGS) -pthread $(CFLAGS) $(MODE_$(CONFIG)) $(LIB_CFLAGS)
LINK = $(CC) -pthread $(CFLAGS) $(MODE_$(CONFIG)) -Wl,--as-needed $(LDFLAGS)

# --- What there is --------------------------------------------------------------------------------------

SRCS := $(filter-out agent/main.c $(if $(HAVE_LIBS3),,scanners/store_libs3.c),$(wildcard $(addsuffix /*.c,$(DIRS))))
OBJS := $(SRCS:%.c=$(B)/%.o)
LIB := $(B)/libebb.a
MAIN := $(if $(filter agent,$(DIRS)),$(wildcard agent/main.c))
BIN := $(MAIN:agent/main.c=$(B)/ebb)
SUPPORT := $(B)/libsupport.a
SUPPORT_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))

programs = $(patsubst %.c,$(B)/%,$(wildcard $(1)))
FUZZERS := $(call programs,tests/fuzz/f_*.c)
TESTS := $(call programs,tests/unit/t_*.c tests/property/p_*.c tests/server/t_*.c) $(FUZZERS)
BENCHES := $(call programs,tests/bench/b_*.c)
MAKERS := $(call programs,tests/bench/pack_*.c)	# of input for tests
# With T only what it names is built: whole groups (unit), or single tests; scripts need the program.
named := $(foreach t,$(T),$(filter $(B)/tests/$(t)/% %/$(notdir $(basename $(t))),$(TESTS)))
scripts := $(filter-out unit property fuzz t_% p_% f_%,$(notdir $(T)))
WANTED := $(if $(T),$(named) $(if $(scripts),$(BIN) $(MAKERS)),$(TESTS) $(BIN) $(MAKERS))

# --- Building -------------------------------------------------------------------------------------------

.PHONY: all
all: $(LIB) $(BIN) $(if $(filter release,$(CONFIG)),$(BIN:%/release/ebb=%/ebb))	## build the program (default)

say = $(if $(V),,@echo '  $(1) $(2)';)
# Stamps change only when their content does: other flags rebuild the objects, a removed file the library.
.PHONY: FORCE
stamp = @mkdir -p $(@D); printf '%s\n' '$(1)' | cmp -s - $@ || printf '%s\n' '$(1)' > $@
$(B)/flags: FORCE
	$(call stamp,$(COMPILE) / $(LINK) $(LIB_LDLIBS))
$(B)/list: FORCE
	$(call stamp,$(OBJS) $(SUPPORT_OBJS))

$(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(COMPILE) $(TEST_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/tests/%.o: TEST_CFLAGS = $(CHECK_CFLAGS)

$(LIB): $(OBJS) $(B)/list
	$(call say,AR,$@)rm -f $@; ar rcs $@ $(OBJS)
$(SUPPORT): $(SUPPORT_OBJS) $(B)/list
	$(call say,AR,$@)rm -f $@; ar rcs $@ $(SUPPORT_OBJS)

$(B)/ebb: $(B)/agent/main.o $(LIB)
	$(call say,LD,$@)$(LINK) -o $@ $^ $(LIB_LDLIBS)
$(BUILD)/ebb: $(BUILD)/release/ebb
	@ln -sfn release/ebb $@

# --- Tests ----------------------------------------------------------------------------------------------

LINK_TEST = $(LINK) -o $@ $(filter %.o %.a,$^) $(CHECK_LDLIBS) $(LIB_LDLIBS)

# A fuzz target is linked with fuzz_replay.c, a plain main(), unless this is the build for libFuzzer.
REPLAY := $(B)/tests/fuzz/fuzz_replay.o
$(B)/tests/fuzz/f_%: $(B)/tests/fuzz/f_%.o $(if $(filter fuzz,$(CONFIG)),,$(REPLAY)) $(SUPPORT) $(LIB)
	$(call say,LD,$@)$(LINK_TEST) $(if $(filter fuzz,$(CONFIG)),-fsanitize=fuzzer)
$(B)/tests/%: $(B)/tests/%.o $(SUPPORT) $(LIB)
	$(call say,LD,$@)$(LINK_TEST)

$(patsubst %,%.o,$(TESTS) $(BENCHES)) $(SUPPORT_OBJS) $(REPLAY): | need-check
.PHONY: need-check
need-check:
	@pkg-config --exists check || { echo 'check is missing: apt-get install check libsubunit-dev' >&2; exit 1; }

.PHONY: tests test bench
tests: all $(TESTS) $(BENCHES) $(MAKERS)	## build all tests and benchmarks, run none
test: $(WANTED)		## build and run the tests; T='t_buf' only these
	@tests/run --build $(B) $(T)

bench: $(BIN) $(BENCHES)	## build and run the benchmarks, one after the other, but bench-s3
	@set -e; for b in $(BENCHES) $(filter-out tests/bench/s3%,$(wildcard tests/bench/*.sh)); do \
		echo "== $$b"; EBB=$(CURDIR)/$(B)/ebb EBB_SRC=$(CURDIR) $$b; done

.PHONY: bench-s3
bench-s3: $(BIN) $(B)/tests/bench/delay_proxy	## list and fill buckets of a real object store beside other clients
	@set -e; for b in tests/bench/s3*.sh; do \
		EBB=$(CURDIR)/$(BIN) EBB_SRC=$(CURDIR) PROXY=$(CURDIR)/$(B)/tests/bench/delay_proxy $$b; done

.PHONY: sanitize tsan valgrind clang fuzz run-fuzz coverage lint
sanitize:		## build and run the tests with ASan and UBSan
	@$(MAKE) CONFIG=sanitize test
tsan:			## build and run the tests with TSan
	@$(MAKE) CONFIG=tsan test
# The tests see a program of the same name that runs the real one under memcheck.
VALGRIND := valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --child-silent-after-fork=yes
valgrind: $(BIN)	## run the cli tests under valgrind; T='cli/apply' only these
	@mkdir -p $(BUILD)/valgrind
	@$(CC) $(CFLAGS) -D_GNU_SOURCE -DEBB_OPENAT2_SHIM -shared -fPIC -o $(BUILD)/valgrind/shim.so tests/support/openat2_shim.c
	@printf '#!/bin/sh\nLD_PRELOAD=$(abspath $(BUILD))/valgrind/shim.so exec $(VALGRIND) $(abspath $(BIN)) "$$@"\n' \
		>$(BUILD)/valgrind/ebb; chmod +x $(BUILD)/valgrind/ebb
	@TEST_TIMEOUT=1200 tests/run --build $(BUILD)/valgrind $(or $(T),cli)
clang:			## build everything with clang, warnings are errors
	@$(MAKE) CONFIG=clang WERROR=1 tests
fuzz:			## run each fuzz target for FUZZ_SECONDS (10); T=f_x only that one
	@$(MAKE) CONFIG=fuzz run-fuzz
run-fuzz: $(filter $(FUZZERS),$(or $(named),$(FUZZERS)))
	@set -e; for f in $^; do name=$${f##*/f_}; echo "== $$f"; \
		mkdir -p $(B)/corpus/$$name; seeds=tests/fuzz/corpus/$$name; test -d $$seeds || seeds=; \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=25 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix=$(B)/crash-$$name- $(B)/corpus/$$name $$seeds; done
coverage:		## run the tests and measure coverage: build/coverage/index.html
	@$(MAKE) CONFIG=coverage test
	@command -v gcovr >/dev/null || { echo 'gcovr is missing: apt-get install gcovr' >&2; exit 1; }
	gcovr --root . $(DIRS:%=--filter '%/') --html-details $(BUILD)/coverage/index.html \
		--print-summary $(BUILD)/coverage
lint: $(OBJS)		## check layers, headers, purity, lengths, names, licences and scripts
	@contrib/lint/run $(B)

# --- Installing -----------------------------------------------------------------------------------------

.PHONY: man install uninstall deb try-deb clean help
man: $(BUILD)/ebb	## write build/man/*.1 and build/completions/*, from the program's own tables
	@rm -rf $(BUILD)/man $(BUILD)/completions; mkdir -p $(BUILD)/man $(BUILD)/completions
	@set -e; $< help --man > $(BUILD)/man/ebb.1; \
		commands=$$($< help --commands); \
		for c in $$commands; do $< help --man $$c > $(BUILD)/man/ebb-$$c.1; done; \
		for s in bash zsh fish; do $< help --completion $$s > $(BUILD)/completions/$$s; done

# Pairs of a file here and where it goes below PREFIX; install and uninstall read the same list.
to = $(foreach f,$(wildcard $(1)),$(f):$(2)/$(or $(3),$(notdir $(f))))
INSTALLED = $(call to,contrib/prices/*,share/ebb/prices) $(call to,contrib/*.schema.json,share/ebb) \
	$(call to,LICENSE README.md CHANGELOG.md,share/doc/ebb) $(call to,contrib/examples/*,share/doc/ebb/examples) \
	$(call to,contrib/prometheus/*,share/ebb/prometheus) $(call to,contrib/grafana/*,share/ebb/grafana) \
	$(call to,contrib/cron/*,share/doc/ebb/examples/cron) $(call to,contrib/kubernetes/*,share/doc/ebb/examples/kubernetes) \
	$(call to,contrib/ci/*,share/doc/ebb/examples/ci) $(UNITS)
UNITS = $(call to,contrib/systemd/*,lib/systemd/system)
COMPLETIONS = bash:bash-completion/completions/ebb zsh:zsh/site-functions/_ebb fish:fish/vendor_completions.d/ebb.fish
TO := $(DESTDIR)$(PREFIX)

install: $(BUILD)/ebb man	## install below DESTDIR and PREFIX (/usr/local)
	install -D -m 755 $(BUILD)/release/ebb $(TO)/bin/ebb
	@set -e; for p in $(INSTALLED); do install -D -m 644 $${p%%:*} $(TO)/$${p#*:}; done
	@chmod 755 $(TO)/share/doc/ebb/examples/ci/plan-comment
	@set -e; for p in $(UNITS); do sed -i 's|/usr/bin/ebb|$(PREFIX)/bin/ebb|' $(TO)/$${p#*:}; done
	@set -e; for p in $(COMPLETIONS); do \
		install -D -m 644 $(BUILD)/completions/$${p%%:*} $(TO)/share/$${p#*:}; done
	@install -d $(TO)/share/man/man1; install -m 644 $(BUILD)/man/*.1 $(TO)/share/man/man1
deb: $(BUILD)/ebb	## build a Debian package into build/
	@contrib/packaging/deb $(BUILD)
try-deb: deb		## install that package in a clean Debian and use it there (root, debootstrap, a mirror)
	@contrib/packaging/try-deb $(BUILD)/ebb_*.deb
uninstall:		## remove what install put there
	rm -f $(TO)/bin/ebb $(TO)/share/man/man1/ebb.1 $(TO)/share/man/man1/ebb-*.1
	@for p in $(INSTALLED); do rm -f $(TO)/$${p#*:}; done
	@for p in $(COMPLETIONS); do rm -f $(TO)/share/$${p#*:}; done
	@for d in share/ebb/prices share/ebb/prometheus share/ebb/grafana share/ebb share/doc/ebb/examples/cron \
		share/doc/ebb/examples/kubernetes share/doc/ebb/examples/ci share/doc/ebb/examples share/doc/ebb; do \
		! test -d $(TO)/$$d || rmdir --ignore-fail-on-non-empty $(TO)/$$d; done

clean:			## remove everything that was made
	rm -rf $(BUILD)
help:			## this list
	@awk -F'\t+## ' '/^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "  %-10s %s\n", $$1, $$2 }' Makefile

-include $(shell find $(B) -name '*.d' 2>/dev/null)
