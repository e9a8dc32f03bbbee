# Mailkeep's build. Sources are found by where they lie; a new room needs no line here.
#
#   make deps               install packages, build what the release lacks (build/deps)
#   make                    programs in build/release
#   make test               unit and system tests, release and then asan
#   make unit ROOM=mail     the unit tests of one room      (VARIANT=release|asan|tsan)
#   make system ONLY=T020   system tests by name            (VARIANT=release|asan|tsan)
#   make fault              stopped writes, kill -9 of the store and of the daemon under load:
#                           10 rounds in a minute or two, with FULL=1 100 rounds
#   make lint               rooms, format, clang-tidy, cppcheck, tree, web
#
#   src/<room>/*.c          libmailkeep.a, but for these three rooms:
#   src/daemon/*.c          mailkeepd (tests/unit/daemon looks inside)
#   src/shell/*.c           mailkeep
#   src/extract/*.c         mailkeep-extract (stands alone; tests/unit/extract looks inside)
#   web/                    the web application; goes into libmailkeep.a (tools/web-build.sh)
#   tests/browser/          what drives the browser in system tests
#   tests/unit/<room>/      test_*.c: one TAP program each; other *.c: linked to all of them
#   tests/support/*.c       linked to every test, fault and bench program that uses it
#   tests/fuzz/<room>_*.c   one libFuzzer program each; seeds in tests/fuzz/seeds/<name>/
#   tests/fault/*.c         TAP programs that stop a write path after each of its steps
#   tests/bench/*.c, *.py   measurements; ingest.py compares with Postfix and Dovecot, search.py with
#                           SQLite, sphinxsearch, notmuch, Dovecot; bench-web: in the browser;
#                           bench-million: a million mails
#   tests/tools/*.c         helper programs of system tests and measurements
#   tests/system/T*.sh      TAP scripts against the real programs

VARIANT      ?= release
ROOM         ?=
ONLY         ?=
FUZZ_SECONDS ?= 10
FULL         ?=
KILL_ROUNDS  ?= $(if $(FULL),100,10)
JOBS         ?= 2
PREFIX       ?= /usr/local
SYSCONFDIR   ?= /etc
UNITDIR      ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR  ?= $(PREFIX)/lib/sysusers.d

# The libraries that the release lacks. The tsan variant has instrumented ones beside them.
DEPS_DIR      ?= $(CURDIR)/build/deps
DEPS_TSAN_DIR ?= $(DEPS_DIR)-tsan

B := build/$(VARIANT)

ifeq ($(filter release asan tsan fuzz,$(VARIANT)),)
$(error VARIANT is release, asan, tsan or fuzz, not "$(VARIANT)")
endif

# --- compiler and flags ------------------------------------------------------------------

CC = gcc

WARNINGS = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wswitch-enum -Wvla \
           -Werror
HARDEN   = -fstack-protector-strong -fPIE

FLAGS_release = -O2 -g -D_FORTIFY_SOURCE=2
FLAGS_asan    = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
                -fno-sanitize-recover=undefined
FLAGS_tsan    = -O1 -g -fno-omit-frame-pointer -fsanitize=thread
FLAGS_fuzz    = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
                -fno-sanitize-recover=undefined -DMK_FUZZING
# Instrumented code confuses gcc's flow warnings; the release variant has them.
ifneq ($(filter asan tsan,$(VARIANT)),)
WARNINGS += -Wno-array-bounds -Wno-format-truncation -Wno-maybe-uninitialized \
            -Wno-stringop-overflow -Wno-stringop-overread
endif
ifeq ($(VARIANT),fuzz)
CC = clang
WARNINGS += -Wno-missing-field-initializers # gcc takes { NULL } for what it is: all zero
endif
FLAGS = $(FLAGS_$(VARIANT))

# --- libraries ---------------------------------------------------------------------------

pkg_found = $(shell pkg-config --exists '$(1)' 2>/dev/null && echo yes)

PACKAGES = libuv libsodium libzstd yaml-0.1 libutf8proc libpcre2-8 gio-2.0 gobject-2.0 glib-2.0 \
           libidn2 zlib
OPTIONAL_PACKAGES = ldap libpq
PACKAGES += $(foreach p,$(OPTIONAL_PACKAGES),$(if $(call pkg_found,$(p)),$(p)))
SHELL_PACKAGES = libedit
EXTRACT_PACKAGES = libarchive expat libseccomp

