/*
 * heap_template.h
 *	  A binary heap in an array, written once for entries of any type.
 *
 * The including file defines HEAP_ENTRY, HEAP_OWNER (what an order may look at) and
 * comes_before(const HEAP_OWNER *, HEAP_ENTRY, HEAP_ENTRY): does the first of the two
 * entries come out before the other? Counts and memory stay with it.
 */

/* Put an entry into a heap of n; the array has room for it. */
static void
heap_insert(const HEAP_OWNER *owner, HEAP_ENTRY *heap, size_t n, HEAP_ENTRY entry)
{
	size_t at = n;

	for (; at > 0 && comes_before(owner, entry, heap[(at - 1) / 2]); at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = entry;
}

/* Take the first entry out of a heap of n, which has n - 1 then. */
static HEAP_ENTRY
heap_remove(const HEAP_OWNER *owner, HEAP_ENTRY *heap, size_t n)
{
	HEAP_ENTRY top = heap[0];
	HEAP_ENTRY last = heap[--n];
	size_t at = 0;

	for (;;)
	{
		size_t child = 2 * at + 1;

		if (child >= n)
			break;
		if (child + 1 < n && comes_before(owner, heap[child + 1], heap[child]))
			child++;
		if (!comes_before(owner, heap[child], last))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return top;
}
