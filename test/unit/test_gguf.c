/*
 * test_gguf.c
 *	  Reading and writing GGUF files: round trips, and every way of being wrong.
 */
#include "check.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/model/gguf.h"
#include "core/tensor/half.h"
#include "core/tensor/quants.h"

static const rstar_allocator *const heap = &rstar_allocator_malloc;

/* --- files built by hand --------------------------------------------------- */

typedef struct bytes
{
	_Alignas(8) uint8_t data[8192];
	size_t length;
} bytes;

static void
put(bytes *file, const void *data, size_t length)
{
	memcpy(file->data + file->length, data, length);
	file->length += length;
}

static void
put32(bytes *file, uint32_t value)
{
	put(file, &value, 4);
}

static void
put64(bytes *file, uint64_t value)
{
	put(file, &value, 8);
}

static void
put_text(bytes *file, const char *text)
{
	put64(file, strlen(text));
	put(file, text, strlen(text));
}

static void
put_header(bytes *file, uint64_t n_tensors, uint64_t n_keys)
{
	memset(file, 0, sizeof *file);
	put(file, "GGUF", 4);
	put32(file, 3);
	put64(file, n_tensors);
	put64(file, n_keys);
}

static void
put_tensor(bytes *file, const char *name, uint64_t columns, uint64_t rows, uint32_t type,
		   uint64_t offset)
{
	put_text(file, name);
	put32(file, 2);
	put64(file, columns);
	put64(file, rows);
	put32(file, type);
	put64(file, offset);
}

static void
pad(bytes *file, size_t alignment)
{
	while (file->length % alignment != 0)
		file->data[file->length++] = 0;
}

/* Open and close; the status, and the message in *err. */
static rstar_status
attempt(const bytes *file, rstar_error *err)
{
	rstar_gguf *gguf;
	rstar_status st = rstar_gguf_open_memory(file->data, file->length, heap, &gguf, err);

	if (st == RSTAR_OK)
		rstar_gguf_close(gguf);
	else
		CHECK(gguf == NULL);
	return st;
}

#define REFUSED(file, wanted, part)                                                                \
	do                                                                                             \
	{                                                                                              \
		rstar_error problem = {0};                                                                 \
		rstar_status status = attempt((file), &problem);                                           \
		CHECK_MSG(status == (wanted), "status %s, %s", rstar_status_name(status),                  \
				  problem.message);                                                                \
		CHECK_MSG(strstr(problem.message, (part)) != NULL, "message \"%s\"", problem.message);     \
	} while (0)

/* One key, two tensors of 64 floats. */
static void
small_file(bytes *file)
{
	put_header(file, 2, 1);
	put_text(file, "answer");
	put32(file, RSTAR_GGUF_U32);
	put32(file, 42);
	put_tensor(file, "a", 16, 4, RSTAR_TYPE_F32, 0);
	put_tensor(file, "b", 16, 4, RSTAR_TYPE_F32, 256);
	pad(file, 32);
	for (int i = 0; i < 128; i++)
	{
		float value = (float) i;

		put(file, &value, 4);
	}
}

static void
small_file_opens(void)
{
	bytes file;
	rstar_gguf *gguf = NULL;
	rstar_error err;
	uint64_t value = 0;
	const rstar_gguf_tensor *tensor;

	small_file(&file);
	CHECK(rstar_gguf_open_memory(file.data, file.length, heap, &gguf, &err) == RSTAR_OK);
	CHECK(rstar_gguf_get_u64(gguf, "answer", &value) && value == 42);
	CHECK(!rstar_gguf_get_u64(gguf, "question", &value));
	tensor = rstar_gguf_find_tensor(gguf, "b");
	CHECK(tensor && ((const float *) tensor->data)[0] == 64.0f && tensor->bytes == 256);
	CHECK(rstar_gguf_find_tensor(gguf, "c") == NULL);
	CHECK(rstar_gguf_find_tensor(gguf, "") == NULL);
	CHECK(rstar_gguf_check_data(gguf, NULL, &err) == RSTAR_OK);
	rstar_gguf_close(gguf);
	rstar_gguf_close(NULL);
}

