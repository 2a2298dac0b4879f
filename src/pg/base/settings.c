/*
 * settings.c
 *	  The table of options, the settings made from it, and how a call's values
 *	  are found.
 */
#include "postgres.h"

#include <limits.h>
#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#include "core/base/cpu.h"
#include "core/engine/kv.h"
#include "core/sandbox/sandbox.h"
#include "pg/search/admission.h"
#include "pg/base/compat.h"
#include "pg/base/json.h"
#include "pg/search/options.h"
#include "pg/base/settings.h"

rstar_settings_values rstar_settings;

static bool check_model_directory(char **newval, void **extra, GucSource source);

static const struct config_enum_entry kernel_choices[] = {{"auto", -1, false},
														  {"portable", RSTAR_CPU_PORTABLE, false},
														  {"avx2", RSTAR_CPU_AVX2, false},
														  {"avx512", RSTAR_CPU_AVX512, false},
														  {NULL, 0, false}};

static const struct config_enum_entry kv_type_choices[] = {
	{"f32", RSTAR_KV_F32, false}, {"f16", RSTAR_KV_F16, false}, {NULL, 0, false}};

static const struct config_enum_entry sandbox_modes[] = {
	{"auto", RSTAR_SANDBOX_MODE_AUTO, false},
	{"replay", RSTAR_SANDBOX_MODE_REPLAY, false},
	{NULL, 0, false}};

static const struct config_enum_entry methods[] = {
	{"mcts", RSTAR_METHOD_MCTS, false},         {"beam", RSTAR_METHOD_BEAM, false},
	{"majority", RSTAR_METHOD_MAJORITY, false}, {"best_of_n", RSTAR_METHOD_BEST_OF_N, false},
	{"greedy", RSTAR_METHOD_GREEDY, false},     {NULL, 0, false}};

/* --- the table ------------------------------------------------------------------ */

