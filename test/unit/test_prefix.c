/*
 * test_prefix.c
 *	  The constant beginning of prompts: kept in the engine, saved, mapped, and refused
 *	  where its file is not what it should be.
 */
#include "tiny_model.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/engine/prefix.h"
#include "core/engine/prefix_file.h"

#define N_PREFIX 64
#define N_VOCAB  96

static tiny_model model;
static char directory[] = "/tmp/rstar-prefix.XXXXXX";
static char sha[65];
static rstar_prefix_store store = {directory, sha, 1 << 24};

static rstar_engine *
make_engine(rstar_cpu_family family, rstar_kv_type type, rstar_pool *pool)
{
	rstar_engine_options options = {.family = family, .kv_type = type, .kv_budget = 1 << 22};
	rstar_engine *engine = NULL;
	rstar_error err = {0};

	CHECK_MSG(rstar_engine_create(model.weights, pool, &options, &rstar_allocator_malloc, &engine,
								  &err) == RSTAR_OK,
			  "%s", err.message);
	return engine;
}

static rstar_kv_node *
get_prefix(rstar_engine *engine)
{
	int32_t tokens[N_PREFIX];
	rstar_kv_node *node;
	rstar_error err = {0};

	for (int i = 0; i < N_PREFIX; i++)
		tokens[i] = (i * 7 + 3) % N_VOCAB;
	CHECK(rstar_engine_prefix(engine, tokens, N_PREFIX, &node, &err) == RSTAR_OK && node);
	return node;
}

static void
copy_logits(void *arg, const rstar_output *output)
{
	memcpy(arg, output->logits, N_VOCAB * sizeof(float));
}

/* Logits behind the prefix and three more tokens. */
static void
continue_prefix(rstar_engine *engine, rstar_kv_node *prefix, float logits[N_VOCAB])
{
	static const int32_t more[] = {5, 9, 11};
	rstar_kv_node *node;
	rstar_error err = {0};

	CHECK(rstar_kv_node_create(rstar_engine_kv(engine), prefix, &node, &err) == RSTAR_OK);
	CHECK(rstar_kv_node_append(node, more, 3, &err) == RSTAR_OK);

	rstar_request request = {node, 1, RSTAR_WANT_LOGITS};

	CHECK_MSG(rstar_engine_run(engine, &request, 1, copy_logits, logits, NULL, &err) == RSTAR_OK,
			  "%s", err.message);
	rstar_kv_node_release(node);
}

/* The path of the only file there; how many there are. */
static int
find_file(char path[512])
{
	DIR *list = opendir(directory);
	struct dirent *entry;
	int n = 0;

	while (list && (entry = readdir(list)) != NULL)
		if (entry->d_name[0] != '.')
		{
			snprintf(path, 512, "%s/%s", directory, entry->d_name);
			n++;
		}
	closedir(list);
	return n;
}

static void
empty_directory(void)
{
	char path[512];

	while (find_file(path) > 0)
		unlink(path);
}

static void
kept_from_call_to_call(void)
{
	rstar_pool *pool;
	rstar_error err = {0};
	rstar_engine *engine;
	rstar_kv_node *node, *again;
	float first[N_VOCAB], second[N_VOCAB];

	CHECK(rstar_pool_create(2, &pool, &err) == RSTAR_OK);
	engine = make_engine(RSTAR_CPU_PORTABLE, RSTAR_KV_F16, pool);
	node = get_prefix(engine);
	continue_prefix(engine, node, first);
	CHECK(rstar_engine_tokens_computed(engine) == N_PREFIX + 3);
	rstar_kv_node_release(node);
	again = get_prefix(engine);
	CHECK(again == node);
	continue_prefix(engine, again, second);
	CHECK(rstar_engine_tokens_computed(engine) == N_PREFIX + 6);
	CHECK(memcmp(first, second, sizeof first) == 0);
	rstar_kv_node_release(again);
	rstar_engine_free(engine);
	rstar_pool_free(pool);
}

