/*
 * family.c
 *	  Prompts for models that were not trained on the step format: see family.h.
 */
#include "core/step/family.h"

#include <string.h>

static const char instruction[] =
	"Solve the problem step by step. Each step is a comment that says in words what is done, and "
	"Python code that does it. Write the steps between <code> and <end_of_code>, each but the last "
	"closed by <end_of_step>. The last step prints the result, which is then shown to you "
	"between <output> and <end_of_output>. Then write <answer>, a sentence with the final answer "
	"in "
	"\\boxed{}, and <end_of_answer>.";

static const struct
{
	const char *problem;
	const char *solution;
} examples[RSTAR_FAMILY_SHOTS] = {
	{"A bakery sells muffins in boxes of 6. On Monday it sold 14 boxes and 5 single muffins, on "
	 "Tuesday twice as many boxes and no single ones. How many muffins did it sell on both days "
	 "together?",
	 "<code>\n"
	 "# Step 1: Count the muffins sold on Monday, in boxes and single\n"
	 "monday = 14 * 6 + 5\n"
	 "<end_of_step>\n"
	 "\n"
	 "# Step 2: Count the muffins sold on Tuesday, in twice as many boxes\n"
	 "tuesday = 2 * 14 * 6\n"
	 "<end_of_step>\n"
	 "\n"
	 "# Now print the final answer\n"
	 "print(monday + tuesday)\n"
	 "<end_of_code>\n"
	 "<output>257<end_of_output>\n"
	 "<answer>Both days together: \\boxed{257}\n"
	 "<end_of_answer>"},
	{"What is the sum of the solutions of $x^2 - 7x + 10 = 0$ that are greater than 3?",
	 "<code>\n"
	 "# Step 1: Import the library for symbolic mathematics and write down the equation\n"
	 "from sympy import symbols, solve\n"
	 "x = symbols('x')\n"
	 "equation = x**2 - 7*x + 10\n"
	 "<end_of_step>\n"
	 "\n"
	 "# Step 2: Solve the equation\n"
	 "solutions = solve(equation, x)\n"
	 "<end_of_step>\n"
	 "\n"
	 "# Step 3: Keep the solutions greater than 3 and add them up\n"
	 "total = sum(s for s in solutions if s > 3)\n"
	 "<end_of_step>\n"
	 "\n"
	 "# Now print the final answer\n"
	 "print(total)\n"
	 "<end_of_code>\n"
	 "<output>5<end_of_output>\n"
	 "<answer>The sum of these solutions is \\boxed{5}\n"
	 "<end_of_answer>"},
	{"Two fair dice are rolled. What is the probability that the product of the two numbers is a "
	 "perfect square? Give a common fraction.",
	 "<code>\n"
	 "# Step 1: List all products of two rolls\n"
	 "from fractions import Fraction\n"
	 "products = [a * b for a in range(1, 7) for b in range(1, 7)]\n"
	 "<end_of_step>\n"
	 "\n"
	 "# Step 2: Count the products that are perfect squares\n"
	 "squares = {n * n for n in range(1, 7)}\n"
	 "favourable = sum(p in squares for p in products)\n"
	 "<end_of_step>\n"
	 "\n"
	 "# Now print the final answer\n"
	 "print(Fraction(favourable, len(products)))\n"
	 "<end_of_code>\n"
	 "<output>2/9<end_of_output>\n"
	 "<answer>The probability is \\boxed{\\frac{2}{9}}\n"
	 "<end_of_answer>"},
};

/* How a family marks turns; the instruction stands between system and system_end. */
typedef struct family
{
	const char *name;
	const char *system;
	const char *system_end;
	const char *user;      /* before a problem */
	const char *assistant; /* between a problem and its solution */
	const char *turn_end;  /* behind a solution */
	int usual_shots;
	bool takes_shots;
	bool system_in_user;  /* `system` begins the first problem's turn */
	const char *marks[2]; /* what its chat templates contain */
} family;