static void
every_truncation_is_refused(void)
{
	bytes file;
	int opened = 0;

	small_file(&file);
	for (size_t length = 0; length < file.length; length++)
	{
		/* a copy of just that size, so that ASan sees a read beyond */
		uint8_t *exact = malloc(length ? length : 1);
		rstar_gguf *gguf;
		rstar_error err = {0};

		memcpy(exact, file.data, length);
		opened += rstar_gguf_open_memory(exact, length, heap, &gguf, &err) == RSTAR_OK;
		CHECK(err.message[0] != '\0');
		rstar_gguf_close(gguf);
		free(exact);
	}
	CHECK_MSG(opened == 0, "%d", opened);
}

/* No flip of one bit leads astray: refused, or everything lies inside. */
static void
every_bit_flip_is_survived(void)
{
	bytes file;
	int refused = 0;

	small_file(&file);
	for (size_t bit = 0; bit < file.length * 8; bit++)
	{
		uint8_t *exact = malloc(file.length);
		rstar_gguf *gguf;
		rstar_error err = {0};

		memcpy(exact, file.data, file.length);
		exact[bit / 8] ^= (uint8_t) (1 << bit % 8);
		if (rstar_gguf_open_memory(exact, file.length, heap, &gguf, &err) == RSTAR_OK)
			(void) rstar_gguf_check_data(gguf, NULL, &err); /* reads all tensors */
		else
			refused++;
		rstar_gguf_close(gguf);
		free(exact);
	}
	CHECK_MSG(refused > 300, "%d", refused);
}

static void
wrong_headers(void)
{
	bytes file;

	small_file(&file);
	file.data[0] = 'g';
	REFUSED(&file, RSTAR_ERR_CORRUPT, "not a GGUF file");
	small_file(&file);
	file.data[4] = 1;
	REFUSED(&file, RSTAR_ERR_UNSUPPORTED, "version 1");
	file.data[4] = 4;
	REFUSED(&file, RSTAR_ERR_UNSUPPORTED, "version 4");
	memcpy(file.data + 4, "\0\0\0\3", 4);
	REFUSED(&file, RSTAR_ERR_UNSUPPORTED, "byte order");
	put_header(&file, UINT64_MAX, 0);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "claims");
	put_header(&file, 0, UINT64_MAX);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "claims");
	put_header(&file, 1, 0);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "claims");
	put_header(&file, 0, 0);
	CHECK(attempt(&file, NULL) == RSTAR_OK);
}

static void
wrong_keys(void)
{
	bytes file;

	put_header(&file, 0, 2);
	for (int i = 0; i < 2; i++)
	{
		put_text(&file, "twice");
		put32(&file, RSTAR_GGUF_U8);
		put(&file, "x", 1);
	}
	REFUSED(&file, RSTAR_ERR_CORRUPT, "\"twice\" appears twice");

	put_header(&file, 0, 1);
	put_text(&file, "");
	pad(&file, 64);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "invalid key");

	put_header(&file, 0, 1);
	put64(&file, 3);
	put(&file, "a\0b", 3);
	pad(&file, 64);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "invalid key");

	put_header(&file, 0, 1);
	put_text(&file, "k\n\xff");
	put32(&file, 13);
	pad(&file, 64);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "\"k??\" has unknown type 13");

	put_header(&file, 0, 1);
	put64(&file, UINT64_MAX - 4);
	pad(&file, 64);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "ends within key");
}

static void
wrong_arrays(void)
{
	static const uint64_t counts[] = {UINT64_MAX, UINT64_MAX / 4 + 1, 1 << 20};

	for (int string = 0; string < 2; string++)
		for (size_t i = 0; i < 3; i++)
		{
			bytes file;

			put_header(&file, 0, 1);
			put_text(&file, "list");
			put32(&file, RSTAR_GGUF_ARRAY);
			put32(&file, string ? RSTAR_GGUF_STRING : RSTAR_GGUF_F32);
			put64(&file, counts[i]);
			pad(&file, 1024);
			REFUSED(&file, RSTAR_ERR_CORRUPT, "ends within an array");
		}
	for (uint32_t type = 9; type < 14; type += 4)
	{
		bytes file;

		put_header(&file, 0, 1);
		put_text(&file, "list");
		put32(&file, RSTAR_GGUF_ARRAY);
		put32(&file, type);
		put64(&file, 1);
		pad(&file, 64);
		REFUSED(&file, type == 9 ? RSTAR_ERR_UNSUPPORTED : RSTAR_ERR_CORRUPT, "elements of type");
	}
}