static void
a_file_serves_another_process(void)
{
	rstar_pool *pool;
	rstar_error err = {0};
	float computed[N_VOCAB], mapped[N_VOCAB];
	char path[512];

	CHECK(rstar_pool_create(1, &pool, &err) == RSTAR_OK);
	for (int type = RSTAR_KV_F32; type <= RSTAR_KV_F16; type++)
		for (int f = 0; f < RSTAR_CPU_FAMILIES && rstar_cpu_supports((rstar_cpu_family) f); f++)
		{
			rstar_engine *one = make_engine((rstar_cpu_family) f, (rstar_kv_type) type, pool);
			rstar_engine *two = make_engine((rstar_cpu_family) f, (rstar_kv_type) type, pool);
			rstar_kv_node *a = get_prefix(one), *b = get_prefix(two);

			CHECK(!rstar_prefix_save(one, a, &store)); /* nothing is computed yet */
			CHECK(!rstar_prefix_load(two, b, &store));
			continue_prefix(one, a, computed);
			CHECK(rstar_prefix_save(one, a, &store));
			CHECK(!rstar_prefix_save(one, a, &store)); /* it is there */
			CHECK(find_file(path) == 1);
			CHECK(rstar_prefix_load(two, b, &store));
			CHECK(rstar_kv_used(rstar_engine_kv(two)) == 0);
			continue_prefix(two, b, mapped);
			CHECK(rstar_engine_tokens_computed(two) == 3);
			CHECK(memcmp(computed, mapped, sizeof computed) == 0);

			/* Outputs within the prefix are computed in blocks of its own. */
			rstar_request request = {b, 2, RSTAR_WANT_LOGITS};

			CHECK(rstar_engine_run(two, &request, 1, copy_logits, mapped, NULL, &err) == RSTAR_OK);
			CHECK(!rstar_kv_node_is_borrowed(b));
			continue_prefix(two, b, mapped);
			CHECK(memcmp(computed, mapped, sizeof computed) == 0);
			rstar_kv_node_release(a);
			rstar_kv_node_release(b);
			rstar_engine_free(one);
			rstar_engine_free(two);
			empty_directory();
		}
	rstar_pool_free(pool);
}

/* Change the saved file: it is refused, removed, and can be written again. */
static void
refuse(rstar_pool *pool, void (*change)(const char *path), const char *what)
{
	rstar_engine *one = make_engine(RSTAR_CPU_PORTABLE, RSTAR_KV_F16, pool);
	rstar_engine *two = make_engine(RSTAR_CPU_PORTABLE, RSTAR_KV_F16, pool);
	rstar_kv_node *a = get_prefix(one), *b = get_prefix(two);
	float logits[N_VOCAB], again[N_VOCAB];
	char path[512];

	continue_prefix(one, a, logits);
	CHECK(rstar_prefix_save(one, a, &store));
	CHECK(find_file(path) == 1 && chmod(path, 0600) == 0);
	change(path);
	CHECK_MSG(!rstar_prefix_load(two, b, &store), "%s", what);
	CHECK_MSG(find_file(path) == 0, "%s", what);
	continue_prefix(two, b, again);
	CHECK(memcmp(logits, again, sizeof logits) == 0);
	CHECK(rstar_prefix_save(two, b, &store));
	empty_directory();
	rstar_kv_node_release(a);
	rstar_kv_node_release(b);
	rstar_engine_free(one);
	rstar_engine_free(two);
}

static void
overwrite(const char *path, off_t at, char value)
{
	int fd = open(path, O_RDWR);
	char old;

	CHECK(pread(fd, &old, 1, at) == 1);
	value = (char) (old ^ value);
	CHECK(pwrite(fd, &value, 1, at) == 1);
	close(fd);
}

static off_t
size_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? info.st_size : 0;
}

static void
change_magic(const char *path)
{
	overwrite(path, 0, 1);
}
static void
change_model(const char *path)
{
	overwrite(path, 12, 1);
}
static void
change_family(const char *path)
{
	overwrite(path, 76, 1);
}
static void
change_token(const char *path)
{
	overwrite(path, 260, 1);
}
static void
change_padding(const char *path)
{
	overwrite(path, 2000, 1);
}
static void
change_data(const char *path)
{
	overwrite(path, size_of(path) - 100, 4);
}
static void
change_sum(const char *path)
{
	overwrite(path, 116, 1);
}
static void
cut_short(const char *path)
{
	CHECK(truncate(path, size_of(path) - 1) == 0);
}
static void
cut_all(const char *path)
{
	CHECK(truncate(path, 0) == 0);
}
static void
grow(const char *path)
{
	CHECK(truncate(path, size_of(path) + 4096) == 0);
}

