# rstar: rStar-Math inside PostgreSQL.
#
#   make demo          prepare this machine, build, start a throw-away server, solve
#   make test          prepare this machine, build, run every test
#   make && make install && make installcheck       the usual PGXS way
#
# Other targets: deps, unitcheck, fuzz, bench, lint, corecheck, format.
# PG_CONFIG chooses the PostgreSQL installation, CC the compiler.

EXTENSION = rstar
MODULE_big = rstar
DATA = $(wildcard rstar--*.sql)
PGFILEDESC = "rstar - rStar-Math: mathematics by small models and tree search"

CORE_SRCS = $(sort $(wildcard src/core/*/*.c))
ifneq ($(shell uname -m),x86_64)
  CORE_SRCS := $(filter-out %_avx2.c %_avxvnni.c %_avx512.c %_avx512bf16.c %_avx512fp16.c %_amx.c,$(CORE_SRCS))
endif
PG_SRCS = $(sort $(wildcard src/pg/*.c src/pg/*/*.c))
CORE_OBJS = $(CORE_SRCS:.c=.o)
PG_OBJS = $(PG_SRCS:.c=.o)
OBJS = $(CORE_OBJS) $(PG_OBJS)
SANDBOX = src/sandbox/rstar-sandbox
MODELS = $(sort $(wildcard models/*.gguf models/*.calibration.json))

REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=build/regress --encoding=UTF8
ISOLATION = $(sort $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=build/isolation --encoding=UTF8
TAP_TESTS = 1
PROVE_TESTS = $(sort $(wildcard test/t/*.pl))
EXTRA_CLEAN = build $(SANDBOX) $(CORE_SRCS:.c=.d) $(PG_SRCS:.c=.d) $(wildcard src/sandbox/*.o src/sandbox/*.d)

# Only these need neither PostgreSQL's headers nor the packages of `make deps`.
ifneq ($(filter deps demo test,$(MAKECMDGOALS)),)
  BOOTSTRAP = 1
endif

PG_CONFIG ?= pg_config
WARNINGS = -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wvla

# The core's own dialect. -fno-math-errno and -fno-trapping-math let loops
# vectorise; nothing here changes how the host process computes (no -ffast-math).
# -ffp-contract=off: a*b+c rounds the same wherever the compiler meets it; kernels
# that want fused operations ask for them by name.
CORE_CPPFLAGS = -Isrc -D_GNU_SOURCE
CORE_CFLAGS = -std=gnu11 -O2 -g -fPIC -fvisibility=hidden -pthread $(WARNINGS) \
	-fno-math-errno -fno-trapping-math -ffp-contract=off
CORE_LIBS = -ljansson -licuuc -lpthread -lm -ldl

# Kernel files carry their instruction set in their name.
ISA_portable = -O3 -Wno-psabi
ISA_avx2 = $(ISA_portable) -mavx2 -mfma -mf16c
ISA_avxvnni = $(ISA_avx2) -mavxvnni
ISA_avx512 = $(ISA_avx2) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
ISA_avx512bf16 = $(ISA_avx512) -mavx512bf16
ISA_avx512fp16 = $(ISA_avx512) -mavx512fp16
ISA_amx = $(ISA_avx512bf16) -mamx-tile -mamx-int8 -mamx-bf16
isa_flags = $(ISA_$(lastword $(subst _, ,$(basename $(notdir $(1))))))

ifndef BOOTSTRAP
override with_llvm = no
PGXS := $(shell $(PG_CONFIG) --pgxs)
SERVER_INCLUDES := $(shell $(PG_CONFIG) --includedir-server)
SHLIB_LINK = $(CORE_LIBS)
PG_CPPFLAGS = -Isrc -isystem $(SERVER_INCLUDES)
all: $(SANDBOX)
include $(PGXS)
override with_llvm = no

# -MMD -MP: header dependencies, for both kinds of object.
$(CORE_OBJS): override CPPFLAGS = $(CORE_CPPFLAGS) -MMD -MP
$(CORE_OBJS): override CFLAGS = $(CORE_CFLAGS) $(call isa_flags,$@)
$(PG_OBJS): override CPPFLAGS := $(PG_CPPFLAGS) -MMD -MP $(CPPFLAGS)
$(PG_OBJS): override CFLAGS := $(CFLAGS) -Wextra -Werror -Wno-unused-parameter \
	-Wno-missing-field-initializers -Wno-sign-compare -Wno-declaration-after-statement
-include $(OBJS:.o=.d)

# The same library with Assert() at work, whatever the server was built with:
# build/assert/rstar.so, for a test run (scripts/test.sh asserts).
ASSERT_OBJS = $(PG_SRCS:src/%.c=build/assert/%.o)
build/assert/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PG_CPPFLAGS) -DUSE_ASSERT_CHECKING=1 -MMD -MP $(CFLAGS) -fPIC -c -o $@ $<
build/assert/rstar.so: $(ASSERT_OBJS) $(CORE_OBJS)
	$(CC) $(CFLAGS) -shared -o $@ $^ $(SHLIB_LINK)
-include $(ASSERT_OBJS:.o=.d)

# --- the sandbox program -------------------------------------------------------

include src/sandbox/sandbox.mk

install: install-sandbox install-models
install-sandbox: $(SANDBOX)
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)'
	$(INSTALL_PROGRAM) $(SANDBOX) '$(DESTDIR)$(pkglibdir)/rstar-sandbox'
# Models that CREATE EXTENSION registers; "$$share/" in rstar.models.path.
install-models: $(MODELS)
	$(MKDIR_P) '$(DESTDIR)$(datadir)/rstar'
	$(INSTALL_DATA) $(MODELS) '$(DESTDIR)$(datadir)/rstar/'
uninstall: uninstall-sandbox uninstall-models
uninstall-sandbox:
	rm -f '$(DESTDIR)$(pkglibdir)/rstar-sandbox'
uninstall-models:
	rm -f $(MODELS:models/%='$(DESTDIR)$(datadir)/rstar/%')
	-rmdir '$(DESTDIR)$(datadir)/rstar'
.PHONY: install-sandbox uninstall-sandbox install-models uninstall-models
endif

# --- tests that need no server -------------------------------------------------

include test/unit/unit.mk
include test/fuzz/fuzz.mk
include test/bench/bench.mk

# The core compiles without PostgreSQL, every header compiles alone, and the programs beside it do
# that nothing else builds here.
corecheck:
	@! grep -rnE '#include[[:space:]]*[<"](postgres|fmgr|utils/|access/|catalog/)' src/core src/sandbox
	@for h in $$(find src -name '*.h' -not -path 'src/pg/*' -not -name '*_template.h'); do \
		echo "  header $$h"; \
		$(CC) $(CORE_CPPFLAGS) -std=gnu11 $(WARNINGS) -fsyntax-only -include $$h -x c /dev/null || exit 1; \
	done
	@for c in $(CORE_SRCS); do \
		case $$c in *_portable.c|*_avx*.c) continue;; esac; \
		$(CC) $(CORE_CPPFLAGS) $(CORE_CFLAGS) -fsyntax-only $$c || exit 1; \
	done
	@for c in models/recipe/*.c test/bench/*.c; do \
		$(CC) $(CORE_CPPFLAGS) -Itest/bench $(CORE_CFLAGS) -fsyntax-only $$c || exit 1; \
	done
	@echo "corecheck: the core stands alone"

C_FILES = $(shell git ls-files --cached --others --exclude-standard 'src/*.c' 'src/*.h' 'test/*.c' 'test/*.h')
# The cluster of three nodes, with 1,000 problems; it wants Citus beside PostgreSQL. As a user who is not root.
cituscheck:
	RSTAR_CITUS=$${RSTAR_CITUS:-1000} $(MAKE) installcheck REGRESS= ISOLATION= PROVE_TESTS=test/t/071_citus.pl

lint:
	clang-format --dry-run --Werror $(C_FILES)
	sh scripts/lint.sh

format:
	clang-format -i $(C_FILES)

# --- the two commands of the README --------------------------------------------

deps:
	sh scripts/deps.sh

demo: deps
	sh scripts/demo.sh

test: deps
	sh scripts/test.sh

.PHONY: all deps demo test cituscheck unitcheck fuzz bench lint format corecheck
