/*
 * test_store.c
 *	  The model directory: what gets in, what is refused, what is left behind.
 */
#include "check.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/model/create.h"
#include "core/model/store.h"
#include "core/model/weights.h"

static rstar_status
prepare_and_commit(rstar_store_entry *entry, const rstar_allocator *allocator,
				   const rstar_cancel *cancel, rstar_error *err)
{
	rstar_status status = rstar_store_prepare(entry, allocator, cancel, err);

	return status == RSTAR_OK ? rstar_store_commit(entry, err) : status;
}

static const rstar_allocator *const heap = &rstar_allocator_malloc;
static char directory[64];

static void
path_of(const char *name, char path[256])
{
	snprintf(path, 256, "%s/%s", directory, name);
}

static void
write_model(int fd, uint64_t seed)
{
	rstar_hparams hparams = {.arch = RSTAR_ARCH_LLAMA,
							 .n_vocab = 16,
							 .n_context = 64,
							 .n_embd = 32,
							 .n_layer = 2,
							 .n_head = 2,
							 .n_head_kv = 2,
							 .head_dim = 16,
							 .n_ff = 32,
							 .rope_dim = 16,
							 .rope_base = 10000.0f,
							 .rope_scale = 1.0f,
							 .rope_magnitude = 1.0f,
							 .norm_eps = 1e-6f};
	rstar_create_options options = {.seed = seed};
	rstar_gguf_writer *writer = NULL;
	rstar_create *create = NULL;
	rstar_error err = {0};

	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	CHECK(rstar_create_begin(&hparams, &options, heap, writer, &create, &err) == RSTAR_OK);
	CHECK(rstar_gguf_writer_finish(writer, fd, NULL, &err) == RSTAR_OK);
	rstar_gguf_writer_free(writer);
	rstar_create_free(create);
}

/* Put a model in; its entry (ended) tells the name. */
static rstar_store_entry
install(uint64_t seed)
{
	rstar_store_entry entry;
	rstar_error err = {0};

	CHECK_MSG(rstar_store_begin(directory, &entry, &err) == RSTAR_OK, "%s", err.message);
	write_model(entry.fd, seed);
	CHECK_MSG(prepare_and_commit(&entry, heap, NULL, &err) == RSTAR_OK, "%s", err.message);
	rstar_store_end(&entry);
	return entry;
}

typedef struct tally
{
	int finished;
	int unfinished;
} tally;

static rstar_status
count_file(void *arg, const char *name, uint64_t size, bool unfinished, int64_t age_s,
		   rstar_error *err)
{
	tally *counts = arg;

	(void) size;
	(void) err;
	CHECK(name[0] != '\0' && age_s >= -1 && age_s < 3600);
	if (unfinished)
		counts->unfinished++;
	else
		counts->finished++;
	return RSTAR_OK;
}

static tally
count_files(void)
{
	tally counts = {0, 0};
	rstar_error err;

	CHECK(rstar_store_list(directory, count_file, &counts, &err) == RSTAR_OK);
	return counts;
}

static void
identify(const char *name, char identity[RSTAR_STORE_IDENTITY_SIZE])
{
	rstar_gguf *gguf = NULL;
	rstar_error err = {0};
	int fd;

	CHECK(rstar_store_open(directory, name, &fd, &err) == RSTAR_OK);
	CHECK_MSG(rstar_gguf_open_fd(fd, heap, NULL, &gguf, &err) == RSTAR_OK, "%s", err.message);
	CHECK_MSG(rstar_store_identity(gguf, fd, identity, NULL, &err) == RSTAR_OK, "%s", err.message);
	rstar_gguf_close(gguf);
	close(fd);
}

static void
a_model_gets_in(void)
{
	rstar_store_entry entry;
	rstar_error err = {0};
	struct stat info;
	char path[256];
	char identity[RSTAR_STORE_IDENTITY_SIZE];
	int fd;

	CHECK(count_files().finished == 0); /* the directory is not there yet */
	entry = install(1);
	CHECK(strlen(entry.facts.sha256) == 64 && strncmp(entry.name, entry.facts.sha256, 64) == 0);
	CHECK(stat(directory, &info) == 0 && (info.st_mode & 0777) == 0700);
	path_of(entry.name, path);
	CHECK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0400);
	CHECK((uint64_t) info.st_size == entry.facts.size);
	identify(entry.name, identity);
	CHECK(strlen(identity) == 32);
	CHECK_STR(identity, entry.facts.identity);
	CHECK(rstar_store_open(directory, entry.name, &fd, &err) == RSTAR_OK);
	CHECK_MSG(rstar_store_verify(fd, entry.facts.size, entry.facts.sha256, heap, NULL, &err) ==
				  RSTAR_OK,
			  "%s", err.message);
	CHECK(rstar_store_verify(fd, entry.facts.size + 1, entry.facts.sha256, heap, NULL, &err) ==
		  RSTAR_ERR_CORRUPT);
	entry.facts.sha256[5] ^= 1;
	CHECK(rstar_store_verify(fd, entry.facts.size, entry.facts.sha256, heap, NULL, &err) ==
		  RSTAR_ERR_CORRUPT);
	close(fd);
}

