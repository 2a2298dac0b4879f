/*
 * lex_table.c
 *	  The commands and words the lexer knows.
 */
#include "core/grade/lex_table.h"

#include <string.h>

/* Commands without their backslash, sorted by strcmp. */
static const rstar_lex_entry lex_commands[] = {
	{"Alpha", LEX_LETTER, 0},
	{"Big", LEX_SKIP, 0},
	{"Bigg", LEX_SKIP, 0},
	{"Biggl", LEX_SKIP, 0},
	{"Biggr", LEX_SKIP, 0},
	{"Bigl", LEX_SKIP, 0},
	{"Bigr", LEX_SKIP, 0},
	{"Delta", LEX_LETTER, 0},
	{"Gamma", LEX_LETTER, 0},
	{"Lambda", LEX_LETTER, 0},
	{"Leftrightarrow", LEX_MARK, RSTAR_MARK_ARROW},
	{"Omega", LEX_LETTER, 0},
	{"Phi", LEX_LETTER, 0},
	{"Pi", LEX_LETTER, 0},
	{"Pr", LEX_LETTER, 0},
	{"Psi", LEX_LETTER, 0},
	{"Rightarrow", LEX_MARK, RSTAR_MARK_ARROW},
	{"Sigma", LEX_LETTER, 0},
	{"Theta", LEX_LETTER, 0},
	{"Vert", LEX_MARK, '|'},
	{"alpha", LEX_LETTER, 0},
	{"angle", LEX_MARK, RSTAR_MARK_ANGLE},
	{"approx", LEX_MARK, RSTAR_MARK_APPROX},
	{"arccos", LEX_FUNCTION, RSTAR_FUNCTION_ACOS},
	{"arccot", LEX_FUNCTION, RSTAR_FUNCTION_ACOT},
	{"arccsc", LEX_FUNCTION, RSTAR_FUNCTION_ACSC},
	{"arcsec", LEX_FUNCTION, RSTAR_FUNCTION_ASEC},
	{"arcsin", LEX_FUNCTION, RSTAR_FUNCTION_ASIN},
	{"arctan", LEX_FUNCTION, RSTAR_FUNCTION_ATAN},
	{"bar", LEX_MARK, RSTAR_MARK_OVERLINE},
	{"begin", LEX_MARK, RSTAR_MARK_BEGIN},
	{"beta", LEX_LETTER, 0},
	{"bf", LEX_SKIP, 0},
	{"big", LEX_SKIP, 0},
	{"bigcap", LEX_BIG, 0},
	{"bigcup", LEX_BIG, 0},
	{"bigg", LEX_SKIP, 0},
	{"biggl", LEX_SKIP, 0},
	{"biggr", LEX_SKIP, 0},
	{"bigl", LEX_SKIP, 0},
	{"bigm", LEX_SKIP, 0},
	{"bigr", LEX_SKIP, 0},
	{"binom", LEX_MARK, RSTAR_MARK_BINOM},
	{"bmod", LEX_MARK, RSTAR_MARK_MOD},
	{"boldsymbol", LEX_FONT, 0},
	{"boxed", LEX_FONT, 0},
	{"bullet", LEX_MARK, '*'},
	{"cap", LEX_MARK, RSTAR_MARK_CAP},
	{"cdot", LEX_MARK, '*'},
	{"cdots", LEX_MARK, RSTAR_MARK_DOTS},
	{"cfrac", LEX_MARK, RSTAR_MARK_FRAC},
	{"chi", LEX_LETTER, 0},
	{"circ", LEX_MARK, RSTAR_MARK_DEGREE},
	{"colon", LEX_MARK, ':'},
	{"cong", LEX_MARK, RSTAR_MARK_EQUIV},
	{"cos", LEX_FUNCTION, RSTAR_FUNCTION_COS},
	{"cosh", LEX_FUNCTION, RSTAR_FUNCTION_COSH},
	{"cot", LEX_FUNCTION, RSTAR_FUNCTION_COT},
	{"coth", LEX_FUNCTION, RSTAR_FUNCTION_COTH},
	{"csc", LEX_FUNCTION, RSTAR_FUNCTION_CSC},
	{"cup", LEX_MARK, RSTAR_MARK_CUP},
	{"dbinom", LEX_MARK, RSTAR_MARK_BINOM},
	{"degree", LEX_MARK, RSTAR_MARK_DEGREE},
	{"delta", LEX_LETTER, 0},
	{"det", LEX_FUNCTION, RSTAR_FUNCTION_DET},
	{"dfrac", LEX_MARK, RSTAR_MARK_FRAC},
	{"displaystyle", LEX_SKIP, 0},
	{"div", LEX_MARK, '/'},
	{"dots", LEX_MARK, RSTAR_MARK_DOTS},
	{"dotsb", LEX_MARK, RSTAR_MARK_DOTS},
	{"dotsc", LEX_MARK, RSTAR_MARK_DOTS},
	{"ell", LEX_LETTER, 0},
	{"emptyset", LEX_MARK, RSTAR_MARK_EMPTYSET},
	{"end", LEX_MARK, RSTAR_MARK_END},
	{"epsilon", LEX_LETTER, 0},
	{"equiv", LEX_MARK, RSTAR_MARK_EQUIV},
	{"eta", LEX_LETTER, 0},
	{"exp", LEX_FUNCTION, RSTAR_FUNCTION_EXP},
	{"frac", LEX_MARK, RSTAR_MARK_FRAC},
	{"gamma", LEX_LETTER, 0},
	{"gcd", LEX_FUNCTION, RSTAR_FUNCTION_GCD},
	{"ge", LEX_MARK, RSTAR_MARK_GE},
	{"geq", LEX_MARK, RSTAR_MARK_GE},
	{"geqslant", LEX_MARK, RSTAR_MARK_GE},
	{"gt", LEX_MARK, '>'},
	{"hat", LEX_ACCENT, 0},
	{"hspace", LEX_ARGUMENT, 0},
	{"iff", LEX_MARK, RSTAR_MARK_ARROW},
	{"in", LEX_MARK, RSTAR_MARK_IN},
	{"infty", LEX_CONSTANT, RSTAR_CONSTANT_INFINITY},
	{"int", LEX_BIG, 0},
	{"iota", LEX_LETTER, 0},
	{"kappa", LEX_LETTER, 0},
	{"lambda", LEX_LETTER, 0},
	{"land", LEX_MARK, RSTAR_MARK_AND},
	{"langle", LEX_MARK, RSTAR_MARK_ANGLE_OPEN},
	{"lbrace", LEX_MARK, RSTAR_MARK_SET_OPEN},
	{"lbrack", LEX_MARK, '['},
	{"lceil", LEX_MARK, RSTAR_MARK_CEIL_OPEN},
	{"lcm", LEX_FUNCTION, RSTAR_FUNCTION_LCM},
	{"ldots", LEX_MARK, RSTAR_MARK_DOTS},
	{"le", LEX_MARK, RSTAR_MARK_LE},
	{"left", LEX_LEFT, 0},
	{"leq", LEX_MARK, RSTAR_MARK_LE},
	{"leqslant", LEX_MARK, RSTAR_MARK_LE},
	{"lfloor", LEX_MARK, RSTAR_MARK_FLOOR_OPEN},
	{"lg", LEX_FUNCTION, RSTAR_FUNCTION_LG},
	{"lim", LEX_BIG, 0},
	{"limits", LEX_SKIP, 0},
	{"ln", LEX_FUNCTION, RSTAR_FUNCTION_LN},
	{"log", LEX_FUNCTION, RSTAR_FUNCTION_LOG},
	{"lor", LEX_MARK, RSTAR_MARK_OR},
	{"lt", LEX_MARK, '<'},
	{"lvert", LEX_MARK, RSTAR_MARK_BAR_OPEN},
	{"mathbb", LEX_BLACKBOARD, 0},
	{"mathbf", LEX_FONT, 0},
	{"mathcal", LEX_FONT, 0},
	{"mathfrak", LEX_FONT, 0},
	{"mathit", LEX_FONT, 0},
	{"mathrm", LEX_TEXT, 0},
	{"mathsf", LEX_FONT, 0},
	{"max", LEX_FUNCTION, RSTAR_FUNCTION_MAX},
	{"mbox", LEX_TEXT, 0},
	{"mid", LEX_MARK, RSTAR_MARK_MID},
	{"min", LEX_FUNCTION, RSTAR_FUNCTION_MIN},
	{"mod", LEX_MARK, RSTAR_MARK_MOD},
	{"mp", LEX_MARK, RSTAR_MARK_MP},
	{"mu", LEX_LETTER, 0},
	{"nabla", LEX_LETTER, 0},
	{"ne", LEX_MARK, RSTAR_MARK_NE},
	{"neq", LEX_MARK, RSTAR_MARK_NE},
	{"nolimits", LEX_SKIP, 0},
	{"not", LEX_MARK, RSTAR_MARK_OPERATOR},
	{"nu", LEX_LETTER, 0},
	{"omega", LEX_LETTER, 0},
	{"operatorname", LEX_TEXT, 0},
	{"over", LEX_MARK, RSTAR_MARK_OVER},
	{"overline", LEX_MARK, RSTAR_MARK_OVERLINE},
	{"overrightarrow", LEX_ACCENT, 0},
	{"parallel", LEX_MARK, RSTAR_MARK_OPERATOR},
	{"partial", LEX_LETTER, 0},
	{"perp", LEX_MARK, RSTAR_MARK_OPERATOR},
	{"phi", LEX_LETTER, 0},
	{"pi", LEX_CONSTANT, RSTAR_CONSTANT_PI},
	{"pm", LEX_MARK, RSTAR_MARK_PM},
	{"pmod", LEX_MARK, RSTAR_MARK_MOD},
	{"pounds", LEX_MARK, RSTAR_MARK_CURRENCY},
	{"prime", LEX_MARK, RSTAR_MARK_PRIME},
	{"prod", LEX_BIG, 0},
	{"propto", LEX_MARK, RSTAR_MARK_OPERATOR},
	{"psi", LEX_LETTER, 0},
	{"qquad", LEX_SKIP, 0},
	{"quad", LEX_SKIP, 0},
	{"rangle", LEX_MARK, RSTAR_MARK_ANGLE_CLOSE},
	{"rbrace", LEX_MARK, RSTAR_MARK_SET_CLOSE},
	{"rbrack", LEX_MARK, ']'},
	{"rceil", LEX_MARK, RSTAR_MARK_CEIL_CLOSE},
	{"rfloor", LEX_MARK, RSTAR_MARK_FLOOR_CLOSE},
	{"rho", LEX_LETTER, 0},
	{"right", LEX_RIGHT, 0},
	{"rightarrow", LEX_MARK, RSTAR_MARK_ARROW},
	{"rm", LEX_SKIP, 0},
	{"rvert", LEX_MARK, RSTAR_MARK_BAR_CLOSE},
	{"sec", LEX_FUNCTION, RSTAR_FUNCTION_SEC},
	{"setminus", LEX_MARK, RSTAR_MARK_SETMINUS},
	{"sigma", LEX_LETTER, 0},
	{"sim", LEX_MARK, RSTAR_MARK_OPERATOR},
	{"sin", LEX_FUNCTION, RSTAR_FUNCTION_SIN},
	{"sinh", LEX_FUNCTION, RSTAR_FUNCTION_SINH},
	{"sqrt", LEX_MARK, RSTAR_MARK_SQRT},
	{"subset", LEX_MARK, RSTAR_MARK_OPERATOR},
	{"subseteq", LEX_MARK, RSTAR_MARK_OPERATOR},
	{"sum", LEX_BIG, 0},
	{"tan", LEX_FUNCTION, RSTAR_FUNCTION_TAN},
	{"tanh", LEX_FUNCTION, RSTAR_FUNCTION_TANH},
	{"tau", LEX_LETTER, 0},
	{"tbinom", LEX_MARK, RSTAR_MARK_BINOM},
	{"text", LEX_TEXT, 0},
	{"textbf", LEX_TEXT, 0},
	{"textit", LEX_TEXT, 0},
	{"textnormal", LEX_TEXT, 0},
	{"textrm", LEX_TEXT, 0},
	{"textstyle", LEX_SKIP, 0},
	{"textsuperscript", LEX_MARK, '^'},
	{"tfrac", LEX_MARK, RSTAR_MARK_FRAC},
	{"therefore", LEX_SKIP, 0},
	{"theta", LEX_LETTER, 0},
	{"tilde", LEX_ACCENT, 0},
	{"times", LEX_MARK, '*'},
	{"to", LEX_MARK, RSTAR_MARK_ARROW},
	{"triangle", LEX_MARK, RSTAR_MARK_ANGLE},
	{"underline", LEX_ACCENT, 0},
	{"upsilon", LEX_LETTER, 0},
	{"varepsilon", LEX_LETTER, 0},
	{"varnothing", LEX_MARK, RSTAR_MARK_EMPTYSET},
	{"varphi", LEX_LETTER, 0},
	{"vec", LEX_FONT, 0},
	{"vee", LEX_MARK, RSTAR_MARK_OR},
	{"vert", LEX_MARK, '|'},
	{"wedge", LEX_MARK, RSTAR_MARK_AND},
	{"widehat", LEX_ACCENT, 0},
	{"xi", LEX_LETTER, 0},
	{"zeta", LEX_LETTER, 0},
};