static void
make_link(const char *path)
{
	CHECK(unlink(path) == 0 && symlink("/etc/passwd", path) == 0);
}

static void
wrong_files_are_refused(void)
{
	rstar_pool *pool;
	rstar_error err = {0};

	CHECK(rstar_pool_create(1, &pool, &err) == RSTAR_OK);
	refuse(pool, change_magic, "magic");
	refuse(pool, change_model, "another model");
	refuse(pool, change_family, "another kernel family");
	refuse(pool, change_token, "another token");
	refuse(pool, change_padding, "padding");
	refuse(pool, change_data, "damaged data");
	refuse(pool, change_sum, "damaged checksum");
	refuse(pool, cut_short, "a byte too short");
	refuse(pool, cut_all, "empty");
	refuse(pool, grow, "a page too long");
	rstar_pool_free(pool);
}

/* Not even looked at: no file of ours is a link. */
static void
links_are_not_followed(void)
{
	rstar_pool *pool;
	rstar_error err = {0};
	rstar_engine *engine;
	rstar_kv_node *node;
	float logits[N_VOCAB];
	char path[512];

	CHECK(rstar_pool_create(1, &pool, &err) == RSTAR_OK);
	engine = make_engine(RSTAR_CPU_PORTABLE, RSTAR_KV_F16, pool);
	node = get_prefix(engine);
	continue_prefix(engine, node, logits);
	CHECK(rstar_prefix_save(engine, node, &store) && find_file(path) == 1);
	make_link(path);
	rstar_kv_node_release(node);
	rstar_engine_free(engine);
	engine = make_engine(RSTAR_CPU_PORTABLE, RSTAR_KV_F16, pool);
	node = get_prefix(engine);
	CHECK(!rstar_prefix_load(engine, node, &store));
	rstar_kv_node_release(node);
	rstar_engine_free(engine);
	rstar_pool_free(pool);
	empty_directory();
}

/* The total of all files stays within the bound; without room or a directory nothing happens. */
static void
space_is_bounded(void)
{
	rstar_pool *pool;
	rstar_error err = {0};
	rstar_engine *engine;
	rstar_kv_node *node;
	float logits[N_VOCAB];
	char path[512];
	rstar_prefix_store other = store;

	CHECK(rstar_pool_create(1, &pool, &err) == RSTAR_OK);
	engine = make_engine(RSTAR_CPU_PORTABLE, RSTAR_KV_F16, pool);
	node = get_prefix(engine);
	continue_prefix(engine, node, logits);
	CHECK(rstar_prefix_save(engine, node, &store) && find_file(path) == 1);
	other.model = "1111111111111111111111111111111111111111111111111111111111111111";
	other.most_bytes = (uint64_t) size_of(path) * 3 / 2;
	CHECK(rstar_prefix_save(engine, node, &other)); /* the first makes room */
	CHECK(find_file(path) == 1 && strstr(path, "1111"));
	other.most_bytes = 4096;
	other.model = sha;
	CHECK(!rstar_prefix_save(engine, node, &other));
	other.most_bytes = 0;
	CHECK(!rstar_prefix_save(engine, node, &other));
	other = store;
	other.directory = "/nowhere/at/all";
	CHECK(!rstar_prefix_save(engine, node, &other) && !rstar_prefix_load(engine, node, &other));
	rstar_kv_node_release(node);
	rstar_engine_free(engine);
	rstar_pool_free(pool);
	empty_directory();
}

int
main(void)
{
	rstar_hparams hparams = tiny_hparams(RSTAR_ARCH_QWEN2);

	memset(sha, 'a', 64);
	CHECK(mkdtemp(directory) != NULL);
	tiny_model_create(&hparams, false, &model);
	RUN(kept_from_call_to_call);
	RUN(a_file_serves_another_process);
	RUN(wrong_files_are_refused);
	RUN(links_are_not_followed);
	RUN(space_is_bounded);
	tiny_model_free(&model);
	CHECK(rmdir(directory) == 0);
	return CHECK_RESULT();
}
