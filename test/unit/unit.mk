# Unit tests of the core, under AddressSanitizer and UBSan.
#
#   make unitcheck                 every test
#   make unitcheck UNIT=pool       only test/unit/test_pool.c

SAN_DIR = build/san
SAN_FLAGS = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
SAN_OBJS = $(CORE_SRCS:src/%.c=$(SAN_DIR)/%.o)
SAN_LIB = $(SAN_DIR)/librstar.a
UNIT ?= *
UNIT_SRCS = $(sort $(wildcard test/unit/test_$(UNIT).c))
UNIT_PROGRAMS = $(UNIT_SRCS:test/unit/%.c=$(SAN_DIR)/%)

$(SAN_DIR)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CORE_CPPFLAGS) $(CORE_CFLAGS) $(call isa_flags,$@) $(SAN_FLAGS) -MMD -MP -c -o $@ $<

$(SAN_LIB): $(SAN_OBJS)
	@rm -f $@
	$(AR) rcs $@ $^

$(SAN_DIR)/test_%: test/unit/test_%.c test/unit/check.h $(SAN_LIB)
	$(CC) $(CORE_CPPFLAGS) -Itest/unit $(CORE_CFLAGS) $(SAN_FLAGS) -MMD -MP -MF $@.d -o $@ $< $(SAN_LIB) $(CORE_LIBS)

# Inlined kernels with both sanitizers keep gcc's tracking of variables busy for minutes.
$(SAN_DIR)/core/tensor/kernels_%.o: SAN_FLAGS += -fno-var-tracking

# With plain kernels in front of the library's: see test_parity.c.
PLAIN_KERNELS = $(patsubst src/%.c,$(SAN_DIR)/plain/%.o,$(filter src/core/tensor/kernels_%.c,$(CORE_SRCS)))
$(SAN_DIR)/plain/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CORE_CPPFLAGS) $(CORE_CFLAGS) $(call isa_flags,$@) -MMD -MP -c -o $@ $<

$(SAN_DIR)/test_parity: test/unit/test_parity.c test/unit/check.h $(PLAIN_KERNELS) $(SAN_LIB)
	$(CC) $(CORE_CPPFLAGS) -Itest/unit $(CORE_CFLAGS) $(SAN_FLAGS) -MMD -MP -MF $@.d -o $@ $< \
		$(PLAIN_KERNELS) $(SAN_LIB) $(CORE_LIBS)

-include $(PLAIN_KERNELS:.o=.d) $(SAN_OBJS:.o=.d) $(UNIT_PROGRAMS:=.d)

unitprograms: $(UNIT_PROGRAMS)

unitcheck: $(UNIT_PROGRAMS)
	prove $(PROVE_FLAGS) -e '' $(UNIT_PROGRAMS)

.PHONY: unitprograms