static void
wrong_alignment(void)
{
	static const uint32_t values[] = {0, 1, 4, 24, 1u << 21, UINT32_MAX};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
	{
		bytes file;

		put_header(&file, 0, 1);
		put_text(&file, "general.alignment");
		put32(&file, RSTAR_GGUF_U32);
		put32(&file, values[i]);
		REFUSED(&file, RSTAR_ERR_CORRUPT, "general.alignment");
	}
}

/* A file with one tensor as told, and 1024 bytes of data. */
static void
one_tensor(bytes *file, uint64_t columns, uint64_t rows, uint32_t type, uint64_t offset)
{
	put_header(file, 1, 0);
	put_tensor(file, "t", columns, rows, type, offset);
	pad(file, 32);
	file->length += 1024;
}

static void
wrong_tensors(void)
{
	bytes file;

	one_tensor(&file, 16, 16, RSTAR_TYPE_F32, 0);
	CHECK(attempt(&file, NULL) == RSTAR_OK);
	one_tensor(&file, 16, 17, RSTAR_TYPE_F32, 0);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "beyond the end");
	one_tensor(&file, 16, 16, RSTAR_TYPE_F32, 32);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "beyond the end");
	one_tensor(&file, 16, 1, RSTAR_TYPE_F32, UINT64_MAX - 31);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "beyond the end");
	one_tensor(&file, 16, 1, RSTAR_TYPE_F32, 16);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "no multiple of 32");
	one_tensor(&file, 0, 16, RSTAR_TYPE_F32, 0);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "impossible dimensions");
	one_tensor(&file, (uint64_t) 1 << 32, (uint64_t) 1 << 32, RSTAR_TYPE_F32, 0);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "impossible dimensions");
	one_tensor(&file, (uint64_t) 1 << 30, (uint64_t) 1 << 30, RSTAR_TYPE_F32, 0);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "beyond the end");
	one_tensor(&file, (uint64_t) 1 << 62, 1, RSTAR_TYPE_F32, 0);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "impossible dimensions");
	one_tensor(&file, 33, 1, RSTAR_TYPE_Q8_0, 0);
	REFUSED(&file, RSTAR_ERR_CORRUPT, "no multiple of 32");
	one_tensor(&file, 256, 1, 99, 0);
	REFUSED(&file, RSTAR_ERR_UNSUPPORTED, "unknown element type 99");

	put_header(&file, 2, 0);
	put_tensor(&file, "one", 16, 1, RSTAR_TYPE_F32, 0);
	put_tensor(&file, "two", 16, 1, RSTAR_TYPE_F32, 32);
	pad(&file, 32);
	file.length += 1024;
	REFUSED(&file, RSTAR_ERR_CORRUPT, "overlap");

	put_header(&file, 2, 0);
	put_tensor(&file, "one", 16, 1, RSTAR_TYPE_F32, 0);
	put_tensor(&file, "one", 16, 1, RSTAR_TYPE_F32, 64);
	pad(&file, 32);
	file.length += 1024;
	REFUSED(&file, RSTAR_ERR_CORRUPT, "appears twice");

	put_header(&file, 1, 0);
	put_text(&file, "many");
	put32(&file, 5);
	file.length += 128;
	REFUSED(&file, RSTAR_ERR_CORRUPT, "5 dimensions");
}

