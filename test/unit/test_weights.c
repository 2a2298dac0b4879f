/*
 * test_weights.c
 *	  Hyperparameters, the tensor table, creating and quantising models: round
 *	  trips, and every contradiction a file may hold.
 */
#include "check.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/model/create.h"
#include "core/model/quantize.h"
#include "core/model/weights.h"
#include "core/tensor/quants.h"

static const rstar_allocator *const heap = &rstar_allocator_malloc;

static rstar_hparams
small_shape(rstar_arch arch)
{
	return (rstar_hparams){.arch = arch,
						   .rope_style =
							   arch == RSTAR_ARCH_LLAMA ? RSTAR_ROPE_NORM : RSTAR_ROPE_NEOX,
						   .n_vocab = 40,
						   .n_context = 100,
						   .n_embd = 64,
						   .n_layer = 3,
						   .n_head = 4,
						   .n_head_kv = 2,
						   .head_dim = 16,
						   .n_ff = 96,
						   .sliding_window = arch == RSTAR_ARCH_PHI3 ? 24 : 0,
						   .rope_dim = 16,
						   .rope_base = 10000.0f,
						   .rope_scale = 1.0f,
						   .rope_magnitude = 1.0f,
						   .norm_eps = 1e-6f};
}

/* A file from a writer that is consumed. */
static rstar_gguf *
finish(rstar_gguf_writer *writer)
{
	rstar_error err = {0};
	rstar_gguf *gguf = NULL;
	int fd = memfd_create("rstar test", 0);

	CHECK_MSG(rstar_gguf_writer_finish(writer, fd, NULL, &err) == RSTAR_OK, "%s", err.message);
	CHECK_MSG(rstar_gguf_open_fd(fd, heap, NULL, &gguf, &err) == RSTAR_OK, "%s", err.message);
	rstar_gguf_writer_free(writer);
	close(fd);
	return gguf;
}

static rstar_gguf *
create(const rstar_hparams *hparams, const rstar_create_options *options)
{
	rstar_gguf_writer *writer = NULL;
	rstar_create *model = NULL;
	rstar_error err = {0};
	rstar_gguf *gguf;

	CHECK(rstar_gguf_writer_create(&writer, heap, &err) == RSTAR_OK);
	CHECK_MSG(rstar_create_begin(hparams, options, heap, writer, &model, &err) == RSTAR_OK, "%s",
			  err.message);
	gguf = finish(writer);
	rstar_create_free(model);
	return gguf;
}

static void
created_model_opens(void)
{
	for (int arch = RSTAR_ARCH_QWEN2; arch <= RSTAR_ARCH_LLAMA; arch++)
		for (int tied = 0; tied < 2; tied++)
		{
			rstar_hparams hparams = small_shape((rstar_arch) arch);
			rstar_create_options options = {.seed = 3, .tied = tied, .value_head = !tied};
			rstar_gguf *gguf = create(&hparams, &options);
			rstar_weights *weights = NULL;
			rstar_error err = {0};

			CHECK_MSG(rstar_weights_open(gguf, heap, &weights, &err) == RSTAR_OK, "%s",
					  err.message);
			CHECK(memcmp(&weights->hparams, &hparams, sizeof hparams) == 0);
			CHECK(weights->tied == (tied != 0));
			CHECK((weights->value_head != NULL) == (tied == 0));
			CHECK((weights->layers[2].bq != NULL) == (arch == RSTAR_ARCH_QWEN2));
			CHECK(weights->layers[1].w_up.rows == 96 && weights->layers[1].w_up.columns == 64);
			CHECK(weights->layers[1].wv.rows == 32 && weights->layers[1].wk.row_bytes == 256);
			CHECK(weights->layers[0].attn_norm[63] == 1.0f);
			CHECK(rstar_gguf_check_data(gguf, NULL, &err) == RSTAR_OK);
			rstar_weights_close(weights);
			rstar_gguf_close(gguf);
		}
}

static double
deviation(const rstar_matrix *matrix)
{
	const float *x = (const float *) (const void *) matrix->data;
	size_t n = (size_t) matrix->rows * matrix->columns;
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * (double) x[i];
	return sqrt(sum / (double) n);
}

