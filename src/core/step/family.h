/*
 * family.h
 *	  Prompts for models that were not trained on the step format.
 *
 * A model trained by this extension carries its own template (prompt.h). Models
 * from elsewhere are told what to write: chat models by an instruction in the
 * markup of their family, with worked examples as earlier turns; base models,
 * which only continue a text, by worked examples alone ("few-shot"). The result
 * is a template as of prompt.h, ready to be given to a model on import.
 */
#ifndef RSTAR_STEP_FAMILY_H
#define RSTAR_STEP_FAMILY_H

#include "core/step/prompt.h"
#include "core/text/tokenizer.h"

#define RSTAR_FAMILY_SHOTS 3 /* worked examples there are */

/* The names of families, in order; NULL behind the last. */
extern const char *rstar_family_name(size_t i);

/*
 * Append the template of a family with the first `shots` examples (negative: as
 * many as suit the family). Errors: NOT_FOUND (no such family), ARGUMENT (too many
 * examples, or some for a family that takes none), MEMORY.
 */
extern rstar_status rstar_family_template(const char *name, int shots, rstar_buffer *out,
										  rstar_error *err);

/*
 * The family that a model file's chat template is of: one whose marks stand in
 * the template and are tokens of the vocabulary; "base" without a template or
 * with one of another kind; "rstar" for a vocabulary that has the step format's
 * tags as tokens of their own, since such a model was made for them.
 */
extern const char *rstar_family_of_file(const rstar_gguf *gguf, const rstar_tokenizer *tokenizer);

/* The examples: a problem and its solution in the step format. */
extern const char *rstar_family_problem(size_t i);
extern const char *rstar_family_solution(size_t i);

#endif