static void
integers_of_every_type(void)
{
	bytes file;
	rstar_gguf *gguf = NULL;
	rstar_error err;
	int64_t i64;
	uint64_t u64;
	double f64;
	static const struct
	{
		uint32_t type;
		uint32_t size;
		int64_t value;
	} cases[] = {
		{RSTAR_GGUF_U8, 1, 200},         {RSTAR_GGUF_I8, 1, -100},
		{RSTAR_GGUF_U16, 2, 60000},      {RSTAR_GGUF_I16, 2, -30000},
		{RSTAR_GGUF_U32, 4, 4000000000}, {RSTAR_GGUF_I32, 4, -2000000000},
		{RSTAR_GGUF_U64, 8, INT64_MAX},  {RSTAR_GGUF_I64, 8, INT64_MIN},
		{RSTAR_GGUF_U64, 8, -1}, /* that is 2^64 - 1 */
	};
	enum
	{
		n = sizeof cases / sizeof *cases
	};
	char name[2] = "a";

	put_header(&file, 0, n);
	for (size_t i = 0; i < n; i++, name[0]++)
	{
		put_text(&file, name);
		put32(&file, cases[i].type);
		put(&file, &cases[i].value, cases[i].size);
	}
	CHECK(rstar_gguf_open_memory(file.data, file.length, heap, &gguf, &err) == RSTAR_OK);
	name[0] = 'a';
	for (size_t i = 0; i < n - 1; i++, name[0]++)
	{
		CHECK(rstar_gguf_get_i64(gguf, name, &i64) && i64 == cases[i].value);
		CHECK(rstar_gguf_get_u64(gguf, name, &u64) == (cases[i].value >= 0));
		CHECK(!rstar_gguf_get_f64(gguf, name, &f64));
	}
	CHECK(!rstar_gguf_get_i64(gguf, name, &i64));
	CHECK(rstar_gguf_get_u64(gguf, name, &u64) && u64 == UINT64_MAX);
	rstar_gguf_close(gguf);
}

static void
nan_in_data(void)
{
	bytes file;
	rstar_gguf *gguf = NULL;
	rstar_error err = {0};
	float bad = NAN;

	small_file(&file);
	memcpy(file.data + file.length - 4 * 10, &bad, 4); /* row 3, column 6 of "b" */
	CHECK(rstar_gguf_open_memory(file.data, file.length, heap, &gguf, &err) == RSTAR_OK);
	CHECK(rstar_gguf_check_data(gguf, NULL, &err) == RSTAR_ERR_CORRUPT);
	CHECK_STR(err.message, "tensor \"b\" contains NaN or infinity");
	CHECK_STR(err.detail, "First at row 3, column 6.");
	rstar_gguf_close(gguf);
}

/* --- writing --------------------------------------------------------------- */

static rstar_status
counting_source(void *arg, uint64_t offset, void *buffer, size_t length, rstar_error *err)
{
	uint64_t *next = arg;

	if (offset != *next || offset % 4 != 0 || length % 4 != 0)
		return rstar_error_set(err, RSTAR_ERR_INTERNAL, "pieces out of order");
	for (size_t i = 0; i < length / 4; i++)
		((float *) buffer)[i] = (float) (offset / 4 + i);
	*next += length;
	return RSTAR_OK;
}

static int
new_file(void)
{
	return memfd_create("rstar test", 0);
}

/* A file of that beginning and so many zeros. */
static int
long_file(const bytes *beginning, off_t zeros)
{
	int fd = new_file();

	CHECK(write(fd, beginning->data, beginning->length) == (ssize_t) beginning->length);
	CHECK(ftruncate(fd, (off_t) beginning->length + zeros) == 0);
	return fd;
}

static bool
at_third(void *arg)
{
	return ++*(int *) arg == 3;
}