/* Words of plain text that stand for mathematics, sorted. */
static const rstar_lex_entry lex_plain[] = {
	{"Infinity", LEX_CONSTANT, RSTAR_CONSTANT_INFINITY},
	{"Union", LEX_MARK, RSTAR_MARK_CUP},
	{"abs", LEX_FUNCTION, RSTAR_FUNCTION_ABS},
	{"acos", LEX_FUNCTION, RSTAR_FUNCTION_ACOS},
	{"and", LEX_MARK, RSTAR_MARK_AND},
	{"arccos", LEX_FUNCTION, RSTAR_FUNCTION_ACOS},
	{"arccot", LEX_FUNCTION, RSTAR_FUNCTION_ACOT},
	{"arccsc", LEX_FUNCTION, RSTAR_FUNCTION_ACSC},
	{"arcsec", LEX_FUNCTION, RSTAR_FUNCTION_ASEC},
	{"arcsin", LEX_FUNCTION, RSTAR_FUNCTION_ASIN},
	{"arctan", LEX_FUNCTION, RSTAR_FUNCTION_ATAN},
	{"asin", LEX_FUNCTION, RSTAR_FUNCTION_ASIN},
	{"atan", LEX_FUNCTION, RSTAR_FUNCTION_ATAN},
	{"binomial", LEX_FUNCTION, RSTAR_FUNCTION_BINOMIAL},
	{"ceil", LEX_FUNCTION, RSTAR_FUNCTION_CEIL},
	{"ceiling", LEX_FUNCTION, RSTAR_FUNCTION_CEIL},
	{"cos", LEX_FUNCTION, RSTAR_FUNCTION_COS},
	{"cosh", LEX_FUNCTION, RSTAR_FUNCTION_COSH},
	{"cot", LEX_FUNCTION, RSTAR_FUNCTION_COT},
	{"csc", LEX_FUNCTION, RSTAR_FUNCTION_CSC},
	{"exp", LEX_FUNCTION, RSTAR_FUNCTION_EXP},
	{"factorial", LEX_FUNCTION, RSTAR_FUNCTION_FACTORIAL},
	{"floor", LEX_FUNCTION, RSTAR_FUNCTION_FLOOR},
	{"gcd", LEX_FUNCTION, RSTAR_FUNCTION_GCD},
	{"inf", LEX_CONSTANT, RSTAR_CONSTANT_INFINITY},
	{"infinity", LEX_CONSTANT, RSTAR_CONSTANT_INFINITY},
	{"infty", LEX_CONSTANT, RSTAR_CONSTANT_INFINITY},
	{"lcm", LEX_FUNCTION, RSTAR_FUNCTION_LCM},
	{"ln", LEX_FUNCTION, RSTAR_FUNCTION_LN},
	{"log", LEX_FUNCTION, RSTAR_FUNCTION_LOG},
	{"max", LEX_FUNCTION, RSTAR_FUNCTION_MAX},
	{"min", LEX_FUNCTION, RSTAR_FUNCTION_MIN},
	{"mod", LEX_MARK, RSTAR_MARK_MOD},
	{"oo", LEX_CONSTANT, RSTAR_CONSTANT_INFINITY},
	{"or", LEX_MARK, RSTAR_MARK_OR},
	{"pct", LEX_MARK, RSTAR_MARK_PERCENT},
	{"percent", LEX_MARK, RSTAR_MARK_PERCENT},
	{"pi", LEX_CONSTANT, RSTAR_CONSTANT_PI},
	{"pm", LEX_TEXT, 0},
	{"sec", LEX_FUNCTION, RSTAR_FUNCTION_SEC},
	{"sin", LEX_FUNCTION, RSTAR_FUNCTION_SIN},
	{"sinh", LEX_FUNCTION, RSTAR_FUNCTION_SINH},
	{"sqrt", LEX_MARK, RSTAR_MARK_SQRT},
	{"tan", LEX_FUNCTION, RSTAR_FUNCTION_TAN},
	{"tanh", LEX_FUNCTION, RSTAR_FUNCTION_TANH},
};

