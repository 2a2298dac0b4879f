# Benchmarks: programs that print figures and ratios, never pass or fail.
#
#   make bench                     every benchmark
#   make bench BENCH=engine        test/bench/bench_engine.c

BENCH_DIR = build/bench
BENCH_OBJS = $(CORE_SRCS:src/%.c=$(BENCH_DIR)/%.o)
BENCH_LIB = $(BENCH_DIR)/librstar.a
BENCH ?= *
BENCH_SRCS = $(sort $(wildcard test/bench/bench_$(BENCH).c))
BENCH_PROGRAMS = $(BENCH_SRCS:test/bench/%.c=$(BENCH_DIR)/%)
BENCH_SCRIPTS = $(sort $(wildcard test/bench/bench_$(BENCH).sh))

$(BENCH_DIR)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CORE_CPPFLAGS) $(CORE_CFLAGS) $(call isa_flags,$@) -MMD -MP -c -o $@ $<

$(BENCH_LIB): $(BENCH_OBJS)
	@rm -f $@
	$(AR) rcs $@ $^

$(BENCH_DIR)/%: test/bench/%.c $(BENCH_LIB)
	$(CC) $(CORE_CPPFLAGS) -Itest/bench $(CORE_CFLAGS) -MMD -MP -MF $@.d -o $@ $< $(BENCH_LIB) $(CORE_LIBS)

-include $(BENCH_OBJS:.o=.d) $(BENCH_PROGRAMS:=.d)

bench: $(BENCH_PROGRAMS)
	@for program in $(BENCH_PROGRAMS); do echo "== $$(basename $$program)"; $$program $(BENCH_ARGS) || exit 1; done
	@for script in $(BENCH_SCRIPTS); do echo "== $$(basename $$script)"; sh $$script $(BENCH_ARGS) || exit 1; done