/* One long array of strings is left when the cancel comes; too many keys are not begun. */
static void
long_headers(void)
{
	int asked = 0;
	rstar_cancel cancel = {at_third, &asked};
	rstar_gguf *gguf = NULL;
	rstar_error err = {0};
	bytes file;
	int fd;

	put_header(&file, 0, 1);
	put_text(&file, "empty");
	put32(&file, RSTAR_GGUF_ARRAY);
	put32(&file, RSTAR_GGUF_STRING);
	put64(&file, 100000);
	fd = long_file(&file, 800000);
	CHECK(rstar_gguf_open_fd(fd, heap, &cancel, &gguf, &err) == RSTAR_ERR_CANCELLED);
	CHECK(gguf == NULL && asked == 3);
	CHECK(rstar_gguf_open_fd(fd, heap, NULL, &gguf, &err) == RSTAR_OK);
	rstar_gguf_close(gguf);
	close(fd);

	put_header(&file, 0, 65537);
	fd = long_file(&file, 14 * 65537);
	CHECK(rstar_gguf_open_fd(fd, heap, NULL, &gguf, &err) == RSTAR_ERR_LIMIT);
	CHECK_MSG(strstr(err.message, "too many keys") != NULL, "%s", err.message);
	close(fd);
}

static void
add_everything(rstar_gguf_writer *writer, uint64_t *next)
{
	static const int16_t numbers[] = {1, -2, 3};
	static const rstar_string words[] = {{"one", 3}, {"", 0}, {"t\0o", 3}};
	static const float row[64] = {[63] = 1.5f};
	static const uint64_t one_row[] = {64};
	static const uint64_t large[] = {1000, 70};

	rstar_gguf_writer_string(writer, "general.architecture", "test", 4);
	rstar_gguf_writer_u32(writer, "u32", 7);
	rstar_gguf_writer_u64(writer, "u64", (uint64_t) 1 << 40);
	rstar_gguf_writer_f32(writer, "f32", 0.25f);
	rstar_gguf_writer_bool(writer, "bool", true);
	rstar_gguf_writer_array(writer, "array", RSTAR_GGUF_I16, numbers, 3);
	rstar_gguf_writer_strings(writer, "strings", words, 3);
	rstar_gguf_writer_tensor(writer, "row", RSTAR_TYPE_F32, 1, one_row, row);
	*next = 0;
	rstar_gguf_writer_tensor_source(writer, "large", RSTAR_TYPE_F32, 2, large, counting_source,
									next);
	rstar_gguf_writer_tensor(writer, "last", RSTAR_TYPE_F32, 1, one_row, row);
}

static void
check_everything(const rstar_gguf *gguf)
{
	uint64_t u64 = 0;
	double f64 = 0.0;
	bool flag = false;
	rstar_gguf_array array = {0};
	const char *cursor;
	rstar_string word;
	const rstar_gguf_tensor *tensor;

	CHECK(rstar_gguf_get_u64(gguf, "u32", &u64) && u64 == 7);
	CHECK(rstar_gguf_get_u64(gguf, "u64", &u64) && u64 == (uint64_t) 1 << 40);
	CHECK(rstar_gguf_get_f64(gguf, "f32", &f64) && f64 == 0.25);
	CHECK(rstar_gguf_get_bool(gguf, "bool", &flag) && flag);
	CHECK(rstar_gguf_get_array(gguf, "array", &array) && array.count == 3);
	CHECK(rstar_gguf_array_i64(&array, 1) == -2 && rstar_gguf_array_f64(&array, 2) == 3.0);
	CHECK(rstar_gguf_get_array(gguf, "strings", &array) && array.count == 3);
	cursor = array.data;
	word = rstar_gguf_next_string(&cursor);
	CHECK(word.length == 3 && memcmp(word.data, "one", 3) == 0);
	CHECK(rstar_gguf_next_string(&cursor).length == 0);
	word = rstar_gguf_next_string(&cursor);
	CHECK(word.length == 3 && memcmp(word.data, "t\0o", 3) == 0);
	tensor = rstar_gguf_find_tensor(gguf, "row");
	CHECK(tensor && ((const float *) tensor->data)[63] == 1.5f);
	tensor = rstar_gguf_find_tensor(gguf, "large");
	CHECK(tensor && tensor->dims[0] == 1000 && tensor->dims[1] == 70);
	for (size_t i = 0; tensor && i < 70000; i += 999)
		CHECK(((const float *) tensor->data)[i] == (float) i);
	tensor = rstar_gguf_find_tensor(gguf, "last");
	CHECK(tensor && ((const float *) tensor->data)[63] == 1.5f);
}