static const rstar_option options[] = {
	/* models */
	{.setting = "rstar.model_directory",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_settings.model_directory,
	 .text = "rstar",
	 .context = PGC_POSTMASTER,
	 .flags = GUC_SUPERUSER_ONLY,
	 .check_text = check_model_directory,
	 .help = "Directory where model files live.",
	 .more =
		 "A relative path is taken from the data directory. Created at the first import, for the "
		 "server's user alone."},
	{.name = "model",
	 .setting = "rstar.policy",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_settings.policy,
	 .text = "",
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Name of the policy model, which proposes steps and generates text.",
	 .more = "Empty: the built-in policy."},
	{.name = "ppm",
	 .setting = "rstar.ppm",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_settings.ppm,
	 .text = "",
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Name of the process preference model, which scores steps.",
	 .more = "Empty: the built-in one."},

	/* resources */
	{.name = "threads",
	 .setting = "rstar.threads",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.threads,
	 .fallback = 0,
	 .min = 0,
	 .max = 256,
	 .limit = "rstar.max_threads",
	 .context = PGC_USERSET,
	 .help = "Threads that one session computes with.",
	 .more = "0: as many as there are cores. Results do not depend on it."},
	{.setting = "rstar.max_threads",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_threads,
	 .fallback = 64,
	 .min = 1,
	 .max = 256,
	 .context = PGC_SUSET,
	 .help = "Upper bound of rstar.threads."},
	{.name = "kv_cache",
	 .setting = "rstar.kv_cache",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.kv_cache_mb,
	 .fallback = 256,
	 .min = 1,
	 .max = INT_MAX,
	 .limit = "rstar.max_kv_cache",
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_MB,
	 .help =
		 "Memory for the keys and values of sequences in progress, for each model of a session.",
	 .more =
		 "When it is full, branches used least recently are dropped and computed again on demand."},
	{.setting = "rstar.max_kv_cache",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_kv_cache_mb,
	 .fallback = 4096,
	 .min = 1,
	 .max = INT_MAX,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB,
	 .help = "Upper bound of rstar.kv_cache."},
	{.setting = "rstar.max_context",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_context,
	 .fallback = 4096,
	 .min = 16,
	 .max = 1048576,
	 .context = PGC_SUSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Longest sequence in tokens, prompt and answer together.",
	 .more = "A model's own context length bounds it too."},
	{.setting = "rstar.max_cached_models",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_cached_models,
	 .fallback = 4,
	 .min = 1,
	 .max = 64,
	 .context = PGC_USERSET,
	 .help = "Models that a session keeps open between calls.",
	 .more =
		 "The weights are shared with all other sessions; what is kept is their mapping and the "
		 "tokenizer's tables."},

	/* the whole server; see admission.h */
	{.setting = "rstar.max_active_searches",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_active_searches,
	 .fallback = 0,
	 .min = 0,
	 .max = 10000,
	 .context = PGC_SIGHUP,
	 .assign_integer = rstar_admission_assign_searches,
	 .help = "Searches that run at the same time on the whole server; others wait their turn.",
	 .more = "0: as many as there are cores. Needs rstar in shared_preload_libraries; without, "
			 "sessions know nothing of each other and none waits."},
	{.setting = "rstar.total_kv_cache",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.total_kv_cache_mb,
	 .fallback = 0,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_SIGHUP,
	 .flags = GUC_UNIT_MB,
	 .assign_integer = rstar_admission_assign_kv,
	 .help = "KV cache of all searches of the whole server; a search waits until its own fits.",
	 .more =
		 "0: no limit. A search reserves rstar.kv_cache for each of its models. Without rstar in "
		 "shared_preload_libraries it bounds each session by itself."},
	{.setting = "rstar.total_sandbox_memory",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.total_sandbox_memory_mb,
	 .fallback = 0,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_SIGHUP,
	 .flags = GUC_UNIT_MB,
	 .assign_integer = rstar_admission_assign_sandbox,
	 .help =
		 "Sandbox memory of all searches of the whole server; a search waits until its own fits.",
	 .more = "0: no limit. A search reserves rstar.sandbox_memory. Without rstar in "
			 "shared_preload_libraries it bounds each session by itself."},

	{.setting = "rstar.kernels",
	 .type = RSTAR_OPTION_ENUM,
	 .variable.integer = &rstar_settings.kernels,
	 .fallback = -1,
	 .choices = kernel_choices,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Family of processor instructions to compute with.",
	 .more =
		 "Within a family results are the same bit for bit, on any machine; between families they "
		 "differ by rounding. auto: the best that this processor has."},
	{.setting = "rstar.kv_type",
	 .type = RSTAR_OPTION_ENUM,
	 .variable.integer = &rstar_settings.kv_type,
	 .fallback = RSTAR_KV_F16,
	 .choices = kv_type_choices,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Precision of cached keys and values.",
	 .more = "f16 takes half the memory of f32."},

	/* generation */
	{.name = "max_tokens",
	 .setting = "rstar.max_tokens",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_tokens,
	 .fallback = 512,
	 .min = 1,
	 .max = 1048576,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Most tokens that one call generates.",
	 .more = "-1: the model's own default, else 512."},
	{.name = "temperature",
	 .setting = "rstar.temperature",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_settings.temperature,
	 .fallback = 0,
	 .min = 0,
	 .max = 100,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Temperature of sampling; 0 always takes the likeliest token.",
	 .more = "-1: the model's own default, else 0."},
	{.name = "top_k",
	 .setting = "rstar.top_k",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.top_k,
	 .fallback = 0,
	 .min = 0,
	 .max = 1048576,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Sample among this many likeliest tokens only; 0 means all.",
	 .more = "-1: the model's own default, else 0."},
	{.name = "top_p",
	 .setting = "rstar.top_p",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_settings.top_p,
	 .fallback = 1,
	 .min = 0,
	 .max = 1,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Sample among the likeliest tokens that together have this probability; 1 means all.",
	 .more = "-1: the model's own default, else 1."},
	{.name = "min_p",
	 .setting = "rstar.min_p",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_settings.min_p,
	 .fallback = 0,
	 .min = 0,
	 .max = 1,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Sample only tokens at least this likely, relative to the likeliest; 0 means all.",
	 .more = "-1: the model's own default, else 0."},
	{.name = "seed",
	 .setting = "rstar.seed",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.seed,
	 .fallback = 0,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Seed of the random numbers; equal seeds give equal results."},

	/* search */
	{.name = "candidates",
	 .setting = "rstar.candidates",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.candidates,
	 .fallback = 8,
	 .min = 1,
	 .max = 256,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Candidate steps that the policy proposes for a node.",
	 .more = "-1: the model's own default, else 8."},
	{.name = "rollouts",
	 .setting = "rstar.rollouts",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.rollouts,
	 .fallback = 16,
	 .min = 1,
	 .max = 1048576,
	 .inherit = true,
	 .limit = "rstar.max_rollouts",
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Rollouts of a search: walks from the problem to an answer or a dead end.",
	 .more = "-1: the model's own default, else 16."},
	{.setting = "rstar.max_rollouts",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_rollouts,
	 .fallback = 1024,
	 .min = 1,
	 .max = 1048576,
	 .context = PGC_SUSET,
	 .help = "Upper bound of rstar.rollouts."},
	{.name = "max_depth",
	 .setting = "rstar.max_depth",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_depth,
	 .fallback = 16,
	 .min = 1,
	 .max = 1000,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Most steps of a solution, the answer not counted.",
	 .more = "-1: the model's own default, else 16."},
	{.name = "step_tokens",
	 .setting = "rstar.step_tokens",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.step_tokens,
	 .fallback = 512,
	 .min = 1,
	 .max = 1048576,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Most tokens of one step.",
	 .more = "-1: the model's own default, else 512."},
	{.name = "solution_tokens",
	 .setting = "rstar.solution_tokens",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.solution_tokens,
	 .fallback = 0,
	 .min = 0,
	 .max = 1048576,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Most tokens of a solution; 0 means what the context allows.",
	 .more = "-1: the model's own default, else 0."},
	{.name = "search_temperature",
	 .setting = "rstar.search_temperature",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_settings.search_temperature,
	 .fallback = 1,
	 .min = 0,
	 .max = 100,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Temperature at which a search samples candidates.",
	 .more = "-1: the model's own default, else 1."},
	{.name = "exploration",
	 .setting = "rstar.exploration",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_settings.exploration,
	 .fallback = 2,
	 .min = 0,
	 .max = 1000,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Weight of exploration in UCT.",
	 .more = "The c of Q + c * sqrt(ln N(parent) / N)."},
	{.name = "unvisited_value",
	 .setting = "rstar.unvisited_value",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_settings.unvisited_value,
	 .fallback = 0,
	 .min = -1000,
	 .max = 1000,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "UCT of a step that no rollout has visited yet.",
	 .more =
		 "0 is what the reference implementation has; a large value tries every step once first."},
	{.name = "value_scale",
	 .setting = "rstar.value_scale",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_settings.value_scale,
	 .fallback = 5,
	 .min = 0.001,
	 .max = 1000,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Scale of step scores.",
	 .more = "The score of a step is tanh(value / scale) of the value head."},
	{.name = "max_code_errors",
	 .setting = "rstar.max_code_errors",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.max_code_errors,
	 .fallback = 1,
	 .min = 1,
	 .max = 100,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "A step whose code fails is rejected at so many failures in a row."},
	{.setting = "rstar.answer_exclusive",
	 .type = RSTAR_OPTION_BOOL,
	 .variable.flag = &rstar_settings.answer_exclusive,
	 .fallback = 1,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Whether the first answer among a node's candidates is kept alone.",
	 .more = "off keeps its siblings and lets the rollout go on among them."},

	{.setting = "rstar.method",
	 .type = RSTAR_OPTION_ENUM,
	 .variable.integer = &rstar_settings.method,
	 .fallback = RSTAR_METHOD_MCTS,
	 .choices = methods,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "How a problem is searched.",
	 .more = "mcts: tree search; beam: step by step; majority, best_of_n: samples; greedy: one "
			 "solution."},
	{.setting = "rstar.beam_width",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.beam_width,
	 .fallback = 4,
	 .min = 1,
	 .max = 1024,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Steps of a level that go on in method beam."},
	{.setting = "rstar.trees",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.trees,
	 .fallback = 1,
	 .min = 1,
	 .max = 256,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Trees that rstar_solve searches for a problem.",
	 .more = "Each gives an answer, and the best-scored of these vote."},
	{.setting = "rstar.top_n",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.top_n,
	 .fallback = 4,
	 .min = 0,
	 .max = 256,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Of the answers that several trees give, so many best-scored ones vote; 0 means all."},
	{.setting = "rstar.side_by_side",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.side_by_side,
	 .fallback = 8,
	 .min = 1,
	 .max = 1024,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Problems that one call searches at the same time.",
	 .more = "More fill the batches better and take more memory; the trees are the same."},
	{.setting = "rstar.use_known_answer",
	 .type = RSTAR_OPTION_BOOL,
	 .variable.flag = &rstar_settings.use_known_answer,
	 .fallback = 1,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Whether rstar_search is guided by a problem's known answer.",
	 .more = "off: it is compared with what was found, no more, as in an evaluation."},
	{.setting = "rstar.search_nodes",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.search_nodes,
	 .fallback = 0,
	 .min = 0,
	 .max = 10000000,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "A search ends at so many nodes; 0 means no limit."},
	{.setting = "rstar.search_tokens",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.search_tokens,
	 .fallback = 0,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "A search ends when it has generated so many tokens; 0 means no limit."},
	{.setting = "rstar.search_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.search_timeout_ms,
	 .fallback = 0,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_MS | GUC_EXPLAIN,
	 .help = "A search ends after this time with what it has found; 0 means no limit.",
	 .more = "A tree that the clock has ended is not reproducible."},
	{.setting = "rstar.enough_correct",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.enough_correct,
	 .fallback = 0,
	 .min = 0,
	 .max = 1000000,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "A search ends at so many correct answers; 0 means never."},
	{.setting = "rstar.enough_first",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.enough_first,
	 .fallback = 0,
	 .min = 0,
	 .max = 1000000,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "A search ends if its first so many rollouts were all correct; 0 means never."},
	{.setting = "rstar.verbose",
	 .type = RSTAR_OPTION_BOOL,
	 .variable.flag = &rstar_settings.verbose,
	 .fallback = 0,
	 .context = PGC_USERSET,
	 .help = "Whether searches report their progress as notices."},

	/* training data */
	{.name = "pair_min_margin",
	 .setting = "rstar.pair_min_margin",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_settings.pair_min_margin,
	 .fallback = 0.5,
	 .min = 0,
	 .max = 2,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Least difference of Q within a preference pair.",
	 .more = "-1: the default of the policy that made the tree, else 0.5."},
	{.name = "pair_min_edit",
	 .setting = "rstar.pair_min_edit",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.pair_min_edit,
	 .fallback = 20,
	 .min = 0,
	 .max = 1000,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Least edit distance, in characters, between the texts of a preference pair.",
	 .more = "-1: the default of the policy that made the tree, else 20."},

	/* sandbox; the program and the modules run unconfined while it starts */
	{.setting = "rstar.sandbox_program",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_settings.sandbox_program,
	 .text = "",
	 .context = PGC_POSTMASTER,
	 .flags = GUC_SUPERUSER_ONLY,
	 .help = "Path of the program rstar-sandbox.",
	 .more = "Empty: the one in the server's library directory."},
	{.setting = "rstar.sandbox_modules",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_settings.sandbox_modules,
	 .text = RSTAR_SANDBOX_MODULES,
	 .context = PGC_POSTMASTER,
	 .flags = GUC_SUPERUSER_ONLY,
	 .help = "Python modules that a step's code can import.",
	 .more = "They are loaded before the code is confined; nothing can be loaded later."},
	{.setting = "rstar.sandbox_mode",
	 .type = RSTAR_OPTION_ENUM,
	 .variable.integer = &rstar_settings.sandbox_mode,
	 .fallback = RSTAR_SANDBOX_MODE_AUTO,
	 .choices = sandbox_modes,
	 .context = PGC_SUSET,
	 .help = "How the state before a step comes about.",
	 .more = "auto: it is kept as a parked process where the kernel offers seccomp notification; "
			 "replay: the code of the steps before is run again."},
	{.setting = "rstar.sandbox_namespaces",
	 .type = RSTAR_OPTION_BOOL,
	 .variable.flag = &rstar_settings.sandbox_namespaces,
	 .fallback = 1,
	 .context = PGC_SUSET,
	 .help = "Whether the sandbox uses namespaces where the machine allows them.",
	 .more = "They are one layer of several; the others do not depend on it."},
	{.name = "timeout",
	 .setting = "rstar.sandbox_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.sandbox_timeout_ms,
	 .fallback = 5000,
	 .min = 1,
	 .max = 3600000,
	 .limit = "rstar.sandbox_max_timeout",
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MS | GUC_EXPLAIN,
	 .help = "Time that one step's code may take."},
	{.setting = "rstar.sandbox_max_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.sandbox_max_timeout_ms,
	 .fallback = 60000,
	 .min = 1,
	 .max = 3600000,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MS,
	 .help = "Upper bound of rstar.sandbox_timeout and of the argument timeout."},
	{.setting = "rstar.sandbox_cpu_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.sandbox_cpu_timeout_ms,
	 .fallback = 5000,
	 .min = 1,
	 .max = 3600000,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MS | GUC_EXPLAIN,
	 .help = "Processor time that one step's code may take.",
	 .more = "Unlike rstar.sandbox_timeout it does not depend on how busy the machine is."},
	{.setting = "rstar.sandbox_step_memory",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.sandbox_step_memory_mb,
	 .fallback = 256,
	 .min = 8,
	 .max = 1048576,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB | GUC_EXPLAIN,
	 .help = "Memory that a step and those before it may add to the interpreter's own."},
	{.setting = "rstar.sandbox_memory",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.sandbox_memory_mb,
	 .fallback = 2048,
	 .min = 64,
	 .max = 1048576,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB,
	 .help = "Memory of all processes of a session's sandbox.",
	 .more = "When it is full, states that are worth least are dropped and rebuilt on demand."},
	{.setting = "rstar.sandbox_output",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.sandbox_output,
	 .fallback = 65536,
	 .min = 256,
	 .max = RSTAR_SANDBOX_OUTPUT_MAX,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_BYTE | GUC_EXPLAIN,
	 .help = "Bytes of output that are kept of one step."},
	{.setting = "rstar.sandbox_parallel",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.sandbox_parallel,
	 .fallback = 0,
	 .min = 0,
	 .max = 256,
	 .context = PGC_SUSET,
	 .help = "Steps of one session that run at the same time.",
	 .more = "0: as many as there are cores."},
	{.setting = "rstar.sandbox_idle_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_settings.sandbox_idle_timeout_s,
	 .fallback = 600,
	 .min = 0,
	 .max = 86400,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_S,
	 .help = "Time after which an unused sandbox of a session ends itself.",
	 .more = "0: it lasts as long as the session. It starts again when it is needed."},
};

const rstar_option *
rstar_options(int *count)
{
	*count = lengthof(options);
	return options;
}

const rstar_option *
rstar_option_find(const char *name)
{
	for (int i = 0; i < lengthof(options); i++)
	{
		if ((options[i].name && strcmp(options[i].name, name) == 0) ||
			(options[i].setting && strcmp(options[i].setting, name) == 0))
			return &options[i];
	}
	return NULL;
}

/* --- settings ------------------------------------------------------------------- */

/*
 * A library that is loaded by a session cannot define a setting that is fixed
 * at server start; it then follows the configuration file instead.
 */
static GucContext
context_now(GucContext context)
{
	if (context == PGC_POSTMASTER && !process_shared_preload_libraries_in_progress)
		return PGC_SIGHUP;
	return context;
}

static void
define(const rstar_option *row)
{
	GucContext context = context_now(row->context);
	double boot = row->inherit ? -1 : row->fallback;
	double min = row->inherit ? -1 : row->min;

	switch (row->type)
	{
		case RSTAR_OPTION_BOOL:
			DefineCustomBoolVariable(row->setting, row->help, row->more, row->variable.flag,
									 row->fallback != 0, context, row->flags, NULL, NULL, NULL);
			break;
		case RSTAR_OPTION_INT:
			DefineCustomIntVariable(row->setting, row->help, row->more, row->variable.integer,
									(int) boot, (int) min, (int) row->max, context, row->flags,
									NULL, row->assign_integer, NULL);
			break;
		case RSTAR_OPTION_REAL:
			DefineCustomRealVariable(row->setting, row->help, row->more, row->variable.real, boot,
									 min, row->max, context, row->flags, NULL, NULL, NULL);
			break;
		case RSTAR_OPTION_TEXT:
			DefineCustomStringVariable(row->setting, row->help, row->more, row->variable.text,
									   row->text, context, row->flags, row->check_text, NULL, NULL);
			break;
		case RSTAR_OPTION_ENUM:
			DefineCustomEnumVariable(row->setting, row->help, row->more, row->variable.integer,
									 (int) row->fallback, row->choices, context, row->flags, NULL,
									 NULL, NULL);
			break;
	}
}

void
rstar_settings_define(void)
{
	for (int i = 0; i < lengthof(options); i++)
	{
		if (options[i].setting)
			define(&options[i]);
	}
	MarkGUCPrefixReserved("rstar");
}

static bool
check_model_directory(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] == '\0')
	{
		GUC_check_errdetail("The directory of model files cannot be empty.");
		return false;
	}
	if (strlen(*newval) >= MAXPGPATH - 128)
	{
		GUC_check_errdetail("The path is too long.");
		return false;
	}
	return true;
}

/* --- values for one call -------------------------------------------------------- */

static const rstar_option *
must_find(const char *name)
{
	const rstar_option *row = rstar_option_find(name);

	if (!row)
		elog(ERROR, "rstar has no option \"%s\"", name);
	return row;
}

/* A number without a tail of zeros, for messages. */
static char *
number_text(double value)
{
	return psprintf("%.15g", value);
}

static void
check_range(const rstar_option *row, double value)
{
	if (value >= row->min && value <= row->max && !isnan(value))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is outside the valid range for option \"%s\" (%s .. %s)",
					number_text(value), row->name, number_text(row->min), number_text(row->max))));
}

