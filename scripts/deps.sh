#!/bin/sh
# Install what building and testing need, on Debian and Ubuntu.
#
#   sh scripts/deps.sh          does nothing, and needs no network, if all is there
#
# The distribution's PostgreSQL server comes with its headers at the same
# version; no cluster of its own is created. Needs root, or sudo.
set -eu

wanted() {
	cat <<-END
	gcc
	make
	pkg-config
	libicu-dev
	libjansson-dev
	libcurl4-openssl-dev
	libseccomp-dev
	libpython3-dev
	libopenblas0-serial
	python3
	python3-sympy
	libipc-run-perl
	clang
	clang-format
	cppcheck
	perl
	procps
	END
}

installed() {
	dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

# clang's sanitizers and fuzzer: a package of their own in some releases, part of clang in others.
fuzzer_ready() {
	command -v clang >/dev/null 2>&1 || return 1
	probe=$(mktemp) || return 1
	echo 'int LLVMFuzzerTestOneInput(const void *d, unsigned long n) { return d && n ? 0 : 0; }' |
		clang -fsanitize=fuzzer,address -x c - -o "$probe" >/dev/null 2>&1
	ready=$?
	rm -f "$probe"
	return $ready
}

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "deps: not a Debian or Ubuntu system; please install by hand:" >&2
	echo "deps: PostgreSQL with its server headers, $(wanted | tr '\n' ' ')" >&2
	exit 0
fi

missing= runtime=
for package in $(wanted); do
	installed "$package" || missing="$missing $package"
done
fuzzer_ready || runtime=libclang-rt-dev

# A PostgreSQL that pg_config names, with headers and server, will do, wherever it came from.
pg_config=${PG_CONFIG:-pg_config}
server_ready() {
	command -v "$pg_config" >/dev/null 2>&1 &&
		[ -f "$("$pg_config" --includedir-server)/postgres.h" ] &&
		[ -x "$("$pg_config" --bindir)/postgres" ] &&
		[ -f "$("$pg_config" --pgxs)" ]
}

if [ -z "$missing$runtime" ] && server_ready; then
	echo "deps: everything is installed"
	exit 0
fi

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1; then
	as_root="sudo env DEBIAN_FRONTEND=noninteractive"
else
	echo "deps: missing packages:$missing $runtime; installing them needs root or sudo" >&2
	exit 1
fi

export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q

# Where the package does not exist, clang brings what is in it.
if [ -n "$runtime" ] && apt-cache show "$runtime" >/dev/null 2>&1; then
	missing="$missing $runtime"
fi

if ! server_ready; then
	# postgresql-common would create and start a cluster; ours are throw-away ones.
	if ! [ -e /etc/postgresql-common/createcluster.conf ]; then
		$as_root mkdir -p /etc/postgresql-common
		echo 'create_main_cluster = false' | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
		made_config=1
	fi
	version=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
	[ -n "$version" ] || { echo "deps: the package sources offer no PostgreSQL" >&2; exit 1; }
	missing="$missing postgresql-common postgresql-$version postgresql-server-dev-$version"
fi

# libpython's package asks about configuration files when ours exists: keep what is there.
# shellcheck disable=SC2086
$as_root apt-get install -y -q --no-install-recommends \
	-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $missing

if ! server_ready; then
	echo "deps: ${made_config:+(after installing $missing) }$pg_config still names no server with headers" >&2
	exit 1
fi
echo "deps: installed$missing"