# Those that come from the release when it has them new enough, and else from $(DEPS).
ifeq ($(VARIANT),tsan)
DEPS = $(DEPS_TSAN_DIR)
else
DEPS = $(DEPS_DIR)
from_release = $(call pkg_found,$(1))
endif
ifeq ($(call from_release,mbedtls >= 3.6),)
STATIC += -lmbedtls -lmbedx509 -lmbedcrypto
else
PACKAGES += mbedtls mbedx509 mbedcrypto
endif
ifeq ($(call from_release,libllhttp >= 9.2),)
STATIC += -lllhttp
else
PACKAGES += libllhttp
endif
ifeq ($(call from_release,lmdb >= 0.9.31),)
STATIC += -llmdb
else
PACKAGES += lmdb
endif
ifeq ($(call pkg_found,gmime-3.0 >= 3.2.15),)
STATIC += -lgmime-3.0
else
PACKAGES += gmime-3.0
endif
STATIC += -lyyjson

# Foreign headers are system headers: their warnings are not ours. Before deps has run it is no news
# that something is missing.
hush       := $(if $(wildcard $(DEPS_DIR)/stamp/yyjson),,2>/dev/null)
as_system   = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(1) $(hush)))
PKG_CFLAGS := $(call as_system,$(PACKAGES))
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) $(hush))

# Debian 12's GLib is what we write for: newer ones do not warn of what they would do otherwise.
CPPFLAGS = -Iinclude -isystem $(DEPS)/include $(PKG_CFLAGS) -D_GNU_SOURCE \
           -DGLIB_VERSION_MIN_REQUIRED=GLIB_VERSION_2_74 \
           -DGLIB_VERSION_MAX_ALLOWED=GLIB_VERSION_2_74
CFLAGS   = -std=gnu17 $(FLAGS) $(HARDEN) $(WARNINGS)
# --exclude-libs: a 2.28 mbedTLS that some other library brings along never mixes with ours.
LDFLAGS  = -pie -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--exclude-libs,ALL
LIBS     = -L$(DEPS)/lib $(STATIC) $(PKG_LIBS) -lroaring -lm -pthread

COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) -pthread -MMD -MP -c -o $@ $<
LINK    = $(CC) $(CFLAGS) $(LDFLAGS) -o $@

# The web application, which is the same in all variants. A placeholder is tried to be better.
WEB_DIR   = build/web
WEB_FILES = $(shell find web -type f)
WEB_AGAIN = $(if $(wildcard $(WEB_DIR)/placeholder),FORCE)

# --- what there is -----------------------------------------------------------------------

objects = $(patsubst %.c,$(B)/%.o,$(sort $(wildcard $(1))))
program = $(patsubst tests/%.c,$(B)/tests/%,$(sort $(wildcard $(1))))

