#!/bin/sh
# Build, install, start a throw-away server and show what works so far.
#
#   sh scripts/demo.sh
#
# The server runs as an unprivileged user and is gone afterwards.
set -eu

cd "$(dirname "$0")/.."
PG_CONFIG=${PG_CONFIG:-pg_config}
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-demo.XXXXXX")
trap 'sh scripts/server.sh clean "$work/server" >/dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

echo "Building ..."
make -s -j"${RSTAR_JOBS:-$(nproc)}" all PG_CONFIG="$PG_CONFIG" >"$work/build.log" 2>&1 ||
	{ tail -n 40 "$work/build.log"; exit 1; }
if [ -w "$("$PG_CONFIG" --pkglibdir)" ]; then as_root=; else as_root=sudo; fi
$as_root make -s install PG_CONFIG="$PG_CONFIG" >"$work/install.log" 2>&1 ||
	{ cat "$work/install.log"; exit 1; }

echo "Starting a throw-away server ..."
chmod 0755 "$work"
sh scripts/server.sh start "$work/server"
cat sql/demo.sql >"$work/demo.sql"
sh scripts/server.sh run "$work/server" psql -X -q -v ON_ERROR_STOP=1 -P pager=off -f "$work/demo.sql"
