/*
 * textindex.c
 *	  A hash table of 32-bit indices over texts that live elsewhere.
 */
#include "core/text/textindex.h"

bool
rstar_text_index_init(rstar_text_index *index, const rstar_allocator *allocator, uint32_t items)
{
	uint32_t slots = 16;

	index->slots = NULL;
	if (items > RSTAR_TEXT_MAX_ITEMS)
		return false;
	/*
	 * At most two thirds full, so that a walk always meets a free slot. Half full
	 * walks less, but when a vocabulary opens the kernel then clears twice the pages,
	 * which costs more (measured).
	 */
	while (slots < items + items / 2)
		slots *= 2;
	index->item_bits = 1;
	while (((uint32_t) 1 << index->item_bits) <= items)
		index->item_bits++;
	index->item_mask = ((uint32_t) 1 << index->item_bits) - 1;
	index->mask = slots - 1;
	index->slots = rstar_alloc_array_zero(allocator, slots, sizeof(uint32_t));
	return index->slots != NULL;
}

void
rstar_text_index_free(rstar_text_index *index, const rstar_allocator *allocator)
{
	rstar_free(allocator, index->slots);
	index->slots = NULL;
}