static void
numbers_at_random(void)
{
	rstar_hparams hparams = small_shape(RSTAR_ARCH_QWEN2);
	rstar_create_options options = {.seed = 3};
	rstar_gguf *one = create(&hparams, &options);
	rstar_gguf *same = create(&hparams, &options);
	rstar_gguf *other;
	rstar_weights *weights = NULL;
	size_t size = rstar_gguf_file_size(one);
	rstar_error err;

	options.seed = 4;
	other = create(&hparams, &options);
	CHECK(memcmp(rstar_gguf_map(one), rstar_gguf_map(same), size) == 0);
	CHECK(memcmp(rstar_gguf_map(one), rstar_gguf_map(other), size) != 0);
	CHECK(rstar_weights_open(one, heap, &weights, &err) == RSTAR_OK);
	CHECK(fabs(deviation(&weights->token_embd) - 0.02) < 0.002);
	CHECK(fabs(deviation(&weights->layers[0].w_down) - 0.02 / sqrt(6.0)) < 0.001);
	CHECK(memcmp(weights->layers[0].wq.data, weights->layers[1].wq.data, 256) != 0);
	rstar_weights_close(weights);
	rstar_gguf_close(one);
	rstar_gguf_close(same);
	rstar_gguf_close(other);
}

/* The parts of a fused matrix lie behind each other, in the order q, k, v. */
static void
fused_parts(void)
{
	rstar_hparams hparams = small_shape(RSTAR_ARCH_PHI3);
	rstar_create_options options = {.seed = 3};
	rstar_gguf *gguf = create(&hparams, &options);
	const rstar_gguf_tensor *tensor = rstar_gguf_find_tensor(gguf, "blk.1.attn_qkv.weight");
	rstar_weights *weights = NULL;
	rstar_error err;

	CHECK(rstar_weights_open(gguf, heap, &weights, &err) == RSTAR_OK);
	CHECK(tensor->dims[1] == 64 + 32 + 32);
	CHECK(weights->layers[1].wq.data == tensor->data);
	CHECK(weights->layers[1].wk.data == (const uint8_t *) tensor->data + (size_t) 64 * 256);
	CHECK(weights->layers[1].wv.data == (const uint8_t *) tensor->data + (size_t) 96 * 256);
	tensor = rstar_gguf_find_tensor(gguf, "blk.1.ffn_up.weight");
	CHECK(weights->layers[1].w_gate.data == tensor->data);
	CHECK(weights->layers[1].w_up.data == (const uint8_t *) tensor->data + (size_t) 96 * 256);
	rstar_weights_close(weights);
	rstar_gguf_close(gguf);
}

static void
frequencies(void)
{
	rstar_hparams hparams = small_shape(RSTAR_ARCH_LLAMA);
	rstar_create_options options = {.seed = 3};
	rstar_weights *weights = NULL;
	rstar_gguf *gguf;
	rstar_error err;
	double found[8];

	hparams.rope_scale = 0.25f;
	gguf = create(&hparams, &options);
	CHECK(rstar_weights_open(gguf, heap, &weights, &err) == RSTAR_OK);
	CHECK(weights->hparams.rope_scale == 0.25f);
	rstar_weights_rope_frequencies(weights, hparams.n_context, found);
	CHECK(found[0] == 0.25);
	CHECK(fabs(found[4] - 0.25 * 0.01) < 1e-15);
	rstar_weights_close(weights);
	rstar_gguf_close(gguf);
}

/* --- contradictions -------------------------------------------------------- */

typedef struct change
{
	const char *drop; /* key or tensor left out, or "" */
	const char *key;  /* key with a value of its own, or NULL */
	uint32_t value;
	bool real;          /* the value as F32 */
	const char *tensor; /* tensor with another shape, or NULL */
	uint64_t dims[2];
	rstar_type type;
	const char *extra; /* a tensor more, or NULL */
} change;

