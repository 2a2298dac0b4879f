#!/bin/sh
# Build, install, start a throw-away server and solve some problems.
#
#   sh scripts/demo.sh
#
# The server runs as an unprivileged user and is gone afterwards, unless
# RSTAR_KEEP is set (to anything): then it stays, and the last lines say how to
# connect to it and how to end it. RSTAR_JOBS: parallel compilations.
set -eu

cd "$(dirname "$0")/.."
PG_CONFIG=${PG_CONFIG:-pg_config}
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-demo.XXXXXX")
kept=
finish() {
	[ -z "$kept" ] || return 0
	sh scripts/server.sh clean "$work/server" >/dev/null 2>&1
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

seconds() { date +%s; }
began=$(seconds)

# Shows how far the compiler is; on a terminal in one line, else now and then.
progress() {
	if [ -t 1 ]; then tty=1; else tty=0; fi
	awk -v all="$1" -v tty="$tty" '
		/ -c / && /\.c( |$)/ {
			done++
			if (tty) { printf "\r  %d of %d files", done, all; fflush() }
			else if (done % 20 == 0) { printf "  %d of %d files\n", done, all; fflush() }
		}
		END { if (tty && done) print "" }'
}

echo "Building rstar for $("$PG_CONFIG" --version) ..."
files=$(make -n all PG_CONFIG="$PG_CONFIG" 2>/dev/null | grep -c -E ' -c .*\.c( |$)' || true)
{
	make -j"${RSTAR_JOBS:-$(nproc)}" all PG_CONFIG="$PG_CONFIG" 2>&1 || echo failed >"$work/failed"
} | tee "$work/build.log" | progress "$files"
if [ -e "$work/failed" ]; then
	grep -E 'error|Error|fatal' "$work/build.log" || tail -n 40 "$work/build.log"
	exit 1
fi

if [ -w "$("$PG_CONFIG" --pkglibdir)" ] && [ -w "$("$PG_CONFIG" --sharedir)" ]; then as_root=; else as_root=sudo; fi
$as_root make -s install PG_CONFIG="$PG_CONFIG" >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
echo "Built and installed after $(($(seconds) - began)) s."

chmod 0755 "$work"
sh scripts/server.sh start "$work/server"
echo "A throw-away server runs, as user $(sh scripts/server.sh user)."
cp sql/demo.sql "$work/demo.sql"
sh scripts/server.sh run "$work/server" psql -X -q -v ON_ERROR_STOP=1 -P pager=off -f "$work/demo.sql"
echo "Done after $(($(seconds) - began)) s."

if [ -n "${RSTAR_KEEP:-}" ]; then
	kept=1
	echo
	echo "The server stays. Connect:  $("$PG_CONFIG" --bindir)/psql -h $work/server/socket -p $(cat "$work/server/port") -U postgres postgres"
	echo "End and remove it:          sh scripts/server.sh clean $work/server && rm -rf $work"
else
	echo "The server is gone; with RSTAR_KEEP=1 it would stay for you to try things (RSTAR_KEEP=1 make demo)."
fi