static const family families[] = {
	{"rstar", NULL, NULL, NULL, NULL, NULL, 0, false, false, {NULL, NULL}},
	{"qwen2",
	 "<|im_start|>system\n",
	 "<|im_end|>\n",
	 "<|im_start|>user\n",
	 "<|im_end|>\n<|im_start|>assistant\n",
	 "<|im_end|>\n",
	 3,
	 true,
	 false,
	 {"<|im_start|>", "<|im_end|>"}},
	{"phi3",
	 "<|system|>\n",
	 "<|end|>\n",
	 "<|user|>\n",
	 "<|end|>\n<|assistant|>\n",
	 "<|end|>\n",
	 3,
	 true,
	 false,
	 {"<|assistant|>", "<|end|>"}},
	{"llama3",
	 "<|start_header_id|>system<|end_header_id|>\n\n",
	 "<|eot_id|>",
	 "<|start_header_id|>user<|end_header_id|>\n\n",
	 "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
	 "<|eot_id|>",
	 3,
	 true,
	 false,
	 {"<|start_header_id|>", "<|eot_id|>"}},
	{"gemma",
	 "<start_of_turn>user\n",
	 "\n\n",
	 "<start_of_turn>user\n",
	 "<end_of_turn>\n<start_of_turn>model\n",
	 "<end_of_turn>\n",
	 3,
	 true,
	 true,
	 {"<start_of_turn>", "<end_of_turn>"}},
	{"chat", "", "\n\n", "Problem: ", "\nSolution:\n", "\n\n", 3, true, false, {NULL, NULL}},
	{"base", NULL, NULL, "Problem: ", "\nSolution:\n", "\n\n", 3, true, false, {NULL, NULL}},
};

#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

const char *
rstar_family_name(size_t i)
{
	return i < N_FAMILIES ? families[i].name : NULL;
}

const char *
rstar_family_problem(size_t i)
{
	return i < RSTAR_FAMILY_SHOTS ? examples[i].problem : NULL;
}

const char *
rstar_family_solution(size_t i)
{
	return i < RSTAR_FAMILY_SHOTS ? examples[i].solution : NULL;
}

static const family *
find(const char *name, rstar_error *err)
{
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (strcmp(families[i].name, name) == 0)
			return &families[i];
	rstar_error_set(err, RSTAR_ERR_NOT_FOUND, "unknown model family \"%.60s\"", name);
	rstar_error_hint(err, "Families are rstar, qwen2, phi3, llama3, gemma, chat and base.");
	return NULL;
}

/* The mark before problem i: what the family puts there, unless the instruction has opened the turn. */
static const char *
before_problem(const family *f, int i)
{
	return f->system_in_user && i == 0 ? "" : f->user;
}

static bool
append_examples(const family *f, int shots, rstar_buffer *out)
{
	for (int i = 0; i < shots; i++)
		if (!rstar_buffer_append_text(out, before_problem(f, i)) ||
			!rstar_buffer_append_text(out, examples[i].problem) ||
			!rstar_buffer_append_text(out, f->assistant) ||
			!rstar_buffer_append_text(out, examples[i].solution) ||
			!rstar_buffer_append_text(out, f->turn_end))
			return false;
	return true;
}

static bool
has_mark(rstar_string template, const rstar_tokenizer *tokenizer, const char *mark)
{
	return mark && template.length > 0 &&
		   memmem(template.data, template.length, mark, strlen(mark)) &&
		   rstar_tokenizer_find_special(tokenizer, mark, strlen(mark)) != RSTAR_NO_TOKEN;
}

const char *
rstar_family_of_file(const rstar_gguf *gguf, const rstar_tokenizer *tokenizer)
{
	static const char step[] = "<end_of_step>";
	rstar_string template = {NULL, 0};

	if (rstar_tokenizer_find_special(tokenizer, step, sizeof step - 1) != RSTAR_NO_TOKEN)
		return "rstar";
	(void) rstar_gguf_get_string(gguf, "tokenizer.chat_template", &template);
	for (size_t i = 0; i < N_FAMILIES; i++)
		if (has_mark(template, tokenizer, families[i].marks[0]) &&
			has_mark(template, tokenizer, families[i].marks[1]))
			return families[i].name;
	return "base";
}

rstar_status
rstar_family_template(const char *name, int shots, rstar_buffer *out, rstar_error *err)
{
	const family *f = find(name, err);
	bool done;

	if (!f)
		return RSTAR_ERR_NOT_FOUND;
	if (shots < 0)
		shots = f->usual_shots;
	if (shots > 0 && !f->takes_shots)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "the template of family \"%s\" has no examples", name);
	if (shots > RSTAR_FAMILY_SHOTS)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "there are %d examples, not %d",
							   RSTAR_FAMILY_SHOTS, shots);
	if (!f->user)
		done = rstar_buffer_append_text(out, RSTAR_PROMPT_DEFAULT);
	else
		done = (!f->system || (rstar_buffer_append_text(out, f->system) &&
							   rstar_buffer_append_text(out, instruction) &&
							   rstar_buffer_append_text(out, f->system_end))) &&
			   append_examples(f, shots, out) &&
			   rstar_buffer_append_text(out, before_problem(f, shots)) &&
			   rstar_buffer_append_text(out, RSTAR_PROMPT_SLOT) &&
			   rstar_buffer_append_text(out, f->assistant);
	return done ? RSTAR_OK : rstar_error_memory(err, RSTAR_PROMPT_LONGEST);
}