/* A good file, with one thing changed; the status and message of opening it. */
static rstar_status
open_changed(rstar_arch arch, const change *how, rstar_error *err)
{
	rstar_hparams hparams = small_shape(arch);
	rstar_create_options options = {.seed = 3};
	rstar_gguf *good = create(&hparams, &options);
	rstar_gguf_writer *writer = NULL;
	rstar_weights *weights = NULL;
	rstar_gguf *bad;
	static const float zeros[1 << 16];
	rstar_status st;

	CHECK(rstar_gguf_writer_create(&writer, heap, err) == RSTAR_OK);
	if (how->key && how->real)
		rstar_gguf_writer_f32(writer, how->key, (float) how->value);
	else if (how->key)
		rstar_gguf_writer_u32(writer, how->key, how->value);
	for (uint64_t i = 0; i < rstar_gguf_n_keys(good); i++)
	{
		rstar_gguf_type type;
		rstar_string name = rstar_gguf_key(good, i, &type);
		char *key = rstar_strndup(heap, name.data, name.length);

		if (strcmp(key, how->drop) != 0)
			rstar_gguf_writer_copy(writer, good, key);
		free(key);
	}
	for (uint64_t i = 0; i < rstar_gguf_n_tensors(good); i++)
	{
		const rstar_gguf_tensor *tensor = rstar_gguf_tensor_at(good, i);
		char *name = rstar_strndup(heap, tensor->name.data, tensor->name.length);

		if (how->tensor && strcmp(name, how->tensor) == 0)
			rstar_gguf_writer_tensor(writer, name, how->type, how->dims[1] ? 2 : 1, how->dims,
									 zeros);
		else if (strcmp(name, how->drop) != 0)
			rstar_gguf_writer_tensor(writer, name, tensor->type, tensor->n_dims, tensor->dims,
									 tensor->data);
		free(name);
	}
	if (how->extra)
		rstar_gguf_writer_tensor(writer, how->extra, RSTAR_TYPE_F32, 1, (uint64_t[]){8}, zeros);
	bad = finish(writer);
	memset(err, 0, sizeof *err);
	st = rstar_weights_open(bad, heap, &weights, err);
	CHECK((weights != NULL) == (st == RSTAR_OK));
	rstar_weights_close(weights);
	rstar_gguf_close(bad);
	rstar_gguf_close(good);
	return st;
}

static void
refused(rstar_arch arch, change how, rstar_status wanted, const char *part)
{
	rstar_error err;
	rstar_status st;

	if (!how.drop)
		how.drop = "";
	st = open_changed(arch, &how, &err);
	CHECK_MSG(st == wanted && strstr(err.message, part), "%s: %s", rstar_status_name(st),
			  err.message);
}

static void
wrong_keys(void)
{
	static const char *const needed[] = {"general.architecture",
										 "qwen2.context_length",
										 "qwen2.embedding_length",
										 "qwen2.block_count",
										 "qwen2.feed_forward_length",
										 "qwen2.attention.head_count",
										 "qwen2.attention.layer_norm_rms_epsilon"};
	static const struct
	{
		const char *key;
		uint32_t value;
		rstar_status status;
	} values[] = {
		{"qwen2.context_length", 0, RSTAR_ERR_LIMIT},
		{"qwen2.context_length", UINT32_MAX, RSTAR_ERR_LIMIT},
		{"qwen2.embedding_length", 70000, RSTAR_ERR_LIMIT},
		{"qwen2.embedding_length", 128, RSTAR_ERR_CORRUPT},
		{"qwen2.block_count", 0, RSTAR_ERR_LIMIT},
		{"qwen2.block_count", 513, RSTAR_ERR_LIMIT},
		{"qwen2.block_count", 4, RSTAR_ERR_CORRUPT},
		{"qwen2.block_count", 2, RSTAR_ERR_UNSUPPORTED},
		{"qwen2.feed_forward_length", 97, RSTAR_ERR_CORRUPT},
		{"qwen2.attention.head_count", 0, RSTAR_ERR_LIMIT},
		{"qwen2.attention.head_count", 3, RSTAR_ERR_CORRUPT},
		{"qwen2.attention.head_count_kv", 0, RSTAR_ERR_LIMIT},
		{"qwen2.attention.head_count_kv", 3, RSTAR_ERR_CORRUPT},
		{"qwen2.attention.key_length", 15, RSTAR_ERR_CORRUPT},
		{"qwen2.attention.value_length", 8, RSTAR_ERR_UNSUPPORTED},
		{"qwen2.rope.dimension_count", 15, RSTAR_ERR_CORRUPT},
		{"qwen2.rope.dimension_count", 18, RSTAR_ERR_CORRUPT},
		{"qwen2.rope.freq_base", 10000, RSTAR_ERR_CORRUPT}, /* an integer */
		{"qwen2.vocab_size", 41, RSTAR_ERR_CORRUPT},
		{"qwen2.expert_count", 8, RSTAR_ERR_UNSUPPORTED},
		{"general.architecture", 8, RSTAR_ERR_CORRUPT}, /* no string */
	};

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
		refused(RSTAR_ARCH_QWEN2, (change){.drop = needed[i]}, RSTAR_ERR_CORRUPT, needed[i]);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		refused(RSTAR_ARCH_QWEN2, (change){.key = values[i].key, .value = values[i].value},
				values[i].status, "");
	refused(RSTAR_ARCH_LLAMA, (change){.key = "llama.rope.freq_base", .value = 0, .real = true},
			RSTAR_ERR_LIMIT, "base");
	refused(RSTAR_ARCH_LLAMA,
			(change){.key = "llama.attention.layer_norm_rms_epsilon", .value = 2, .real = true},
			RSTAR_ERR_LIMIT, "epsilon");
	refused(RSTAR_ARCH_QWEN2, (change){.key = "something.else", .value = 1}, RSTAR_OK, "");
}