/* The bound that a superuser has set for this row, or its own maximum. */
static double
limit_of(const rstar_option *row)
{
	return row->limit ? *must_find(row->limit)->variable.integer : row->max;
}

static void
check_limit(const rstar_option *row, double value)
{
	if (value <= limit_of(row))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("option \"%s\" exceeds the limit of %s", row->name, number_text(limit_of(row))),
			 errhint("A superuser can raise the setting \"%s\".", row->limit)));
}

static double
setting_value(const rstar_option *row)
{
	if (!row->setting)
		return row->inherit ? -1 : row->fallback;
	return row->type == RSTAR_OPTION_REAL ? *row->variable.real : *row->variable.integer;
}

static double
value_in_force(const rstar_option *row, Jsonb *defaults)
{
	double value = setting_value(row);

	if (row->inherit && value < 0 &&
		!(defaults && rstar_json_number(&defaults->root, row->name, &value) && value >= row->min &&
		  value <= row->max))
		value = row->fallback;
	return Min(value, limit_of(row));
}

int64
rstar_option_int(const char *name, bool given, int64 value, Jsonb *defaults)
{
	const rstar_option *row = must_find(name);

	Assert(row->type == RSTAR_OPTION_INT);
	if (!given)
		return (int64) value_in_force(row, defaults);
	check_range(row, (double) value);
	check_limit(row, (double) value);
	return value;
}