PROGRAM_ROOMS = src/daemon/% src/shell/% src/extract/%
LIB_SOURCES   = $(filter-out $(PROGRAM_ROOMS),$(sort $(wildcard src/*/*.c)))
LIB_OBJECTS   = $(patsubst %.c,$(B)/%.o,$(LIB_SOURCES)) $(B)/$(WEB_DIR)/assets_table.o
DAEMON        = $(call objects,src/daemon/*.c)
SHELL_ROOM    = $(call objects,src/shell/*.c)
EXTRACT       = $(call objects,src/extract/*.c)
SUPPORT       = $(call objects,tests/support/*.c)

LIB         = $(B)/libmailkeep.a
SUPPORT_LIB = $(B)/libsupport.a
EXTRACT_LIB = $(B)/libextract.a
DAEMON_LIB  = $(B)/libdaemon.a
EXTRACT_LIBS = $(shell pkg-config --libs $(EXTRACT_PACKAGES))

# What runs in one thread only has nothing to tell the thread sanitizer.
UNIT_NOT_tsan = $(B)/tests/unit/mail/% $(B)/tests/unit/extract/%

# Browsers make the requests that T1xx to T3xx make, with which the thread sanitizer sees the daemon; with
# ONLY they run all the same.
SYSTEM_NOT_tsan = $(if $(ONLY),,tests/system/T4%)

PROGRAMS = $(if $(DAEMON),$(B)/mailkeepd) $(if $(SHELL_ROOM),$(B)/mailkeep) \
           $(if $(EXTRACT),$(B)/mailkeep-extract)
UNIT  = $(filter-out $(UNIT_NOT_$(VARIANT)),$(call program,tests/unit/$(or $(ROOM),*)/test_*.c))
FAULT = $(call program,tests/fault/*.c)
BENCH = $(call program,tests/bench/*.c)
TOOLS = $(call program,tests/tools/*.c)
FUZZ  = $(call program,tests/fuzz/$(or $(ROOM),*)_*.c)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# V=1 shows whole commands.
ifeq ($(V),1)
Q =
say = @:
else
Q = @
say = @printf '  %-8s %s\n'
endif

# --- programs ----------------------------------------------------------------------------

.PHONY: all programs deps demo test unit system asan tsan fuzz fault bench bench-web bench-million lint \
        format install clean build-tests FORCE

all: $(PROGRAMS) $(LIB)

deps:
	@DEPS_DIR=$(DEPS_DIR) tools/deps.sh

$(DEPS)/stamp/yyjson:
	@echo 'The libraries in $(DEPS) are missing: run "make deps" first.' >&2; exit 1

$(DEPS_TSAN_DIR)/stamp/gmime:
	@DEPS_DIR=$(DEPS_TSAN_DIR) tools/deps.sh --variant tsan

# A unit test may look inside its own room: "<room>/internal.h".
$(B)/tests/%.o: CPPFLAGS += -Isrc -Itests/support

$(B)/%.o: %.c Makefile | $(DEPS)/stamp/yyjson
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(COMPILE)

$(WEB_DIR)/assets_table.c: $(WEB_FILES) tools/web-build.sh $(WEB_AGAIN)
	$(say) WEB web
	$(Q)tools/web-build.sh $(WEB_DIR)

$(B)/$(WEB_DIR)/assets_table.o: CPPFLAGS += -I.

# The archive is made anew when an object changed or a source came or went.
$(B)/objects.list: FORCE
	@mkdir -p $(@D)
	@echo '$(LIB_OBJECTS) $(DAEMON) $(EXTRACT) $(SUPPORT)' | cmp -s - $@ || \
	    echo '$(LIB_OBJECTS) $(DAEMON) $(EXTRACT) $(SUPPORT)' > $@

$(LIB): $(LIB_OBJECTS) $(B)/objects.list
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $(LIB_OBJECTS)

$(SUPPORT_LIB): $(SUPPORT) $(B)/objects.list
	$(Q)rm -f $@ && ar rcs $@ $(SUPPORT)

# As an archive for its tests, from which they take what they look at and stand in for the rest.
$(DAEMON_LIB): $(DAEMON) $(B)/objects.list
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $(filter-out %/main.o,$(DAEMON))

$(B)/mailkeepd: $(DAEMON) $(LIB)
	$(say) LD $@
	$(Q)$(LINK) $(DAEMON) $(LIB) $(LIBS)

$(B)/mailkeep: $(SHELL_ROOM) $(LIB)
	$(say) LD $@
	$(Q)$(LINK) $(SHELL_ROOM) $(LIB) $(LIBS) $(shell pkg-config --libs $(SHELL_PACKAGES))

# As an archive for its tests, too.
$(EXTRACT): PKG_CFLAGS += $(call as_system,$(EXTRACT_PACKAGES))
$(EXTRACT_LIB): $(EXTRACT) $(B)/objects.list
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $(filter-out %/main.o,$(EXTRACT))

$(B)/mailkeep-extract: $(EXTRACT) $(EXTRACT_LIB) $(LIB)
	$(say) LD $@
	$(Q)$(LINK) $(filter %/main.o,$(EXTRACT)) $(EXTRACT_LIB) $(LIB) $(EXTRACT_LIBS) $(LIBS)

# --- test programs -----------------------------------------------------------------------

build-tests: $(UNIT) $(FAULT) $(BENCH) $(TOOLS)

# Tests of mailkeep-extract look inside it.
extract_lib = $(if $(filter $(B)/tests/unit/extract/% $(B)/tests/fuzz/extract_%,$@),$(EXTRACT_LIB))
extract_libs = $(if $(extract_lib),$(EXTRACT_LIBS))
daemon_lib = $(if $(filter $(B)/tests/unit/daemon/%,$@),$(DAEMON_LIB))

# Files beside test_*.c are the room's own helpers.
helpers = $(filter-out $(@D)/test_%,$(patsubst %.c,$(B)/%.o,$(wildcard $(@D:$(B)/%=%)/*.c)))

.SECONDEXPANSION:
$(B)/tests/unit/%: $(B)/tests/unit/%.o $$(helpers) $(SUPPORT_LIB) $$(extract_lib) $$(daemon_lib) $(LIB)
	$(say) LD $@
	$(Q)$(LINK) $< $(helpers) $(SUPPORT_LIB) $(extract_lib) $(daemon_lib) $(LIB) $(extract_libs) $(LIBS)

$(FAULT) $(BENCH) $(TOOLS): %: %.o $(SUPPORT_LIB) $(LIB)
	$(say) LD $@
	$(Q)$(LINK) $< $(SUPPORT_LIB) $(LIB) $(LIBS)

$(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(SUPPORT_LIB) $$(extract_lib) $(LIB)
	$(say) LD $@
	$(Q)$(LINK) -fsanitize=fuzzer $< $(SUPPORT_LIB) $(extract_lib) $(LIB) $(extract_libs) $(LIBS)

# --- running tests -----------------------------------------------------------------------
# tests/run prints what failed and adds its counts to $(TALLY), when one is given.

TALLY ?=
RUN = BIN_DIR=$(CURDIR)/$(B) TALLY=$(TALLY) JOBS=$(JOBS) tests/run --variant $(VARIANT)

ifeq ($(VARIANT),tsan)
unit system fault: | $(DEPS_TSAN_DIR)/stamp/gmime
endif

# The client's tests start the real helper and one that lies.
unit: $(UNIT) $(if $(findstring unit/text,$(UNIT))$(findstring unit/extract,$(UNIT)),$(B)/mailkeep-extract $(TOOLS))
	@$(RUN) --suite unit $(UNIT)

SYSTEM = $(filter-out $(SYSTEM_NOT_$(VARIANT)),$(filter tests/system/T%,\
           $(sort $(wildcard tests/system/*$(ONLY)*.sh))))

# They wait more than they work: for daemons, browsers, mail. So one more of them goes at a time.
system: JOBS := $(shell expr $(JOBS) + 1)
system: $(PROGRAMS) $(TOOLS)
	@$(RUN) --suite system $(SYSTEM)

fault: $(FAULT) $(PROGRAMS) $(TOOLS)
	@MAILKEEP_KILL_ROUNDS=$(KILL_ROUNDS) $(if $(FULL),TIMEOUT=3600) $(RUN) --suite fault $(FAULT) \
	    tests/system/T230-survives-kill.sh

# Goes on after a failure, so that the last line counts everything.
test: | deps
	@mkdir -p build; rm -f build/tally; status=0; \
	for variant in release asan; do \
	    for suite in unit system; do \
	        $(MAKE) VARIANT=$$variant TALLY=$(CURDIR)/build/tally $$suite || status=1; \
	    done; \
	done; \
	tests/run --total build/tally && exit $$status

asan:
	@$(MAKE) VARIANT=asan unit
	@$(MAKE) VARIANT=asan system

# System tests under the thread sanitizer: make system VARIANT=tsan
tsan: $(DEPS_TSAN_DIR)/stamp/gmime
	@$(MAKE) VARIANT=tsan unit

ifeq ($(VARIANT),fuzz)
fuzz: $(FUZZ)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) JOBS=$(JOBS) tests/fuzz/run.sh $(FUZZ)
else
fuzz:
	@$(MAKE) VARIANT=fuzz fuzz
endif

BENCH_TOOLS = $(addprefix $(B)/tests/tools/,smtp_load search_run mail_texts index_streams)

bench: $(BENCH) $(PROGRAMS) $(BENCH_TOOLS)
	@for b in $(BENCH); do echo "== $$(basename $$b)"; BIN_DIR=$(CURDIR)/$(B) $$b || exit 1; done
	@echo "== ingest"; BIN_DIR=$(CURDIR)/$(B) tests/bench/ingest.py
	@echo "== search"; BIN_DIR=$(CURDIR)/$(B) tests/bench/search.py

# Searching and scrolling in Chromium over 100,000 mails.
bench-web: $(PROGRAMS) $(BENCH_TOOLS)
	@BIN_DIR=$(CURDIR)/$(B) tests/bench/web.py

# Half an hour and more on a small machine.
bench-million: $(PROGRAMS) $(BENCH_TOOLS)
	@BIN_DIR=$(CURDIR)/$(B) tests/bench/million.py

# In a make of its own, which sees what deps has installed.
demo: | deps
	@$(MAKE) all
	@BIN_DIR=$(CURDIR)/$(B) tools/demo.sh

# --- looking after the sources -----------------------------------------------------------

C_FILES = $(sort $(wildcard include/mailkeep/*.h src/*/*.[ch] tests/*/*.[ch] tests/unit/*/*.[ch]))

lint: | $(DEPS)/stamp/yyjson
	@LINT_CPPFLAGS='$(CPPFLAGS)' LINT_JOBS=$(JOBS) tools/lint.sh $(C_FILES)

format:
	@tools/lint-rooms --fix || true
	@clang-format -i $(C_FILES)

# --- installing --------------------------------------------------------------------------

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) \
	    $(DESTDIR)$(SYSCONFDIR)/mailkeep
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	sed -e 's,@BINDIR@,$(PREFIX)/bin,g' -e 's,@SYSCONFDIR@,$(SYSCONFDIR),g' \
	    config/mailkeep.service.in > $(DESTDIR)$(UNITDIR)/mailkeep.service
	install -m 644 config/mailkeep.sysusers $(DESTDIR)$(SYSUSERSDIR)/mailkeep.conf
	[ -e $(DESTDIR)$(SYSCONFDIR)/mailkeep/mailkeep.yaml ] || \
	    install -m 640 config/mailkeep.yaml $(DESTDIR)$(SYSCONFDIR)/mailkeep/mailkeep.yaml

# Leaves build/deps, which take minutes and do not change.
clean:
	rm -rf build/release build/asan build/tsan build/fuzz build/lint build/tally build/web

-include $(wildcard $(B)/src/*/*.d $(B)/tests/*/*.d $(B)/tests/unit/*/*.d)
