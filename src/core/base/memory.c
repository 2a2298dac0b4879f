/*
 * memory.c
 *	  Allocators, arenas and growing buffers.
 */
#include "core/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_FIRST_BLOCK   ((size_t) 4096)
#define ARENA_LARGEST_BLOCK ((size_t) 1 << 20)

static void *
malloc_alloc(void *ctx, size_t size)
{
	(void) ctx;
	return malloc(size ? size : 1);
}

static void *
malloc_realloc(void *ctx, void *pointer, size_t size)
{
	(void) ctx;
	return realloc(pointer, size ? size : 1);
}

static void
malloc_free(void *ctx, void *pointer)
{
	(void) ctx;
	free(pointer);
}

const rstar_allocator rstar_allocator_malloc = {malloc_alloc, malloc_realloc, malloc_free, NULL};

void *
rstar_alloc(const rstar_allocator *allocator, size_t size)
{
	return allocator->alloc(allocator->ctx, size ? size : 1);
}

void *
rstar_alloc_zero(const rstar_allocator *allocator, size_t size)
{
	void *pointer = rstar_alloc(allocator, size);

	if (pointer)
		memset(pointer, 0, size);
	return pointer;
}

void *
rstar_alloc_array(const rstar_allocator *allocator, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return rstar_alloc(allocator, bytes);
}

void *
rstar_alloc_array_zero(const rstar_allocator *allocator, size_t count, size_t size)
{
	void *array = rstar_alloc_array(allocator, count, size);

	if (array)
		memset(array, 0, count * size);
	return array;
}

void *
rstar_realloc_array(const rstar_allocator *allocator, void *pointer, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return allocator->realloc(allocator->ctx, pointer, bytes ? bytes : 1);
}

void
rstar_free(const rstar_allocator *allocator, void *pointer)
{
	if (pointer)
		allocator->free(allocator->ctx, pointer);
}

/* Fill a copy's memory, which may be NULL, with the text and the zero behind it. */
static char *
copy_text(char *copy, const char *text, size_t length)
{
	if (copy)
	{
		if (length > 0)
			memcpy(copy, text, length);
		copy[length] = '\0';
	}
	return copy;
}

char *
rstar_strndup(const rstar_allocator *allocator, const char *text, size_t length)
{
	if (length == SIZE_MAX)
		return NULL;
	return copy_text(rstar_alloc(allocator, length + 1), text, length);
}

bool
rstar_grow(const rstar_allocator *allocator, void **array, size_t *capacity, size_t need,
		   size_t size)
{
	size_t wanted = *capacity ? *capacity : 8;
	void *grown;

	if (need <= *capacity)
		return true;
	while (wanted < need)
	{
		if (wanted > SIZE_MAX / 2)
			return false;
		wanted *= 2;
	}
	grown = rstar_realloc_array(allocator, *array, wanted, size);
	if (!grown)
		return false;
	*array = grown;
	*capacity = wanted;
	return true;
}

struct rstar_arena_block
{
	rstar_arena_block *older;
	size_t size; /* bytes behind the header */
	size_t used;
	char data[] __attribute__((aligned(16)));
};

void
rstar_arena_init(rstar_arena *arena, const rstar_allocator *allocator, size_t limit)
{
	arena->allocator = allocator;
	arena->block = NULL;
	arena->limit = limit;
	arena->total = 0;
}

static bool
arena_add_block(rstar_arena *arena, size_t need)
{
	size_t size = arena->block ? arena->block->size * 2 : ARENA_FIRST_BLOCK;
	rstar_arena_block *block;

	if (size > ARENA_LARGEST_BLOCK)
		size = ARENA_LARGEST_BLOCK;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(rstar_arena_block))
		return false;
	if (arena->limit && (size > arena->limit || arena->total > arena->limit - size))
	{
		size = need;
		if (size > arena->limit || arena->total > arena->limit - size)
			return false;
	}
	block = rstar_alloc(arena->allocator, sizeof(rstar_arena_block) + size);
	if (!block)
		return false;
	block->older = arena->block;
	block->size = size;
	block->used = 0;
	arena->block = block;
	arena->total += size;
	return true;
}

void *
rstar_arena_alloc(rstar_arena *arena, size_t size)
{
	rstar_arena_block *block = arena->block;
	void *pointer;

	if (size > SIZE_MAX - 15)
		return NULL;
	size = (size + 15) & ~(size_t) 15;
	if (!block || block->size - block->used < size)
	{
		if (!arena_add_block(arena, size))
			return NULL;
		block = arena->block;
	}
	pointer = block->data + block->used;
	block->used += size;
	return pointer;
}

void *
rstar_arena_alloc_zero(rstar_arena *arena, size_t size)
{
	void *pointer = rstar_arena_alloc(arena, size);

	if (pointer)
		memset(pointer, 0, size);
	return pointer;
}

void *
rstar_arena_alloc_array(rstar_arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return rstar_arena_alloc(arena, bytes);
}

char *
rstar_arena_strndup(rstar_arena *arena, const char *text, size_t length)
{
	if (length == SIZE_MAX)
		return NULL;
	return copy_text(rstar_arena_alloc(arena, length + 1), text, length);
}

void
rstar_arena_reset(rstar_arena *arena)
{
	while (arena->block)
	{
		rstar_arena_block *older = arena->block->older;

		rstar_free(arena->allocator, arena->block);
		arena->block = older;
	}
	arena->total = 0;
}

void
rstar_buffer_init(rstar_buffer *buffer, const rstar_allocator *allocator)
{
	buffer->allocator = allocator;
	buffer->data = NULL;
	buffer->length = 0;
	buffer->capacity = 0;
}

static bool
buffer_reserve(rstar_buffer *buffer, size_t more)
{
	if (more >= SIZE_MAX - buffer->length)
		return false;
	return rstar_grow(buffer->allocator, (void **) &buffer->data, &buffer->capacity,
					  buffer->length + more + 1, 1);
}

bool
rstar_buffer_append(rstar_buffer *buffer, const void *bytes, size_t length)
{
	if (!buffer_reserve(buffer, length))
		return false;
	if (length > 0)
		memcpy(buffer->data + buffer->length, bytes, length);
	buffer->length += length;
	buffer->data[buffer->length] = '\0';
	return true;
}

bool
rstar_buffer_append_text(rstar_buffer *buffer, const char *text)
{
	return rstar_buffer_append(buffer, text, strlen(text));
}

bool
rstar_buffer_printf(rstar_buffer *buffer, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !buffer_reserve(buffer, (size_t) length))
		return false;
	va_start(args, format);
	vsnprintf(buffer->data + buffer->length, (size_t) length + 1, format, args);
	va_end(args);
	buffer->length += (size_t) length;
	return true;
}

void
rstar_buffer_clear(rstar_buffer *buffer)
{
	buffer->length = 0;
	if (buffer->data)
		buffer->data[0] = '\0';
}

void
rstar_buffer_free(rstar_buffer *buffer)
{
	rstar_free(buffer->allocator, buffer->data);
	buffer->data = NULL;
	buffer->length = 0;
	buffer->capacity = 0;
}