/* Runs of two or three letters that are words rather than products, sorted. */
static const char *const lex_short_words[] = {
	"AM",  "Jan", "Feb", "Mar", "Apr", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "PM",
	"No",  "Yes", "The", "Let", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "all", "am",
	"any", "are", "at",  "be",  "big", "boy", "but", "by",  "can", "car", "cat", "cm",  "cup",
	"day", "dm",  "dog", "egg", "far", "few", "for", "ft",  "gal", "get", "gm",  "has", "her",
	"his", "hot", "hr",  "hrs", "if",  "in",  "is",  "it",  "its", "kg",  "km",  "kmh", "kph",
	"lb",  "lbs", "low", "man", "men", "mg",  "mi",  "mid", "min", "mL",  "ml",  "mm",  "mph",
	"no",  "non", "not", "now", "odd", "of",  "off", "old", "on",  "one", "our", "out", "own",
	"oz",  "per", "pen", "red", "sec", "set", "she", "six", "so",  "sq",  "ten", "the", "to",
	"too", "top", "two", "up",  "was", "way", "we",  "who", "yd",  "yds", "yes", "yr",  "yrs",
	"you", "yen", "DNE", "YES", "NO",  "GMT", "USD", "EUR", "Hz",  "kHz", "kW",  "kJ",  "Pa",
	"kPa", "mol", "ms",  "rad", "deg", "bus", "map", "box", "row", "bit", "ton",
};

static int
compare_name(const char *name, const char *text, size_t length)
{
	int order = strncmp(name, text, length);

	return order ? order : name[length] != '\0';
}

static const rstar_lex_entry *
find(const rstar_lex_entry *table, size_t count, const char *text, size_t length)
{
	size_t low = 0;

	while (low < count)
	{
		size_t middle = (low + count) / 2;
		int order = compare_name(table[middle].name, text, length);

		if (order == 0)
			return &table[middle];
		if (order < 0)
			low = middle + 1;
		else
			count = middle;
	}
	return NULL;
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const rstar_lex_entry *
rstar_lex_find_command(const char *text, size_t length)
{
	return find(lex_commands, COUNT(lex_commands), text, length);
}

const rstar_lex_entry *
rstar_lex_find_word(const char *text, size_t length)
{
	return find(lex_plain, COUNT(lex_plain), text, length);
}

bool
rstar_lex_is_short_word(const char *text, size_t length)
{
	for (size_t i = 0; i < COUNT(lex_short_words); i++)
		if (strlen(lex_short_words[i]) == length && memcmp(lex_short_words[i], text, length) == 0)
			return true;
	return false;
}
