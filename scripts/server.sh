#!/bin/sh
# A throw-away PostgreSQL server.
#
#   server.sh start DIR [setting=value ...]   make a cluster in DIR (which must not exist) and start it
#   server.sh stop DIR                        stop it
#   server.sh restart DIR                     stop and start it
#   server.sh clean DIR                       stop it and remove DIR
#   server.sh run DIR COMMAND ...             run a command as the server's user, with PGHOST etc. set
#   server.sh user                            print the user that servers run as
#
# The server listens on a Unix socket inside DIR only, so that any number of
# them live side by side and nobody else can connect; the system's own clusters
# are never touched. As root, it runs as the user postgres (or nobody), since
# PostgreSQL refuses root; as an ordinary user, as that user.
set -eu

PG_CONFIG=${PG_CONFIG:-pg_config}
BINDIR=$("$PG_CONFIG" --bindir)

server_user() {
	if [ "$(id -u)" != 0 ]; then
		id -un
	elif id postgres >/dev/null 2>&1; then
		echo postgres
	else
		echo nobody
	fi
}

# Run a command as the server's user, in a directory that it can read.
as_user() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec runuser -u "$(server_user)" -- "$@")
	else
		(cd / && exec "$@")
	fi
}

with_environment() {
	as_user env PGHOST="$dir/socket" PGPORT="$(cat "$dir/port")" PGUSER=postgres PGDATABASE=postgres \
		PATH="$BINDIR:$PATH" HOME="$dir" LC_ALL=C.UTF-8 "$@"
}

make_cluster() {
	[ ! -e "$dir" ] || { echo "server: $dir exists already" >&2; exit 1; }
	mkdir -p "$dir"
	chmod 0700 "$dir"
	# No other server can meet this port: the socket's directory is its own.
	port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 30000))
	echo "$port" >"$dir/port"
	[ "$(id -u)" != 0 ] || chown -R "$(server_user)" "$dir"
	as_user mkdir -m 0700 "$dir/socket"
	as_user "$BINDIR/initdb" -D "$dir/data" -U postgres -E UTF8 --locale=C.UTF-8 -A trust -N \
		>"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$dir/socket'"
		echo "port = $port"
		echo "fsync = off"
		echo "shared_buffers = 32MB"
		echo "max_connections = 40"
		echo "log_line_prefix = '%m [%p] %q%a '"
		for setting in "$@"; do
			echo "${setting%%=*} = '${setting#*=}'"
		done
	} | as_user tee -a "$dir/data/postgresql.conf" >/dev/null
}

start_server() {
	with_environment "$BINDIR/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 start \
		>"$dir/pg_ctl.log" 2>&1 </dev/null || { cat "$dir/pg_ctl.log" "$dir/server.log" >&2; exit 1; }
}

stop_server() {
	[ -f "$dir/data/postmaster.pid" ] || return 0
	with_environment "$BINDIR/pg_ctl" -D "$dir/data" -m fast -w -t 60 stop >/dev/null 2>&1 ||
		with_environment "$BINDIR/pg_ctl" -D "$dir/data" -m immediate -w -t 60 stop >/dev/null
}

command=${1:-}
if [ "$command" = user ]; then
	server_user
	exit 0
fi
[ $# -ge 2 ] || { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
case $2 in
	/*) dir=$2 ;;
	*) dir=$PWD/$2 ;;
esac
shift 2

case $command in
	start) make_cluster "$@" && start_server ;;
	stop) stop_server ;;
	restart) stop_server && start_server ;;
	clean) stop_server; rm -rf "$dir" ;;
	run) with_environment "$@" ;;
	*) echo "server: unknown command \"$command\"" >&2; exit 2 ;;
esac
