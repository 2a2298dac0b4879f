#!/bin/sh
# LoRA in the extension beside PyTorch's with peft: the same weights, examples and settings; loss on
# the held-out examples before and after, tokens a second, memory.
#
#   RSTAR_TORCH=/path/to/python sh test/bench/lora.sh HF_DIRECTORY EXAMPLES.jsonl [epochs] [batch tokens] [rate] [threads]
#
# A line of EXAMPLES has problem and solution. RSTAR_TORCH is a Python that has torch, transformers and peft; the order of the
# examples and the adapters' beginnings differ. LORA_OUT names a file for the merged model.
# The extension must be installed in the PostgreSQL that PG_CONFIG names.
set -eu
directory=$(realpath "$1") examples=$(realpath "$2")
epochs=${3:-2} batch=${4:-2048} rate=${5:-2e-4} threads=${6:-2}
cd "$(dirname "$0")/../.."
server=scripts/server.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-bench.XXXXXX")
trap 'sh $server clean "$work/server" >/dev/null 2>&1; rm -rf "$work"' EXIT
chmod 755 "$work"
sh $server start "$work/server" >/dev/null
make -s build/bench/example_ids

sql() { sh $server run "$work/server" psql -XAtq -v ON_ERROR_STOP=1 -c "SET rstar.threads = $threads; SET client_min_messages = warning" -c "$1"; }

# The worked examples of a prompt are 650 tokens, which a model that is trained does not need.
sql "CREATE EXTENSION rstar;
     SELECT rstar_model_import('base', '$directory', prompt_template => rstar_prompt_template('qwen2', 0));
     CREATE TABLE lines (n bigint GENERATED ALWAYS AS IDENTITY, line jsonb)" >/dev/null
sh $server run "$work/server" psql -Xq -c "\\copy lines (line) FROM STDIN WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')" <"$examples"
began=$(date +%s)
sql "SELECT rstar_train_policy('lora', 'base', 'SELECT line->>''problem'' AS problem, line->>''solution'' AS solution FROM lines ORDER BY n',
	method => 'lora', epochs => $epochs, batch_tokens => $batch, learning_rate => $rate, held_out => 0.1, foreground => true)" >/dev/null
sql "SELECT format('  rstar: %s trained parameters, %s examples, %s held out', trained_parameters,
            count(*) FILTER (WHERE NOT held_out), count(*) FILTER (WHERE held_out))
       FROM rstar.training_runs JOIN rstar.training_examples USING (run_id) GROUP BY trained_parameters;
     SELECT format('  rstar: held-out loss before %s, after %s, %s steps, %s tokens/s, %s MB planned, kernel %s',
            round(first_held_out_loss::numeric, 4), round(held_out_loss::numeric, 4), steps,
            (SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY tokens_per_s))::numeric) FROM rstar.training_steps),
            memory / 1048576, kernel) FROM rstar.training_runs"
echo "  rstar: $(($(date +%s) - began)) s in all"
if [ "${LORA_OUT:-}" ]; then
	cp "$work/server/data/rstar/$(sql "SELECT path FROM rstar.models WHERE name = 'lora'")" "$LORA_OUT"
fi
sql "SELECT prompt_template FROM rstar.models WHERE name = 'base'" >"$work/template"
sql "SELECT jsonb_build_object('problem', problem, 'solution', solution, 'held_out', held_out) FROM rstar.training_examples ORDER BY example_id" >"$work/examples"
build/bench/example_ids "$work/server/data/rstar/$(sql "SELECT path FROM rstar.models WHERE name = 'base'")" "$work/template" "$work/examples" "$work/ids"
${RSTAR_TORCH:-python3} test/bench/lora_peer.py "$directory" "$work/ids" 16 32 "$rate" "$epochs" "$batch" "$threads"