static void
wrong_tensors(void)
{
	refused(RSTAR_ARCH_QWEN2, (change){.drop = "token_embd.weight"}, RSTAR_ERR_CORRUPT,
			"no tensor \"token_embd.weight\"");
	refused(RSTAR_ARCH_QWEN2, (change){.drop = "blk.2.attn_q.bias"}, RSTAR_ERR_CORRUPT,
			"no tensor \"blk.2.attn_q.bias\"");
	refused(RSTAR_ARCH_LLAMA, (change){.drop = "output_norm.weight"}, RSTAR_ERR_CORRUPT,
			"no tensor \"output_norm.weight\"");
	refused(RSTAR_ARCH_LLAMA, (change){.drop = "output.weight"}, RSTAR_OK, "");
	refused(RSTAR_ARCH_PHI3, (change){.tensor = "blk.0.attn_qkv.weight", .dims = {64, 127}},
			RSTAR_ERR_CORRUPT,
			"\"blk.0.attn_qkv.weight\" of the model file is 64 x 127 instead of 64 x 128");
	refused(RSTAR_ARCH_LLAMA, (change){.tensor = "blk.0.attn_norm.weight", .dims = {65}},
			RSTAR_ERR_CORRUPT, "is 65 instead of 64");
	refused(RSTAR_ARCH_LLAMA,
			(change){.tensor = "blk.0.attn_norm.weight", .dims = {64}, .type = RSTAR_TYPE_F16},
			RSTAR_ERR_UNSUPPORTED, "is F16 instead of F32");
	refused(RSTAR_ARCH_LLAMA,
			(change){.tensor = "blk.0.attn_q.weight", .dims = {64, 64}, .type = RSTAR_TYPE_F16},
			RSTAR_OK, "");
	refused(RSTAR_ARCH_LLAMA, (change){.extra = "blk.0.attn_q_norm.weight"}, RSTAR_ERR_UNSUPPORTED,
			"tensors in its layers");
	refused(RSTAR_ARCH_LLAMA, (change){.extra = "rope_freqs.weight"}, RSTAR_ERR_CORRUPT,
			"value 0 of tensor \"rope_freqs.weight\"");
	refused(RSTAR_ARCH_LLAMA, (change){.extra = "value_head.weight"}, RSTAR_ERR_CORRUPT,
			"\"value_head.weight\"");
}

/* --- quantising ------------------------------------------------------------ */

static rstar_gguf *
quantize(const rstar_gguf *from, const char *name)
{
	rstar_quantize_target target;
	rstar_error err = {0};
	rstar_gguf *gguf = NULL;
	int fd = memfd_create("rstar test", 0);

	CHECK(rstar_quantize_by_name(name, &target));
	CHECK_MSG(rstar_quantize(from, target, fd, heap, NULL, &err) == RSTAR_OK, "%s", err.message);
	CHECK_MSG(rstar_gguf_open_fd(fd, heap, NULL, &gguf, &err) == RSTAR_OK, "%s", err.message);
	close(fd);
	return gguf;
}

/* Relative error of a tensor of one file against another's. */
static double
tensor_error(const rstar_gguf *a, const rstar_gguf *b, const char *name)
{
	const rstar_gguf_tensor *x = rstar_gguf_find_tensor(a, name);
	const rstar_gguf_tensor *y = rstar_gguf_find_tensor(b, name);
	size_t n = x->dims[0] * x->dims[1];
	float *left = malloc(n * sizeof *left);
	float *right = malloc(n * sizeof *right);
	double error = 0.0;
	double total = 0.0;

	rstar_quants_to_f32(x->type, x->data, left, n);
	rstar_quants_to_f32(y->type, y->data, right, n);
	for (size_t i = 0; i < n; i++)
	{
		error += pow((double) left[i] - (double) right[i], 2);
		total += pow((double) left[i], 2);
	}
	free(left);
	free(right);
	return sqrt(error / total);
}

