/*
 * memory.h
 *	  Allocators and arenas.
 *
 * Core code allocates through an rstar_allocator that its caller passes in:
 * malloc in tests and for long-lived handles, a memory context in PostgreSQL.
 * NULL always means "out of memory", never an exception. An arena serves
 * parsers and trees: many small pieces, freed all at once.
 */
#ifndef RSTAR_BASE_MEMORY_H
#define RSTAR_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rstar_allocator
{
	void *(*alloc)(void *ctx, size_t size);
	void *(*realloc)(void *ctx, void *pointer, size_t size); /* pointer may be NULL */
	void (*free)(void *ctx, void *pointer);                  /* pointer may be NULL */
	void *ctx;
} rstar_allocator;

/* malloc, realloc and free. */
extern const rstar_allocator rstar_allocator_malloc;

/*
 * Allocate, return NULL when memory is out. The _array forms check count *
 * size for overflow; zeroed memory comes from the _zero forms. A size of 0
 * gives a pointer that can be freed.
 */
extern void *rstar_alloc(const rstar_allocator *allocator, size_t size);
extern void *rstar_alloc_zero(const rstar_allocator *allocator, size_t size);
extern void *rstar_alloc_array(const rstar_allocator *allocator, size_t count, size_t size);
extern void *rstar_alloc_array_zero(const rstar_allocator *allocator, size_t count, size_t size);
extern void *rstar_realloc_array(const rstar_allocator *allocator, void *pointer, size_t count,
								 size_t size);
extern void rstar_free(const rstar_allocator *allocator, void *pointer);
extern char *rstar_strndup(const rstar_allocator *allocator, const char *text, size_t length);

/*
 * Grow an array to hold at least `need` elements of `size` bytes, doubling its
 * capacity. On failure the old array stays valid and false is returned.
 */
extern bool rstar_grow(const rstar_allocator *allocator, void **array, size_t *capacity,
					   size_t need, size_t size);

/*
 * An arena hands out memory aligned to 16 bytes from blocks that grow up to
 * 1 MB. limit bounds the bytes it takes in all (0: no bound); at the limit an
 * allocation returns NULL, as when memory is out.
 */
typedef struct rstar_arena_block rstar_arena_block;

typedef struct rstar_arena
{
	const rstar_allocator *allocator;
	rstar_arena_block *block; /* the newest; older ones hang behind it */
	size_t limit;
	size_t total; /* bytes taken from the allocator */
} rstar_arena;

extern void rstar_arena_init(rstar_arena *arena, const rstar_allocator *allocator, size_t limit);
extern void *rstar_arena_alloc(rstar_arena *arena, size_t size);
extern void *rstar_arena_alloc_zero(rstar_arena *arena, size_t size);
extern void *rstar_arena_alloc_array(rstar_arena *arena, size_t count, size_t size);
extern char *rstar_arena_strndup(rstar_arena *arena, const char *text, size_t length);

/* Give everything back; the arena can be used again. */
extern void rstar_arena_reset(rstar_arena *arena);

/* A growing byte string. data is NUL-terminated whenever it is not NULL. */
typedef struct rstar_buffer
{
	const rstar_allocator *allocator;
	char *data;
	size_t length;
	size_t capacity;
} rstar_buffer;

extern void rstar_buffer_init(rstar_buffer *buffer, const rstar_allocator *allocator);
extern bool rstar_buffer_append(rstar_buffer *buffer, const void *bytes, size_t length);
extern bool rstar_buffer_append_text(rstar_buffer *buffer, const char *text);
extern bool rstar_buffer_printf(rstar_buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
extern void rstar_buffer_clear(rstar_buffer *buffer); /* length 0, memory kept */
extern void rstar_buffer_free(rstar_buffer *buffer);

#endif
