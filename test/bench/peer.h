/*
 * peer.h
 *	  The same measurements by another engine: llama-batched-bench of llama.cpp or
 *	  ik_llama.cpp, which prints a table (to stdout or stderr)
 *
 *		|    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s | ...
 *
 *	  a row for each number of sequences B over a shared prompt of PP tokens.
 */
#ifndef RSTAR_BENCH_PEER_H
#define RSTAR_BENCH_PEER_H

#include "bench.h"

typedef struct bench_peer_row
{
	uint32_t sequences;
	double prompt;   /* tokens per second */
	double decoding; /* of all sequences together */
} bench_peer_row;

/* Runs `program` on a file; fills up to `most` rows and returns how many it printed. */
static inline int
bench_peer_run(const char *program, const char *file, int threads, uint32_t prefix,
			   const char *batches, bench_peer_row *rows, int most)
{
	char command[4096], line[512];
	int n = 0;

	snprintf(command, sizeof command,
			 "'%s' -m '%s' -t %d -c 8192 -npp %u -ntg 16 -npl %s -pps 2>&1", program, file, threads,
			 prefix, batches);

	FILE *pipe = popen(command, "r");

	while (pipe && fgets(line, sizeof line, pipe))
	{
		bench_peer_row row;

		if (n < most && sscanf(line, "| %*u | %*u | %u | %*u | %*f | %lf | %*f | %lf",
							   &row.sequences, &row.prompt, &row.decoding) == 3)
			rows[n++] = row;
	}
	if (pipe && pclose(pipe) != 0)
		n = 0;
	return n;
}

#endif
