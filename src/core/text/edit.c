/*
 * edit.c
 *	  Are two texts at least so many characters apart?
 *
 * What the texts have in common at both ends decides nothing and is cut off
 * first. Point (i, j) means that i characters of a have become j of b; diagonal
 * d holds the points with j = i + d. reach[d] is the furthest i on d that e
 * edits reach; it grows with e until (length of a, length of b) is reached, or
 * e is k.
 */
#include "core/text/edit.h"

#include <stdlib.h>
#include <string.h>

#include "core/text/utf8.h"

typedef struct characters
{
	uint32_t *at;
	ptrdiff_t n;
} characters;

static bool
is_continuation(char byte)
{
	return ((unsigned char) byte & 0xC0) == 0x80;
}

/* Bytes that both texts begin with, cut back to where a character begins in both. */
static size_t
common_prefix(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t n = 0, least = a_length < b_length ? a_length : b_length;

	while (n < least && a[n] == b[n])
		n++;
	while (n > 0 &&
		   ((n < a_length && is_continuation(a[n])) || (n < b_length && is_continuation(b[n]))))
		n--;
	return n;
}

static size_t
common_suffix(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t n = 0, least = a_length < b_length ? a_length : b_length;

	while (n < least && a[a_length - 1 - n] == b[b_length - 1 - n])
		n++;
	while (n > 0 && is_continuation(a[a_length - n]))
		n--;
	return n;
}

static bool
decode(const char *text, size_t length, const rstar_allocator *allocator, characters *out)
{
	out->n = 0;
	out->at = rstar_alloc_array(allocator, length, sizeof *out->at);
	if (!out->at)
		return false;
	for (size_t i = 0; i < length;)
	{
		uint32_t code;
		size_t bytes = rstar_utf8_decode(text + i, length - i, &code);

		if (bytes == 0) /* a number that no character has */
		{
			code = 0x110000u + (unsigned char) text[i];
			bytes = 1;
		}
		out->at[out->n++] = code;
		i += bytes;
	}
	return true;
}

static ptrdiff_t
slide(const characters *a, const characters *b, ptrdiff_t i, ptrdiff_t d)
{
	while (i < a->n && i + d < b->n && a->at[i] == b->at[i + d])
		i++;
	return i;
}

/* The furthest i on diagonal d, one edit behind what `before` reaches; -1: none. */
static ptrdiff_t
advance(const characters *a, const characters *b, const ptrdiff_t *before, ptrdiff_t d)
{
	ptrdiff_t best = before[d - 1]; /* a character of b inserted */

	if (before[d] >= 0 && before[d] + 1 > best)
		best = before[d] + 1; /* one replaced */
	if (before[d + 1] >= 0 && before[d + 1] + 1 > best)
		best = before[d + 1] + 1; /* one of a deleted */
	if (best > a->n)
		best = a->n;
	if (best + d > b->n)
		best = b->n - d;
	if (best < 0 || best + d < 0)
		return -1;
	return slide(a, b, best, d);
}

/* Whether fewer than k edits suffice. reach and before hold 2k + 1 numbers each. */
static bool
within(const characters *a, const characters *b, ptrdiff_t k, ptrdiff_t *reach, ptrdiff_t *before)
{
	ptrdiff_t goal = b->n - a->n;

	for (ptrdiff_t i = 0; i < 2 * k + 1; i++)
		reach[i] = before[i] = -1;
	reach += k;
	before += k;
	reach[0] = slide(a, b, 0, 0);
	for (ptrdiff_t e = 0; e < k; e++)
	{
		ptrdiff_t *swap = before;

		if (goal >= -e && goal <= e && reach[goal] >= a->n)
			return true;
		if (e + 1 == k)
			break;
		before = reach;
		reach = swap;
		for (ptrdiff_t d = -(e + 1); d <= e + 1; d++)
			reach[d] = advance(a, b, before, d);
	}
	return false;
}

static rstar_status
measure(const characters *a, const characters *b, uint32_t k, const rstar_allocator *allocator,
		bool *apart, rstar_error *err)
{
	size_t most = (size_t) (a->n > b->n ? a->n : b->n);
	size_t size;
	ptrdiff_t *reach;

	if ((size_t) llabs(a->n - b->n) >= k || most < k)
	{
		*apart = most >= k;
		return RSTAR_OK;
	}
	size = 2 * (size_t) k + 1;
	reach = rstar_alloc_array(allocator, 2 * size, sizeof *reach);
	if (!reach)
		return rstar_error_memory(err, 2 * size * sizeof *reach);
	*apart = !within(a, b, (ptrdiff_t) k, reach, reach + size);
	rstar_free(allocator, reach);
	return RSTAR_OK;
}

rstar_status
rstar_edit_at_least(const char *a, size_t a_length, const char *b, size_t b_length, uint32_t k,
					const rstar_allocator *allocator, bool *apart, rstar_error *err)
{
	size_t common = common_prefix(a, a_length, b, b_length);
	characters x = {0}, y = {0};
	rstar_status status;

	a += common, a_length -= common;
	b += common, b_length -= common;
	common = common_suffix(a, a_length, b, b_length);
	a_length -= common, b_length -= common;
	if (decode(a, a_length, allocator, &x) && decode(b, b_length, allocator, &y))
		status = measure(&x, &y, k, allocator, apart, err);
	else
		status = rstar_error_memory(err, (a_length + b_length) * sizeof *x.at);
	rstar_free(allocator, x.at);
	rstar_free(allocator, y.at);
	return status;
}
