#!/bin/sh
# From the start of a backend to its first logits, on a 1.5B model in page cache.
#
#   bench_connection.sh [MODEL.gguf]
#
# Without a model it writes one of random weights, with the vocabulary of the
# optional fixtures. Each connection runs the same short prompt for one token
# four times; what counts is backend start to the end of the first call, less
# the median of the others (the same pass in a warm backend).
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
shared=${RSTAR_SHARED:-$here/../shared}
connections=11
work=$(mktemp -d /tmp/rstar-connection-XXXXXX)
chmod 0711 "$work"
server="$here/scripts/server.sh"
trap 'sh "$server" clean "$work/server" >/dev/null 2>&1; rm -rf "$work"' EXIT INT TERM

model=${1:-}
if [ -z "$model" ]; then
	vocabulary=$shared/fixtures/tokenizer/ggml-vocab-qwen2.gguf
	if [ ! -e "$vocabulary" ]; then
		echo "skipped: no $vocabulary"
		exit 0
	fi
	make -s -C "$here" build/bench/make_random_model
	model=$work/model.gguf
	"$here/build/bench/make_random_model" "$model" "$vocabulary"
	chmod 0644 "$model"
fi

sh "$server" start "$work/server" >/dev/null
run() {
	sh "$server" run "$work/server" psql -XqAt -v ON_ERROR_STOP=1 "$@"
}
run -c "CREATE EXTENSION rstar" \
	-c "SELECT rstar_model_import('bench', '$model', 'policy')" >/dev/null

# The first call stands alone, before anything else has warmed the backend up.
cat >"$work/first.sql" <<SQL
SELECT rstar_generate('What is 17 * 23? Think step by step.', model => 'bench', max_tokens => 1, temperature => 0) \g /dev/null
SELECT extract(epoch FROM clock_timestamp() - backend_start) * 1000 FROM pg_stat_activity WHERE pid = pg_backend_pid();
DO \$\$
DECLARE
	start timestamptz;
	ms float8[];
BEGIN
	FOR i IN 1 .. 3 LOOP
		start := clock_timestamp();
		PERFORM rstar_generate('What is 17 * 23? Think step by step.', model => 'bench', max_tokens => 1, temperature => 0);
		ms := ms || extract(epoch FROM clock_timestamp() - start) * 1000;
	END LOOP;
	RAISE NOTICE 'warm %', (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM unnest(ms) x);
END
\$\$;
SQL
chmod 0644 "$work"/*.sql
for i in $(seq "$connections"); do
	run -f "$work/first.sql" 2>&1 | sed 's/.*warm //' | tr '\n' ' '
	echo
done >"$work/times"
awk -v n="$connections" '
	{ first[NR] = $1; warm[NR] = $2; extra[NR] = $1 - $2 }
	function median(v,    i, j, x) {
		for (i = 2; i <= n; i++) {
			x = v[i]
			for (j = i - 1; j > 0 && v[j] > x; j--)
				v[j + 1] = v[j]
			v[j + 1] = x
		}
		return v[int((n + 1) / 2)]
	}
	END {
		printf "backend start to first logits   %8.1f ms, median of %d connections\n", median(first), n
		printf "the same pass, warm             %8.1f ms\n", median(warm)
		printf "difference                      %8.1f ms (goal 50)\n", median(extra)
	}' "$work/times"