static void
the_same_again(void)
{
	rstar_store_entry first = install(1);
	rstar_store_entry second = install(2);
	tally counts = count_files();

	CHECK(strcmp(first.name, second.name) != 0);
	CHECK_MSG(counts.finished == 2 && counts.unfinished == 0, "%d, %d", counts.finished,
			  counts.unfinished);
}

static void
damage_is_found(void)
{
	rstar_store_entry entry = install(3);
	rstar_error err = {0};
	char path[256];
	int fd;

	path_of(entry.name, path);
	CHECK(chmod(path, 0600) == 0);
	fd = open(path, O_RDWR);
	CHECK(pwrite(fd, "\x01", 1, (off_t) entry.facts.size - 100) == 1);
	CHECK(rstar_store_verify(fd, entry.facts.size, entry.facts.sha256, heap, NULL, &err) ==
		  RSTAR_ERR_CORRUPT);
	CHECK_STR(err.message, "model file does not have its checksum");
	CHECK(pwrite(fd, "\xff\xff\xff\x7f", 4, (off_t) entry.facts.size - 64) == 4);
	CHECK(rstar_store_verify(fd, entry.facts.size, entry.facts.sha256, heap, NULL, &err) ==
		  RSTAR_ERR_CORRUPT);
	CHECK(strstr(err.message, "NaN") != NULL);
	close(fd);
	CHECK(rstar_store_remove(directory, entry.name, &err) == RSTAR_OK);
	CHECK(rstar_store_remove(directory, entry.name, &err) == RSTAR_ERR_NOT_FOUND);
}

/* Files of one shape have one length; their identities differ all the same. */
static void
identities_differ(void)
{
	enum
	{
		files = 8
	};
	char found[files][RSTAR_STORE_IDENTITY_SIZE];
	uint64_t size = install(20).facts.size;

	for (uint64_t i = 0; i < files; i++)
	{
		rstar_store_entry entry = install(20 + i);

		CHECK(entry.facts.size == size);
		strcpy(found[i], entry.facts.identity);
		for (uint64_t j = 0; j < i; j++)
			CHECK(strcmp(found[i], found[j]) != 0);
	}
}

/* Change one byte of a file and look at its identity; then change it back. */
static bool
byte_matters(const rstar_store_entry *entry, uint64_t at)
{
	char identity[RSTAR_STORE_IDENTITY_SIZE];
	char path[256];
	uint8_t byte;
	int fd;

	path_of(entry->name, path);
	CHECK(chmod(path, 0600) == 0);
	fd = open(path, O_RDWR);
	CHECK(pread(fd, &byte, 1, (off_t) at) == 1);
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, (off_t) at) == 1);
	identify(entry->name, identity);
	byte ^= 1;
	CHECK(pwrite(fd, &byte, 1, (off_t) at) == 1);
	close(fd);
	return strcmp(identity, entry->facts.identity) != 0;
}

/* Every number among the keys counts, and 32 bytes of each tensor. */
static void
identities_see(void)
{
	rstar_store_entry entry = install(40);
	rstar_gguf *gguf = NULL;
	rstar_error err = {0};
	int fd;

	CHECK(rstar_store_open(directory, entry.name, &fd, &err) == RSTAR_OK);
	CHECK(rstar_gguf_open_fd(fd, heap, NULL, &gguf, &err) == RSTAR_OK);
	close(fd);
	for (uint64_t i = 0; i < rstar_gguf_n_keys(gguf); i++)
	{
		rstar_gguf_type type;
		rstar_string key = rstar_gguf_key(gguf, i, &type);
		rstar_string value = rstar_gguf_value(gguf, i);

		if (type == RSTAR_GGUF_F32) /* others would not be taken for a model any more */
			CHECK_MSG(byte_matters(&entry, (uint64_t) (value.data - (char *) rstar_gguf_map(gguf))),
					  "%.*s", (int) key.length, key.data);
	}
	for (uint64_t i = 0; i < rstar_gguf_n_tensors(gguf); i++)
	{
		const rstar_gguf_tensor *tensor = rstar_gguf_tensor_at(gguf, i);
		uint64_t at =
			(uint64_t) ((const char *) tensor->data - (const char *) rstar_gguf_map(gguf));
		uint64_t seen = 0;

		if (tensor->bytes > 2048)
			continue; /* time */
		for (uint64_t byte = 0; byte < tensor->bytes; byte++)
			seen += byte_matters(&entry, at + byte);
		CHECK_MSG(seen == (tensor->bytes < 32 ? tensor->bytes : 32), "%.*s: %llu",
				  (int) tensor->name.length, tensor->name.data, (unsigned long long) seen);
	}
	rstar_gguf_close(gguf);
}

