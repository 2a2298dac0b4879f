# The program rstar-sandbox: broker, template and nodes (see src/sandbox/program.h).
#
# It embeds the distribution's Python and writes its filters with libseccomp.
# SANDBOX_PYTHON is the interpreter whose library is embedded; it must be the one
# that the distribution's python3-sympy belongs to.

PKG_CONFIG ?= pkg-config
SANDBOX_PYTHON ?= /usr/bin/python3
SANDBOX_MODULE := $(shell $(SANDBOX_PYTHON) -c 'import sys; print("python-%d.%d-embed" % sys.version_info[:2])')

# Where Python finds its modules, fixed at build time: the standard library, its
# extensions, and the folder that holds sympy.
SANDBOX_PATHS := $(shell $(SANDBOX_PYTHON) -I -c 'import sysconfig, importlib.util as u, os; \
	s = u.find_spec("sympy"); d = sysconfig.get_path("stdlib"); \
	p = os.path.dirname(os.path.dirname(s.origin)) if s else "/usr/lib/python3/dist-packages"; \
	print(*("-D%s=L\"\\\"%s\\\"\"" % i for i in (("RSTAR_PYTHON_STDLIB", d), \
		("RSTAR_PYTHON_DYNLOAD", d + "/lib-dynload"), ("RSTAR_PYTHON_PACKAGES", p))))')

SANDBOX_DIR = build/sandbox
SANDBOX_SRCS = $(sort $(wildcard src/sandbox/*.c)) src/core/sandbox/frame.c src/core/base/memory.c
SANDBOX_OBJS = $(SANDBOX_SRCS:src/%.c=$(SANDBOX_DIR)/%.o)
SANDBOX_CFLAGS = -std=gnu11 -O2 -g -fPIE -fvisibility=hidden -fstack-protector-strong \
	-D_FORTIFY_SOURCE=2 $(WARNINGS)
SANDBOX_CPPFLAGS := -Isrc -I$(SANDBOX_DIR) -D_GNU_SOURCE $(SANDBOX_PATHS) \
	$(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags libseccomp $(SANDBOX_MODULE)))
SANDBOX_LIBS := $(shell $(PKG_CONFIG) --libs libseccomp $(SANDBOX_MODULE))

# preload.py as a string of C, preload_source, which template.c includes.
$(SANDBOX_DIR)/preload.inc: src/sandbox/preload.py src/sandbox/sandbox.mk
	@mkdir -p $(@D)
	{ echo 'static const char preload_source[] ='; sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$$/\\n"/' $<; echo ';'; } > $@
$(SANDBOX_DIR)/sandbox/template.o: $(SANDBOX_DIR)/preload.inc

$(SANDBOX_DIR)/%.o: src/%.c src/sandbox/sandbox.mk
	@mkdir -p $(@D)
	$(CC) $(SANDBOX_CPPFLAGS) $(SANDBOX_CFLAGS) -MMD -MP -c -o $@ $<

# getrandom() is ours (template.c), also for libpython: hence the dynamic list.
$(SANDBOX): $(SANDBOX_OBJS)
	$(CC) $(SANDBOX_CFLAGS) -pie -Wl,-z,relro,-z,now -Wl,--export-dynamic-symbol=getrandom \
		-o $@ $(SANDBOX_OBJS) $(SANDBOX_LIBS)

-include $(SANDBOX_OBJS:.o=.d)