double
rstar_option_real(const char *name, bool given, double value, Jsonb *defaults)
{
	const rstar_option *row = must_find(name);

	Assert(row->type == RSTAR_OPTION_REAL);
	if (!given)
		return value_in_force(row, defaults);
	check_range(row, value);
	return value;
}

static void
check_default(const char *key, const JsonbValue *value)
{
	const rstar_option *row = rstar_option_find(key);
	double number;

	if (!row || !row->name || strcmp(row->name, key) != 0 || !row->inherit)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model's defaults cannot set \"%s\"", key)));
	if (value->type != jbvNumeric)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"%s\" in a model's defaults must be a number", key)));
	number = DatumGetFloat8(
		DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	check_range(row, number);
	if (row->type == RSTAR_OPTION_INT && number != floor(number))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"%s\" in a model's defaults must be a whole number", key)));
}

void
rstar_options_check_defaults(Jsonb *defaults)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue value;
	char *key = NULL;

	if (!JB_ROOT_IS_OBJECT(defaults))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a model's defaults must be a json object")));
	iterator = JsonbIteratorInit(&defaults->root);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			check_default(key, &value);
	}
}

int
rstar_settings_threads(void)
{
	int threads = rstar_settings.threads;

	if (threads == 0)
		threads = rstar_cpu_count();
	return Min(threads, rstar_settings.max_threads);
}

Size
rstar_settings_kv_bytes(void)
{
	return (Size) Min(rstar_settings.kv_cache_mb, rstar_settings.max_kv_cache_mb) * 1024 * 1024;
}

Size
rstar_settings_sandbox_bytes(void)
{
	return (Size) rstar_settings.sandbox_memory_mb * 1024 * 1024;
}
