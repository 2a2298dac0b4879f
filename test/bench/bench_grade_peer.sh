#!/bin/sh
# Our comparison of answers next to Math-Verify's, on the same cases in one run.
#
# Needs Math-Verify (PyPI math-verify) in a Python that PEER_PYTHON names
# (python3), and the folder of fixtures; without them it says so and does nothing.
set -eu

here=$(dirname "$0")
shared=${RSTAR_SHARED:-../shared}
python=${PEER_PYTHON:-python3}
program=build/bench/bench_grade

if ! "$python" -c 'import math_verify' 2>/dev/null; then
	echo "skipped: $python has no math_verify (pip install math-verify; PEER_PYTHON=...)"
	exit 0
fi
if [ ! -d "$shared/grading" ]; then
	echo "skipped: no folder $shared/grading"
	exit 0
fi
[ -x "$program" ] || make "$program"
for file in own_cases cases; do
	echo "$file.jsonl"
	"$program" --cases "$shared/grading/$file.jsonl"
	"$python" "$here/grade_peer.py" "$shared/grading/$file.jsonl"
done
