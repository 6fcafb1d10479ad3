# One Makefile for everything; `make help` lists the targets. Files are found by wildcard: a new .c, test or fuzz
# target needs no line here. Each VARIANT (release, asan, tsan, fuzz) has a build folder of its own.

VARIANT    ?= release
BUILD      := build/$(VARIANT)
PREFIX     ?= /usr/local
PKG_CONFIG ?= pkg-config
SECS       ?= 20
SOMAJOR    := 0
VERSION    := $(shell sed -n 's/^.define STOA_VERSION "\(.*\)"/\1/p' libformat/include/stoa/base.h)

ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(VARIANT)),clang,gcc)
endif

# ---- Flags. CPPFLAGS, CFLAGS and LDFLAGS belong to whoever calls make and come last. ----

CFLAGS_release := -O2 -g
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
CFLAGS_hot     := $(if $(filter release,$(VARIANT)),-O3)
CFLAGS_avx2    := -mavx2 -mfma -mbmi -mbmi2 -mpclmul

# ISA-L decodes gzip and zip two to three times as fast as zlib; `make ISAL=` does without it.
ISAL := $(shell $(PKG_CONFIG) --exists libisal && echo libisal)

WERROR   ?= -Werror
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion -Wshadow -Wstrict-prototypes \
            -Wmissing-prototypes -Wvla $(WERROR)
# -ffp-contract=off: a fused multiply-add would print and compare floats differently from one CPU to another.
BASIC := -std=c11 -D_GNU_SOURCE -MMD -MP -pthread -fPIC -fvisibility=hidden -ffp-contract=off \
         -ffile-prefix-map=$(CURDIR)=. $(WARNINGS) $(CFLAGS_$(VARIANT)) $(if $(ISAL),-DSTOA_HAS_ISAL)

PACKAGES := libzstd libxxhash jansson nettle snappy zlib libdeflate liblzma liblz4 $(ISAL)
# libbz2 comes without a file for pkg-config.
LIBS     := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -lbz2 -pthread
PUBLIC   := -Ilibformat/include
PRIVATE  := -Ilibformat -Ilibformat/include
COMPILE   = $(CC) $(BASIC) $(CPPFLAGS) $(CFLAGS)
LINK      = $(CC) $(CFLAGS_$(VARIANT)) $(CFLAGS) -Wl,--as-needed $(LDFLAGS)

# ---- What is built from what. ----

X86 := $(findstring x86_64,$(shell $(CC) -dumpmachine))
# Modules whose inner loops decide the speed of a whole run.
HOT := libformat/avro/% libformat/base/% libformat/codec/% libformat/csv/% libformat/stats/%

LIB_SRC     := $(sort $(wildcard libformat/*/*.c))
LIB_SRC     := $(if $(X86),$(LIB_SRC),$(filter-out %_avx2.c,$(LIB_SRC)))
LIB_SRC     := $(if $(ISAL),$(LIB_SRC),$(filter-out %_isal.c,$(LIB_SRC)))
TOOL_SRC    := $(sort $(wildcard tools/*.c))
SUPPORT_SRC := $(filter-out %/fuzz_replay.c %/fault_posix.c,$(wildcard tests/support/*.c))
UNIT_SRC    := $(sort $(wildcard tests/unit/*/test_*.c))
FUZZ_SRC    := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SRC   := bench/gen_shape.c bench/gen_trips.c $(wildcard bench/micro/bench_*.c)
SCRIPTS     := $(sort $(wildcard tests/cli/test_* tests/interop/test_* tests/format/test_*))

