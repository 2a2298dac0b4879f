/*
 * textindex.h
 *	  A hash table of 32-bit indices over texts that live elsewhere.
 *
 * The table neither owns nor sees the texts: a slot holds an item's number
 * plus one, and in the bits that the number leaves free a tag cut from the
 * hash, so that nearly every mismatch is settled without touching the text.
 * Looking up means walking candidates and comparing:
 *
 *		rstar_text_probe probe = rstar_text_probe_start(index, hash);
 *		while ((item = rstar_text_probe_next(index, &probe)) != RSTAR_NO_ITEM)
 *			if (the text of `item` is the one looked for)
 *				...
 *
 * A failed walk ends at the free slot where the text belongs; insertion goes
 * there. Collisions are bounded, since texts come from files that may be
 * hostile: after RSTAR_TEXT_MAX_PROBES steps insertion refuses.
 */
#ifndef RSTAR_TEXT_TEXTINDEX_H
#define RSTAR_TEXT_TEXTINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/memory.h"

#define RSTAR_NO_ITEM         UINT32_MAX
#define RSTAR_TEXT_MAX_PROBES 1024
#define RSTAR_TEXT_MAX_ITEMS  ((uint32_t) 1 << 26)

typedef struct rstar_text_index
{
	uint32_t *slots;    /* 0: free */
	uint32_t mask;      /* slots - 1, slots a power of two */
	uint32_t item_mask; /* the low bits, item + 1 */
	uint32_t item_bits;
} rstar_text_index;

typedef struct rstar_text_probe
{
	uint32_t slot;
	uint32_t tag;
	uint32_t steps;
} rstar_text_probe;

/* Room for `items` items; false when memory is out. */
extern bool rstar_text_index_init(rstar_text_index *index, const rstar_allocator *allocator,
								  uint32_t items);
extern void rstar_text_index_free(rstar_text_index *index, const rstar_allocator *allocator);

static inline uint64_t
rstar_text_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128) a * b;

	return (uint64_t) product ^ (uint64_t) (product >> 64);
}

#define RSTAR_TEXT_K1 0x9E3779B97F4A7C15u
#define RSTAR_TEXT_K2 0xD6E8FEB86659FD93u
#define RSTAR_TEXT_K3 0xA0761D6478BD642Fu

static inline uint64_t
rstar_text_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* What both hashes below make of the last 8 bytes and those before them. */
static inline uint64_t
rstar_text_hash_words(uint64_t before, uint64_t last, size_t length)
{
	return rstar_text_fold(last ^ RSTAR_TEXT_K1, (before ^ RSTAR_TEXT_K2) + length * RSTAR_TEXT_K3);
}

/* The bytes of a text longer than 16 but for its last 8. */
static inline uint64_t
rstar_text_hash_front(const char *text, size_t length)
{
	uint64_t hash = 0;

	for (; length > 8; text += 8, length -= 8)
		hash = rstar_text_fold(hash ^ rstar_text_load(text) ^ RSTAR_TEXT_K2, RSTAR_TEXT_K1);
	return hash;
}

/* A hash of bytes; equal in every process. */
static inline uint64_t
rstar_text_hash(const char *text, size_t length)
{
	uint64_t last = 0;

	if (length > 16)
		return rstar_text_hash_words(rstar_text_hash_front(text, length),
									 rstar_text_load(text + length - 8), length);
	if (length > 8)
		return rstar_text_hash_words(rstar_text_load(text), rstar_text_load(text + length - 8),
									 length);
	for (size_t i = length; i > 0; i--)
		last = last << 8 | (unsigned char) text[i - 1];
	return rstar_text_hash_words(0, last, length);
}

/*
 * The same for a text (length > 0) with 8 readable bytes in front of it, as in
 * a string array of the map: without a branch on short lengths, which opening
 * a vocabulary would guess wrong 300,000 times.
 */
static inline uint64_t
rstar_text_hash_behind(const char *text, size_t length)
{
	uint64_t last = rstar_text_load(text + length - 8);
	uint64_t before = 0;

	if (__builtin_expect(length > 16, 0))
		return rstar_text_hash_words(rstar_text_hash_front(text, length), last, length);
	if (length > 8)
		before = rstar_text_load(text);
	if (length < 8)
		last >>= 64 - 8 * length;
	return rstar_text_hash_words(before, last, length);
}

/* The hash of a pair of texts, from their hashes; order matters. */
static inline uint64_t
rstar_text_hash_pair(uint64_t left, uint64_t right)
{
	return rstar_text_fold(left ^ RSTAR_TEXT_K2, right + RSTAR_TEXT_K3);
}

static inline rstar_text_probe
rstar_text_probe_start(const rstar_text_index *index, uint64_t hash)
{
	rstar_text_probe probe;

	probe.slot = (uint32_t) hash & index->mask;
	probe.tag = (uint32_t) (hash >> 32) & ~index->item_mask;
	probe.steps = 0;
	return probe;
}

static inline void
rstar_text_index_prefetch(const rstar_text_index *index, uint64_t hash)
{
	__builtin_prefetch(&index->slots[(uint32_t) hash & index->mask], 1);
}

/* The next item whose tag fits, or RSTAR_NO_ITEM. */
static inline uint32_t
rstar_text_probe_next(const rstar_text_index *index, rstar_text_probe *probe)
{
	while (probe->steps <= RSTAR_TEXT_MAX_PROBES)
	{
		uint32_t value = index->slots[probe->slot];

		if (value == 0)
			break;
		probe->slot = (probe->slot + 1) & index->mask;
		probe->steps++;
		if ((value & ~index->item_mask) == probe->tag)
			return (value & index->item_mask) - 1;
	}
	return RSTAR_NO_ITEM;
}

/* Insert behind a walk that ended; false: too many collisions. */
static inline bool
rstar_text_index_put(rstar_text_index *index, const rstar_text_probe *probe, uint32_t item)
{
	if (probe->steps > RSTAR_TEXT_MAX_PROBES)
		return false;
	index->slots[probe->slot] = probe->tag | (item + 1);
	return true;
}

#endif
