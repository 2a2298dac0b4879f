/*
 * fuzz_checkpoint.c
 *	  Any bytes as a checkpoint: read it as a run of a fixed shape would, as it
 *	  stands and with a checksum that fits.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/sha256.h"
#include "core/train/checkpoint.h"

static void
read_bytes(int fd, const uint8_t *data, size_t size)
{
	static const uint8_t fingerprint[RSTAR_FINGERPRINT_BYTES] = {'r', 'u', 'n'};
	uint8_t first[16], second[64];
	rstar_checkpoint_part parts[] = {{first, sizeof first}, {second, sizeof second}};
	uint64_t step;
	rstar_error err;

	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t) size)
		abort();
	lseek(fd, 0, SEEK_SET);
	(void) rstar_checkpoint_read(fd, &step, fingerprint, parts, 2, NULL, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	uint8_t *copy;
	rstar_sha256 sha;

	if (fd < 0)
		fd = memfd_create("checkpoint", 0);
	read_bytes(fd, data, size);
	if (size < RSTAR_SHA256_SIZE)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	rstar_sha256_init(&sha);
	rstar_sha256_update(&sha, copy, size - RSTAR_SHA256_SIZE);
	rstar_sha256_finish(&sha, copy + size - RSTAR_SHA256_SIZE);
	read_bytes(fd, copy, size);
	free(copy);
	return 0;
}
