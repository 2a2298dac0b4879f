/*
 * checkpoint.h
 *	  Files from which a run goes on.
 *
 * A checkpoint is a number of byte strings ("parts") of sizes that the run
 * knows, in one file:
 *
 *		file   := "rstarckp", u32 version = 1, u32 n_parts, u64 step,
 *				  fingerprint[32], n_parts x u64 size, the parts' bytes, sha256[32]
 *
 * Integers are little-endian; the checksum is over all that stands before it. The
 * fingerprint names the run (its settings and examples), so that no other
 * run's file is taken for it. Files are called NAME-STEP.checkpoint. Writing is
 * atomic: into a file that begins with a dot, synced, renamed, the directory
 * synced; then all but the newest two are removed. So a crash at any moment
 * loses the steps since the last one and nothing else, and if that one is
 * damaged, the one before it serves.
 */
#ifndef RSTAR_TRAIN_CHECKPOINT_H
#define RSTAR_TRAIN_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

#define RSTAR_FINGERPRINT_BYTES 32

typedef struct rstar_checkpoint_part
{
	void *data;
	size_t size;
} rstar_checkpoint_part;

/*
 * Write a checkpoint of the run `name` (letters, digits, '-') into a directory,
 * which is created (0700) if only its last component is missing. Errors: IO;
 * CANCELLED. What was there before stays valid then.
 */
extern rstar_status rstar_checkpoint_save(const char *directory, const char *name, uint64_t step,
										  const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES],
										  const rstar_checkpoint_part *parts, uint32_t n,
										  const rstar_cancel *cancel, rstar_error *err);

/*
 * Fill the parts from the newest checkpoint that is whole and of this
 * fingerprint. Errors: NOT_FOUND (none), CORRUPT (files are there, but none is
 * any good; says why of the newest), IO. The parts may be overwritten then.
 */
extern rstar_status rstar_checkpoint_load(const char *directory, const char *name, uint64_t *step,
										  const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES],
										  const rstar_checkpoint_part *parts, uint32_t n,
										  const rstar_cancel *cancel, rstar_error *err);

/* Read one open file, from its beginning. Errors: CORRUPT, IO, CANCELLED. */
extern rstar_status rstar_checkpoint_read(int fd, uint64_t *step,
										  const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES],
										  const rstar_checkpoint_part *parts, uint32_t n,
										  const rstar_cancel *cancel, rstar_error *err);

/* Remove all checkpoints of a run, unfinished ones too. Nothing there is no error. */
extern void rstar_checkpoint_remove(const char *directory, const char *name);

#endif