static void
what_is_no_model_stays_out(void)
{
	rstar_store_entry entry;
	rstar_error err = {0};
	int before = count_files().finished;

	CHECK(rstar_store_begin(directory, &entry, &err) == RSTAR_OK);
	CHECK(count_files().unfinished == 1);
	CHECK(prepare_and_commit(&entry, heap, NULL, &err) == RSTAR_ERR_CORRUPT); /* empty */
	CHECK(write(entry.fd, "hello", 5) == 5);
	CHECK(prepare_and_commit(&entry, heap, NULL, &err) == RSTAR_ERR_CORRUPT);
	rstar_store_end(&entry);
	rstar_store_end(&entry); /* twice does no harm */
	CHECK(count_files().finished == before && count_files().unfinished == 0);
}

static void
copying(void)
{
	rstar_store_entry from = install(4);
	rstar_store_entry entry;
	rstar_error err = {0};
	int pipes[2];
	int fd;

	CHECK(rstar_store_open(directory, from.name, &fd, &err) == RSTAR_OK);
	CHECK(rstar_store_begin(directory, &entry, &err) == RSTAR_OK);
	CHECK(rstar_store_copy(&entry, fd, NULL, &err) == RSTAR_OK);
	CHECK(prepare_and_commit(&entry, heap, NULL, &err) == RSTAR_OK);
	CHECK_STR(entry.name, from.name);
	close(fd);
	CHECK(pipe(pipes) == 0);
	CHECK(rstar_store_copy(&entry, pipes[0], NULL, &err) == RSTAR_ERR_DENIED);
	close(pipes[0]);
	close(pipes[1]);
	rstar_store_end(&entry);
}

static bool
always(void *arg)
{
	(void) arg;
	return true;
}

static void
cancelling(void)
{
	rstar_cancel cancel = {always, NULL};
	rstar_store_entry from = install(5);
	rstar_store_entry entry;
	rstar_error err = {0};
	int before = count_files().finished;
	int fd;

	CHECK(rstar_store_open(directory, from.name, &fd, &err) == RSTAR_OK);
	CHECK(rstar_store_begin(directory, &entry, &err) == RSTAR_OK);
	CHECK(rstar_store_copy(&entry, fd, &cancel, &err) == RSTAR_ERR_CANCELLED);
	rstar_store_end(&entry);
	CHECK(rstar_store_begin(directory, &entry, &err) == RSTAR_OK);
	write_model(entry.fd, 6);
	CHECK(prepare_and_commit(&entry, heap, &cancel, &err) == RSTAR_ERR_CANCELLED);
	rstar_store_end(&entry);
	close(fd);
	CHECK(count_files().finished == before && count_files().unfinished == 0);
}

static void
names_and_links(void)
{
	static const char *const bad[] = {
		"",    ".",    "..",   "a/b",   "/etc/passwd", "../x.gguf", ".hidden",
		"a b", "a\nb", "x\\y", "naïve", "$share/x",    "x:y",       "*",
	};
	char path[256];
	rstar_error err = {0};
	int fd;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
	{
		CHECK_MSG(rstar_store_open(directory, bad[i], &fd, &err) == RSTAR_ERR_DENIED, "\"%s\"",
				  bad[i]);
		CHECK(rstar_store_remove(directory, bad[i], &err) == RSTAR_ERR_DENIED);
	}
	memset(path, 'a', 255);
	path[255] = '\0';
	CHECK(rstar_store_check_name(path, &err) == RSTAR_ERR_DENIED);
	CHECK(rstar_store_check_name("Qwen2.5-Math_1.5B-q8_0.gguf", &err) == RSTAR_OK);
	CHECK(rstar_store_open(directory, "absent.gguf", &fd, &err) == RSTAR_ERR_NOT_FOUND);

	path_of("link.gguf", path);
	CHECK(symlink("/etc/passwd", path) == 0);
	CHECK(rstar_store_open(directory, "link.gguf", &fd, &err) == RSTAR_ERR_DENIED);
	path_of("pipe.gguf", path);
	CHECK(mkfifo(path, 0600) == 0);
	CHECK(rstar_store_open(directory, "pipe.gguf", &fd, &err) == RSTAR_ERR_DENIED);
	path_of("folder.gguf", path);
	CHECK(mkdir(path, 0700) == 0);
	CHECK(rstar_store_open(directory, "folder.gguf", &fd, &err) == RSTAR_ERR_DENIED);
}

int
main(void)
{
	char command[128];
	int result;

	snprintf(directory, sizeof directory, "/tmp/rstar-test-store-%d", (int) getpid());
	RUN(a_model_gets_in);
	RUN(the_same_again);
	RUN(damage_is_found);
	RUN(identities_differ);
	RUN(identities_see);
	RUN(what_is_no_model_stays_out);
	RUN(copying);
	RUN(cancelling);
	RUN(names_and_links);
	result = CHECK_RESULT();
	snprintf(command, sizeof command, "rm -rf %s", directory);
	return system(command) == 0 ? result : EXIT_FAILURE;
}
