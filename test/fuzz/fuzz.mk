# Fuzz targets (libFuzzer; clang and its runtime).
#
#   make fuzz                      every target for FUZZ_SECONDS (20)
#   make fuzz FUZZ=gguf FUZZ_SECONDS=1800
#
# FUZZ_TIMEOUT is what one input may take, in seconds by the clock: raise it on a
# busy machine.
#
# Seeds lie in test/fuzz/corpus/TARGET; what a run finds lands in
# build/fuzz/TARGET, crashes in build/fuzz/TARGET.crash-*.

FUZZ_CC = clang
FUZZ_DIR = build/fuzzobj
FUZZ_SECONDS ?= 20
FUZZ_TIMEOUT ?= 10
FUZZ_FLAGS = -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
FUZZ_OBJS = $(CORE_SRCS:src/%.c=$(FUZZ_DIR)/%.o)
FUZZ_LIB = $(FUZZ_DIR)/librstar.a
FUZZ ?= *
FUZZ_SRCS = $(sort $(wildcard test/fuzz/fuzz_$(FUZZ).c))
FUZZ_PROGRAMS = $(FUZZ_SRCS:test/fuzz/%.c=$(FUZZ_DIR)/%)

$(FUZZ_DIR)/%.o: src/%.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CORE_CPPFLAGS) $(CORE_CFLAGS) $(FUZZ_FLAGS) $(call isa_flags,$@) -MMD -MP -c -o $@ $<

$(FUZZ_LIB): $(FUZZ_OBJS)
	@rm -f $@
	$(AR) rcs $@ $^

$(FUZZ_DIR)/fuzz_%: test/fuzz/fuzz_%.c $(FUZZ_LIB)
	$(FUZZ_CC) $(CORE_CPPFLAGS) -Itest/fuzz $(CORE_CFLAGS) -Wno-missing-prototypes $(FUZZ_FLAGS) -fsanitize=fuzzer \
		-o $@ $< $(FUZZ_LIB) $(CORE_LIBS)

-include $(FUZZ_OBJS:.o=.d)

fuzzprograms: $(FUZZ_PROGRAMS)

.PHONY: fuzzprograms

fuzz: $(FUZZ_PROGRAMS)
	@for program in $(FUZZ_PROGRAMS); do \
		name=$$(basename $$program | sed s/fuzz_//); \
		mkdir -p build/fuzz/$$name test/fuzz/corpus/$$name; \
		echo "== $$name, $(FUZZ_SECONDS) s"; \
		$$program -max_total_time=$(FUZZ_SECONDS) -timeout=$(FUZZ_TIMEOUT) -rss_limit_mb=2048 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/$$name.crash- \
			build/fuzz/$$name test/fuzz/corpus/$$name 2>build/fuzz/$$name.log \
			|| { tail -n 60 build/fuzz/$$name.log; exit 1; }; \
		grep -E 'stat::(number_of_executed_units|peak_rss_mb)' build/fuzz/$$name.log; \
	done