static void
round_trip(void)
{
	rstar_gguf_writer *writer = NULL;
	rstar_gguf *gguf = NULL;
	rstar_gguf *copy = NULL;
	rstar_error err = {0};
	uint64_t next;
	int fd = new_file();

	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	add_everything(writer, &next);
	CHECK(rstar_gguf_writer_finish(writer, fd, NULL, &err) == RSTAR_OK);
	rstar_gguf_writer_free(writer);
	CHECK(rstar_gguf_open_fd(fd, heap, NULL, &gguf, &err) == RSTAR_OK);
	close(fd);
	check_everything(gguf);

	/* and once more, every key copied */
	fd = new_file();
	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	rstar_gguf_writer_u32(writer, "mine", 1);
	rstar_gguf_writer_copy(writer, gguf, "u64");
	rstar_gguf_writer_copy(writer, gguf, "no such key");
	rstar_gguf_writer_copy_prefix(writer, gguf, "");
	for (uint64_t i = 0; i < rstar_gguf_n_tensors(gguf); i++)
	{
		const rstar_gguf_tensor *tensor = rstar_gguf_tensor_at(gguf, i);
		char name[16] = {0};

		memcpy(name, tensor->name.data, tensor->name.length);
		rstar_gguf_writer_tensor(writer, name, tensor->type, tensor->n_dims, tensor->dims,
								 tensor->data);
	}
	CHECK(rstar_gguf_writer_finish(writer, fd, NULL, &err) == RSTAR_OK);
	rstar_gguf_writer_free(writer);
	CHECK(rstar_gguf_open_fd(fd, heap, NULL, &copy, &err) == RSTAR_OK);
	close(fd);
	check_everything(copy);
	CHECK(rstar_gguf_n_keys(copy) == rstar_gguf_n_keys(gguf) + 1);
	rstar_gguf_close(copy);
	rstar_gguf_close(gguf);
}

static rstar_status
finish_to(rstar_gguf_writer *writer, int fd, const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status st = rstar_gguf_writer_finish(writer, fd, cancel, err);

	rstar_gguf_writer_free(writer);
	return st;
}

static bool
always(void *arg)
{
	(void) arg;
	return true;
}

static rstar_status
failing_source(void *arg, uint64_t offset, void *buffer, size_t length, rstar_error *err)
{
	(void) arg;
	(void) offset;
	(void) buffer;
	(void) length;
	return rstar_error_set(err, RSTAR_ERR_IO, "no data today");
}

static void
writer_remembers_failures(void)
{
	rstar_gguf_writer *writer = NULL;
	rstar_error err = {0};
	static const uint64_t odd[] = {33};
	static const float zeros[64] = {0};
	static const uint64_t fine[] = {64};
	rstar_cancel cancel = {always, NULL};
	uint64_t next;
	int fd = new_file();

	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	rstar_gguf_writer_u32(writer, "k", 1);
	rstar_gguf_writer_u32(writer, "k", 2);
	rstar_gguf_writer_u32(writer, "l", 2);
	CHECK(finish_to(writer, fd, NULL, &err) == RSTAR_ERR_ARGUMENT);
	CHECK_STR(err.message, "key \"k\" was added twice");

	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	rstar_gguf_writer_tensor(writer, "t", RSTAR_TYPE_Q8_0, 1, odd, zeros);
	CHECK(finish_to(writer, fd, NULL, &err) == RSTAR_ERR_ARGUMENT);

	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	rstar_gguf_writer_tensor(writer, "t", RSTAR_TYPE_F32, 1, fine, zeros);
	rstar_gguf_writer_tensor(writer, "t", RSTAR_TYPE_F32, 1, fine, zeros);
	CHECK(finish_to(writer, fd, NULL, &err) == RSTAR_ERR_ARGUMENT);

	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	rstar_gguf_writer_tensor_source(writer, "t", RSTAR_TYPE_F32, 1, fine, failing_source, NULL);
	CHECK(finish_to(writer, fd, NULL, &err) == RSTAR_ERR_IO);
	CHECK_STR(err.message, "no data today");

	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	add_everything(writer, &next);
	CHECK(finish_to(writer, fd, &cancel, &err) == RSTAR_ERR_CANCELLED);
	close(fd);

	fd = open("/dev/full", O_WRONLY);
	if (fd >= 0)
	{
		CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
		add_everything(writer, &next);
		CHECK(finish_to(writer, fd, NULL, &err) == RSTAR_ERR_IO);
		CHECK(strstr(err.message, "No space left") != NULL);
		close(fd);
	}
}

