#!/bin/sh
# PyTorch on the same shapes as bench_train.c, in each of its modes, for the figures beside ours.
#
#   RSTAR_TORCH=/path/to/python make bench BENCH=train
#
# RSTAR_TORCH is a Python that has torch; without it, python3, and without torch there the
# comparison is left out. RSTAR_TRAIN_MODES says which modes (compiling takes minutes).
set -u
cd "$(dirname "$0")/../.." || exit 1

python=${RSTAR_TORCH:-python3}
modes=${RSTAR_TRAIN_MODES:-f32 bf16 f32-compiled bf16-compiled}
if ! "$python" -c 'import torch' 2>/dev/null; then
	echo "PyTorch is not here (RSTAR_TORCH names a Python that has it); left out"
	exit 0
fi
for shape in 6.6M 25M; do
	echo "$shape, 2 threads"
	for mode in $modes; do
		"$python" test/bench/train_peer.py "$shape" 2 3 "$mode" 2>/dev/null || echo "  $mode: failed"
	done
done
