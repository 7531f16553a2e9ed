# Starts a private PostgreSQL, says "ready", and ends it when standard input closes. A line there lets it crash and come
# back, which is said by "ready" again. The words after the password are options of the server's.
set -eu
programs=$1 port=$2 password=$3
shift 3
dir=$(mktemp -d "${TMPDIR:-/tmp}/relais-postgres.XXXXXX")
server=
finish() {
	[ -z "$server" ] || { kill -QUIT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
say() { cat "$dir/log" >&2; }

cd "$dir"
printf '%s\n' "$password" >password
"$programs/initdb" --pgdata=data --username=postgres --pwfile=password --auth=password \
	--encoding=UTF8 --locale=C.UTF-8 --no-sync >log 2>&1 || { say; exit 1; }
start() {
	"$programs/postgres" -D data -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 -c max_connections=300 \
		-c log_min_messages=fatal "$@" </dev/null >>log 2>&1 &
	server=$!
	until "$programs/pg_isready" --quiet --host=127.0.0.1 --port="$port"; do
		kill -0 "$server" 2>/dev/null || { say; exit 1; }
		sleep 0.05
	done
	echo ready
}
start "$@"
while read -r _; do
	kill -QUIT "$server" # what pg_ctl stop -m immediate does
	wait "$server" || true
	start "$@"
done