# The bridge to avro-c, where that is found (.ci/deps bench); the bench compares with it, too.
AVRO       := $(shell $(PKG_CONFIG) --exists avro-c && echo avro-c)
BRIDGE_SRC := $(if $(AVRO),$(sort $(wildcard bindings/avro/*.c)))
UNIT_SRC   := $(if $(AVRO),$(UNIT_SRC),$(filter-out tests/unit/bindings/%,$(UNIT_SRC)))

objects  = $(patsubst %.c,$(BUILD)/%.o,$(1))
programs = $(patsubst %.c,$(BUILD)/%,$(1))

STATIC  := $(BUILD)/libstoa.a
SHARED  := $(BUILD)/libstoa.so.$(VERSION)
COMMAND := $(BUILD)/stoa
BRIDGE  := $(if $(AVRO),$(BUILD)/libstoa-avro.a)
SUPPORT := $(call objects,$(SUPPORT_SRC))
UNITS   := $(call programs,$(UNIT_SRC))
FUZZERS := $(call programs,$(FUZZ_SRC))
BENCHES := $(call programs,$(BENCH_SRC))
# What Python calls through ctypes in the bench of whole jobs.
STOA_ROWS := $(BUILD)/bench/e2e/stoa_rows
AVRO_STOA := $(BUILD)/bench/e2e/avro_stoa
AVRO_C    := $(if $(AVRO),$(BUILD)/bench/e2e/avro_c)

# System calls that fail on purpose: linked into tests of faults, preloaded into whole programs.
FAULT_POSIX := $(BUILD)/tests/support/fault_posix

# T="csv exec/": only the tests whose path contains one of the words.
chosen = $(if $(T),$(sort $(foreach w,$(T),$(foreach t,$(1),$(if $(findstring $(w),$(t)),$(t))))),$(1))

## all: the library, static and shared, the command, and where avro-c is found the bridge to it (the default)
all: $(STATIC) $(SHARED) $(COMMAND) $(BRIDGE) $(BRIDGE:.a=.so.$(VERSION))

## deps: install the Debian packages that build, demo and check need, where they are missing
## deps-dev: the same for lint, format and fuzz
deps deps-dev:
	@.ci/deps $(if $(filter deps-dev,$@),build dev,build)

## demo: convert a year of flights from CSV archives into one .stoa file and question it
demo: deps
	@$(MAKE) all
	@STOA=$(BUILD)/stoa docs/demo.sh

## check: every test of this VARIANT; T="word ..." picks by path, RUN="valgrind -q" wraps unit tests
check: all $(call chosen,$(UNITS) $(FUZZERS)) $(FAULT_POSIX).so
	@STOA=$(CURDIR)/$(BUILD)/stoa STOA_BUILD=$(CURDIR)/$(BUILD) RUN="$(RUN)" \
	    tests/run $(call chosen,$(UNITS) $(FUZZERS) $(SCRIPTS))

## asan: check under the address and undefined-behaviour sanitizers
asan:
	@$(MAKE) VARIANT=asan check

## tsan: the tests that start threads, under the thread sanitizer
tsan:
	@$(MAKE) VARIANT=tsan check T="$(or $(T),unit/exec/ unit/csv/ unit/scan/ unit/file/test_kept \
	    unit/convert/test_convert unit/convert/test_merge unit/convert/test_restore test_jobs)"

## fuzz: every fuzz target for SECS=20 seconds; inputs that fail are kept in build/fuzz
fuzz:
	@$(MAKE) VARIANT=fuzz fuzz-run

fuzz-run: $(call chosen,$(FUZZERS))
	@RUN="tests/fuzz/run $(SECS)" TEST_TIMEOUT=$$(($(SECS) + 60)) tests/run $^

## lint: layers, formatting, forbidden words and calls, exported symbols, shell scripts
lint: all
	@STOA_BUILD=$(BUILD) tests/run $(wildcard tests/lint/check_*)

## format: rewrite every C file the way .clang-format says
format:
	clang-format -i $$(git ls-files '*.c' '*.h' ':!bench/gen_trips.c')

## bench: kernels, and whole jobs beside the peers (ARGS='--quick' for a look); see docs/benchmarks.md
bench: all $(BENCHES) $(addsuffix .so,$(STOA_ROWS) $(AVRO_STOA) $(AVRO_C))
	@STOA_BUILD=$(BUILD) bench/e2e/run.py $(ARGS)
	@bench/readme.py

## bench-plans: what is chosen for the tables of the bench, beside the best of all plans; minutes
PLAN_TABLES := $(wildcard $(patsubst %,bench/data/%.csv,trips flights flights-3m lineitem))
bench-plans: $(BUILD)/tests/unit/convert/test_chosen_tables
	@test -n "$(PLAN_TABLES)" || { echo "no table is there: make bench ARGS=--prepare"; exit 1; }
	@STOA_TEST_TABLES="$$(echo $(PLAN_TABLES) | tr " " :)" $<

## install: library, headers, command, stoa.pc and man pages under DESTDIR/PREFIX
install: all
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,bin lib/pkgconfig include/stoa share/doc/stoa share/man/man1)
	install $(COMMAND) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(STATIC) $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(SHARED) $(DESTDIR)$(PREFIX)/lib
	ln -sf libstoa.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/libstoa.so.$(SOMAJOR)
	ln -sf libstoa.so.$(SOMAJOR) $(DESTDIR)$(PREFIX)/lib/libstoa.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@PACKAGES@|$(PACKAGES)|' \
	    stoa.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/stoa.pc
	install -m 644 $(wildcard libformat/include/*.h) $(DESTDIR)$(PREFIX)/include
	install -m 644 libformat/include/stoa/*.h $(DESTDIR)$(PREFIX)/include/stoa
	install -m 644 LICENSE CHANGES.md $(DESTDIR)$(PREFIX)/share/doc/stoa
	$(if $(AVRO),$(install_bridge))
	for page in $(wildcard docs/man/*.1); do install -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man1; done

define install_bridge
install -m 644 $(BRIDGE) $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(BRIDGE:.a=.so.$(VERSION)) $(DESTDIR)$(PREFIX)/lib
	ln -sf libstoa-avro.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/libstoa-avro.so.$(SOMAJOR)
	ln -sf libstoa-avro.so.$(SOMAJOR) $(DESTDIR)$(PREFIX)/lib/libstoa-avro.so
	install -m 644 bindings/avro/stoa_avro_bridge.h $(DESTDIR)$(PREFIX)/include
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	    bindings/avro/stoa-avro.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/stoa-avro.pc
endef

## dist: build/stoa-VERSION.tar.gz of the last commit, the same bytes each time
dist:
	@mkdir -p build
	git archive --prefix=stoa-$(VERSION)/ HEAD | gzip -9n > build/stoa-$(VERSION).tar.gz

## clean: remove build/
clean:
	rm -rf build

## help: this list; V=1 shows the commands that are run
help:
	@sed -n 's/^## \([^:]*\): \(.*\)/\1\t\2/p' Makefile | expand -t 12

# ---- Rules. ----

Q    := $(if $(V),,@)
show  = $(if $(V),,@echo "  $(1) $@")

# Two notes that change when a source file comes or goes (one that was removed must leave the library), and when
# the compiler or its flags are others than last time.
$(BUILD)/sources:  note = $(LIB_SRC) $(TOOL_SRC) $(BRIDGE_SRC)
$(BUILD)/compiler: note = $(COMPILE) $(LINK) $(CFLAGS_hot) $(CFLAGS_avx2)
$(BUILD)/sources $(BUILD)/compiler: FORCE
	@mkdir -p $(@D)
	@$(PKG_CONFIG) --exists $(PACKAGES) || { echo "libraries are missing: run make deps" >&2; exit 1; }
	@echo '$(note)' | cmp -s - $@ || echo '$(note)' > $@

$(STATIC): $(call objects,$(LIB_SRC)) $(BUILD)/sources
	$(call show,ar  )
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(SHARED): $(call objects,$(LIB_SRC)) $(BUILD)/sources
	$(call show,link)
	$(Q)$(LINK) -shared -Wl,-soname,libstoa.so.$(SOMAJOR) -Wl,--no-undefined $(filter %.o,$^) $(LIBS) -o $@
	$(Q)ln -sf $(@F) $(@D)/libstoa.so.$(SOMAJOR) && ln -sf $(@F) $(@D)/libstoa.so

$(BRIDGE): $(call objects,$(BRIDGE_SRC)) $(BUILD)/sources
	$(call show,ar  )
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)

$(BRIDGE:.a=.so.$(VERSION)): $(call objects,$(BRIDGE_SRC)) $(SHARED)
	$(call show,link)
	$(Q)$(LINK) -shared -Wl,-soname,libstoa-avro.so.$(SOMAJOR) -Wl,--no-undefined $^ $$($(PKG_CONFIG) --libs $(AVRO)) -o $@
	$(Q)ln -sf $(@F) $(@D)/libstoa-avro.so.$(SOMAJOR) && ln -sf $(@F) $(@D)/libstoa-avro.so

# The command carries the library inside, so that one file can be copied to another machine.
$(BUILD)/stoa: $(call objects,$(TOOL_SRC)) $(STATIC)
	$(call show,link)
	$(Q)$(LINK) $^ $(LIBS) -lsmartcols -o $@

$(UNITS): %: %.o $(SUPPORT) $(STATIC)
	$(call show,link)
	$(Q)$(LINK) $(filter-out $(STATIC),$^) $(STATIC) $(LIBS) -lcmocka -lm -o $@

$(filter %_faults %_restore,$(UNITS) $(FUZZERS)): $(FAULT_POSIX).o

$(filter %/test_avro_bridge,$(UNITS)): $(BRIDGE)
$(filter %/test_avro_bridge,$(UNITS)): LIBS += $(shell $(PKG_CONFIG) --libs avro-c)

$(FAULT_POSIX).so: $(FAULT_POSIX).o
	$(call show,link)
	$(Q)$(LINK) -shared $< -o $@

$(BENCHES): %: %.o $(BUILD)/bench/micro/measure.o $(STATIC)
	$(call show,link)
	$(Q)$(LINK) $^ $(LIBS) -lm -o $@

$(STOA_ROWS).so: $(STOA_ROWS).o $(SHARED)
	$(call show,link)
	$(Q)$(LINK) -shared -Wl,--no-undefined $^ -o $@

# Beside libstoa.so in one process, with what that does not export: it calls its own functions.
$(AVRO_STOA).so: $(AVRO_STOA).o $(STATIC)
	$(call show,link)
	$(Q)$(LINK) -shared -Wl,--no-undefined,-Bsymbolic $^ $(LIBS) -o $@

$(BUILD)/bench/e2e/avro_c.so: $(BUILD)/bench/e2e/avro_c.o
	$(call show,link)
	$(Q)$(LINK) -shared -Wl,--no-undefined $^ $$($(PKG_CONFIG) --libs avro-c) -o $@

# With clang a fuzz target searches for inputs; with gcc it replays the saved ones.
FUZZ_MAIN := $(if $(filter fuzz,$(VARIANT)),-fsanitize=fuzzer,$(BUILD)/tests/support/fuzz_replay.o)
$(FUZZERS): %: %.o $(filter %.o,$(FUZZ_MAIN)) $(SUPPORT) $(STATIC)
	$(call show,link)
	$(Q)$(LINK) $(filter-out %.o,$(FUZZ_MAIN)) $^ $(LIBS) -lcmocka -lm -o $@

$(BUILD)/%.o: %.c $(BUILD)/compiler
	$(call show,cc  )
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(FLAGS) -c $< -o $@

FLAGS_of_module = $(if $(filter $(HOT),$<),$(CFLAGS_hot)) $(if $(filter %_avx2.c,$<),$(CFLAGS_avx2))
$(BUILD)/libformat/%.o: FLAGS = $(PRIVATE) $(FLAGS_of_module)
$(BUILD)/tools/%.o:     FLAGS = $(PUBLIC)
$(BUILD)/bindings/%.o:  FLAGS = $(PUBLIC)
$(BUILD)/tests/unit/bindings/%.o: FLAGS = $(PRIVATE) -Itests -Ibindings/avro
$(BUILD)/tests/%.o:     FLAGS = $(PRIVATE) -Itests
$(BUILD)/tests/unit/tools/%.o: FLAGS = $(PUBLIC) -Itests -Itools
$(BUILD)/bench/%.o:     FLAGS = $(PRIVATE)
$(BUILD)/bench/e2e/%.o: FLAGS = $(PUBLIC)
$(AVRO_STOA).o:         FLAGS = $(PRIVATE)
$(BUILD)/bench/gen_trips.o: FLAGS = -w

-include $(patsubst %.o,%.d,$(call objects,$(LIB_SRC) $(TOOL_SRC) $(BRIDGE_SRC) $(UNIT_SRC) $(FUZZ_SRC) $(BENCH_SRC) \
                                          bench/micro/measure.c $(wildcard bench/e2e/*.c) \
                                          $(wildcard tests/support/*.c)))

# Parallel unless -jN says otherwise; several goals (make clean check) go one after the other.
ifeq ($(MAKELEVEL)$(word 2,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: FORCE all deps deps-dev demo check asan tsan fuzz fuzz-run lint format bench bench-plans install dist clean help
