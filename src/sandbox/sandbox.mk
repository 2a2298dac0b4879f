# The program rstar-sandbox: broker, template and nodes (see main.c).
#
# It embeds the distribution's Python and writes its filters with libseccomp.
# SANDBOX_PYTHON names the pkg-config module of the Python to embed; it must be
# the one that the distribution's python3-sympy belongs to.

PKG_CONFIG ?= pkg-config
SANDBOX_PYTHON ?= $(shell /usr/bin/python3 -c 'import sys; print("python-%d.%d-embed" % sys.version_info[:2])')

SANDBOX_SRCS = $(sort $(wildcard src/sandbox/*.c))
SANDBOX_OBJS = $(SANDBOX_SRCS:.c=.o)
SANDBOX_CFLAGS = -std=gnu11 -O2 -g -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 $(WARNINGS)
SANDBOX_CPPFLAGS = -Isrc -D_GNU_SOURCE -isystem $(shell $(PKG_CONFIG) --variable=includedir $(SANDBOX_PYTHON))/python$(SANDBOX_PYTHON:python-%-embed=%)
SANDBOX_LIBS = $(shell $(PKG_CONFIG) --libs libseccomp $(SANDBOX_PYTHON))

$(SANDBOX_OBJS): override CPPFLAGS = $(SANDBOX_CPPFLAGS) -MMD -MP
$(SANDBOX_OBJS): override CFLAGS = $(SANDBOX_CFLAGS)

$(SANDBOX): $(SANDBOX_OBJS)
	$(CC) $(SANDBOX_CFLAGS) -pie -Wl,-z,relro,-z,now -o $@ $(SANDBOX_OBJS) $(SANDBOX_LIBS)

-include $(SANDBOX_OBJS:.o=.d)