/* An allocator that fails at the n-th request: every failure is a status. */
typedef struct failing_heap
{
	int left;
	int live;
} failing_heap;

static void *
failing_realloc(void *ctx, void *pointer, size_t size)
{
	failing_heap *state = ctx;
	void *grown;

	if (state->left-- <= 0)
		return NULL;
	grown = realloc(pointer, size);
	state->live += grown && !pointer;
	return grown;
}

static void *
failing_alloc(void *ctx, size_t size)
{
	return failing_realloc(ctx, NULL, size);
}

static void
failing_free(void *ctx, void *pointer)
{
	((failing_heap *) ctx)->live -= pointer != NULL;
	free(pointer);
}

static void
out_of_memory_everywhere(void)
{
	bytes file;
	int opened = 0;

	small_file(&file);
	for (int n = 0; n < 40; n++)
	{
		failing_heap state = {n, 0};
		rstar_allocator allocator = {failing_alloc, failing_realloc, failing_free, &state};
		rstar_gguf *gguf = NULL;
		rstar_gguf_writer *writer = NULL;
		rstar_error err = {0};
		uint64_t next;
		rstar_status st = rstar_gguf_open_memory(file.data, file.length, &allocator, &gguf, &err);

		CHECK(st == RSTAR_OK || st == RSTAR_ERR_MEMORY);
		opened += st == RSTAR_OK;
		rstar_gguf_close(gguf);
		CHECK(state.live == 0);

		state.left = n;
		if (rstar_gguf_writer_create(&writer, &allocator, &err) == RSTAR_OK)
		{
			int fd = new_file();

			add_everything(writer, &next);
			st = finish_to(writer, fd, NULL, &err);
			CHECK(st == RSTAR_OK || st == RSTAR_ERR_MEMORY);
			close(fd);
		}
		CHECK(state.live == 0);
	}
	CHECK(opened > 0);
}

static void
only_regular_files(void)
{
	rstar_gguf *gguf;
	rstar_error err = {0};
	char fifo[] = "/tmp/rstar-test-fifo-XXXXXX";
	int fd = mkstemp(fifo);

	close(fd);
	CHECK(rstar_gguf_open(fifo, heap, &gguf, &err) == RSTAR_ERR_CORRUPT);
	CHECK_STR(err.message, "model file is empty");
	unlink(fifo);
	CHECK(rstar_gguf_open(fifo, heap, &gguf, &err) == RSTAR_ERR_NOT_FOUND);
	CHECK(mkfifo(fifo, 0600) == 0);
	CHECK(rstar_gguf_open(fifo, heap, &gguf, &err) == RSTAR_ERR_DENIED);
	unlink(fifo);
	CHECK(rstar_gguf_open("/tmp", heap, &gguf, &err) == RSTAR_ERR_DENIED);
	CHECK(rstar_gguf_open("/dev/zero", heap, &gguf, &err) == RSTAR_ERR_DENIED);
}

int
main(void)
{
	RUN(small_file_opens);
	RUN(every_truncation_is_refused);
	RUN(every_bit_flip_is_survived);
	RUN(wrong_headers);
	RUN(wrong_keys);
	RUN(wrong_arrays);
	RUN(wrong_alignment);
	RUN(long_headers);
	RUN(wrong_tensors);
	RUN(integers_of_every_type);
	RUN(nan_in_data);
	RUN(round_trip);
	RUN(writer_remembers_failures);
	RUN(out_of_memory_everywhere);
	RUN(only_regular_files);
	return CHECK_RESULT();
}
