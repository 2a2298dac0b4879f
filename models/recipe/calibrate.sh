#!/bin/sh
# Calibrates the built-in policy as it is installed, on problems that it was not trained on, in a throw-away server.
#
#   calibrate.sh PROBLEMS.jsonl TO-FOLDER [MOST]
#
# PROBLEMS: lines with "problem" and "answer" (null: it has none, and any answer is wrong). Writes TO-FOLDER/rstar-policy.calibration.json, which is
# installed beside the model, and recipe/figures/calibration.svg there; prints risk against coverage.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
problems=$1 to=$2 most=${3:-100000}
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-calibrate-XXXXXX")
chmod 0711 "$work"
server="$here/scripts/server.sh"
trap 'sh "$server" clean "$work/server" >/dev/null 2>&1; rm -rf "$work"' EXIT INT TERM

sh "$server" start "$work/server" >/dev/null
run() {
	sh "$server" run "$work/server" psql -Xq -v ON_ERROR_STOP=1 -v most="$most" "$@"
}

run -c "CREATE EXTENSION rstar" -c "CREATE TABLE lines (line jsonb)"
# Quote and delimiter are characters that JSON cannot hold.
run -c "COPY lines FROM stdin WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')" <"$problems"
run -P footer=off <<'SQL'
INSERT INTO rstar.problems (statement, answer, topic)
	SELECT line->>'problem', line->>'answer', coalesce(line->>'module', line->>'topic') FROM lines ORDER BY md5(line::text) LIMIT :most;
SET rstar.side_by_side = 32;
SELECT * FROM rstar_calibrate('rstar-policy', (SELECT array_agg(problem_id ORDER BY problem_id) FROM rstar.problems), max_wrong => 0.04);
SELECT min_confidence, given, round(coverage::numeric, 3) AS coverage, round(risk::numeric, 4) AS risk FROM rstar_calibration_levels();
SQL
run -At -c "SELECT jsonb_pretty(jsonb_build_object('min_confidence', round((defaults->>'min_confidence')::numeric, 3), 'calibration', calibration))
              FROM rstar.models WHERE name = 'rstar-policy'" >"$to/rstar-policy.calibration.json"
run -At -c "SELECT rstar_calibration_svg()" >"$to/recipe/figures/calibration.svg"