static rstar_type
type_of(const rstar_gguf *gguf, const char *name)
{
	return rstar_gguf_find_tensor(gguf, name)->type;
}

static void
types_chosen(void)
{
	rstar_hparams hparams = small_shape(RSTAR_ARCH_QWEN2);
	rstar_create_options options = {.seed = 3, .value_head = true};
	rstar_gguf *plain;
	rstar_gguf *mixed;
	uint64_t file_type = 0;
	rstar_weights *weights = NULL;
	rstar_error err = {0};

	hparams.n_embd = 256;
	hparams.n_layer = 8;
	hparams.n_ff = 512 + 32; /* rows of ffn_down are no multiple of 256 */
	plain = create(&hparams, &options);
	mixed = quantize(plain, "q4_k_m");
	CHECK_MSG(rstar_weights_open(mixed, heap, &weights, &err) == RSTAR_OK, "%s", err.message);
	rstar_weights_close(weights);
	CHECK(rstar_gguf_get_u64(mixed, "general.file_type", &file_type) && file_type == 15);
	CHECK(type_of(mixed, "token_embd.weight") == RSTAR_TYPE_Q4_K);
	CHECK(type_of(mixed, "output.weight") == RSTAR_TYPE_Q6_K);
	CHECK(type_of(mixed, "blk.0.attn_q.weight") == RSTAR_TYPE_Q4_K);
	CHECK(type_of(mixed, "blk.0.attn_v.weight") == RSTAR_TYPE_Q6_K);
	CHECK(type_of(mixed, "blk.1.attn_v.weight") == RSTAR_TYPE_Q4_K);
	CHECK(type_of(mixed, "blk.3.attn_v.weight") == RSTAR_TYPE_Q6_K);
	CHECK(type_of(mixed, "blk.7.attn_v.weight") == RSTAR_TYPE_Q6_K);
	CHECK(type_of(mixed, "blk.0.ffn_down.weight") == RSTAR_TYPE_Q8_0);
	CHECK(type_of(mixed, "blk.0.attn_output.weight") == RSTAR_TYPE_Q8_0); /* rows of 64 */
	CHECK(type_of(mixed, "blk.0.attn_norm.weight") == RSTAR_TYPE_F32);
	CHECK(type_of(mixed, "blk.0.attn_q.bias") == RSTAR_TYPE_F32);
	CHECK(type_of(mixed, "value_head.weight") == RSTAR_TYPE_F32);
	CHECK(tensor_error(plain, mixed, "blk.0.attn_q.weight") < 0.075);
	CHECK(tensor_error(plain, mixed, "blk.0.attn_v.weight") < 0.02);
	CHECK(tensor_error(plain, mixed, "blk.0.ffn_down.weight") < 0.006);
	CHECK(tensor_error(plain, mixed, "output_norm.weight") == 0.0);
	rstar_gguf_close(mixed);
	rstar_gguf_close(plain);
}

/* Every type and back, also from one quantised type to another. */
static void
from_type_to_type(void)
{
	static const char *const names[] = {"F32",  "F16",  "BF16", "Q8_0",
										"Q4_0", "Q4_K", "Q5_K", "Q6_K"};
	static const double errors[] = {0.0, 3e-4, 2e-3, 6e-3, 0.09, 0.075, 0.04, 0.02};
	rstar_hparams hparams = small_shape(RSTAR_ARCH_LLAMA);
	rstar_create_options options = {.seed = 3};
	rstar_gguf *plain;

	hparams.n_embd = 1024; /* so that a tensor takes several pieces */
	plain = create(&hparams, &options);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
	{
		rstar_gguf *first = quantize(plain, names[i]);

		for (size_t j = 0; j < sizeof names / sizeof *names; j++)
		{
			rstar_gguf *second = quantize(first, names[j]);
			double error = tensor_error(plain, second, "blk.0.ffn_up.weight");

			CHECK_MSG(error <= errors[i] + errors[j], "%s to %s: %g", names[i], names[j], error);
			rstar_gguf_close(second);
		}
		rstar_gguf_close(first);
	}
	rstar_gguf_close(plain);
}

int
main(void)
{
	RUN(created_model_opens);
	RUN(numbers_at_random);
	RUN(fused_parts);
	RUN(frequencies);
	RUN(wrong_keys);
	RUN(wrong_tensors);
	RUN(types_chosen);
	RUN(from_type_to_type);
	return CHECK_RESULT();
}
