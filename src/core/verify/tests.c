/*
 * tests.c
 *	  Testing a solution's functions without showing it the tests.
 */
#include "core/verify/tests.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/verify/python.h"

struct rstar_verify_tests
{
	rstar_string program, tests;
	json_t *known;  /* results by call, both texts of JSON */
	json_t *calls;  /* of the turn in hand, an array of texts */
	json_t *broken; /* the text of reply.broken */
};

rstar_status
rstar_verify_tests_create(rstar_string program, rstar_string text, rstar_verify_tests **out,
						  rstar_error *err)
{
	rstar_verify_tests *tests = rstar_alloc_zero(&rstar_allocator_malloc, sizeof *tests);

	if (!tests)
		return rstar_error_memory(err, sizeof *tests);
	tests->program = program;
	tests->tests = text;
	tests->known = json_pack("{}"); /* json_object() is also a function of the server's */
	tests->calls = json_array();
	*out = tests;
	if (tests->known && tests->calls)
		return RSTAR_OK;
	rstar_verify_tests_free(tests);
	return rstar_error_memory(err, sizeof *tests);
}

void
rstar_verify_tests_free(rstar_verify_tests *tests)
{
	if (!tests)
		return;
	json_decref(tests->known);
	json_decref(tests->calls);
	json_decref(tests->broken);
	rstar_free(&rstar_allocator_malloc, tests);
}

/* Append NAME = '...' with the JSON of a value. */
static bool
assign_json(rstar_buffer *out, const char *name, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);
	bool done = text && rstar_verify_assign(out, name, (rstar_string){text, strlen(text)});

	free(text);
	return done;
}

/* --- the checker ------------------------------------------------------------------------ */

/*
 * A test is a statement of the tests that calls the solution. Statements are told apart by
 * compiling: a line that is not indented begins one, unless what came before is not complete. A
 * statement that makes no call sets something up, and if it fails the tests are broken; so they are
 * if none calls.
 */
static const char checker_source[] =
	"import json, math, fractions, decimal, builtins\n"
	"class Missing(BaseException): pass\n"
	"class Broken(BaseException): pass\n"
	"class state: calls = 0; missing = False; needed = []\n"
	"def key_of(name, args, kwargs):\n"
	"    return json.dumps([name, [encode(a) for a in args],\n"
	"                       [[k, encode(kwargs[k])] for k in sorted(kwargs)]])\n"
	"def outcome(text):\n"
	"    try:\n"
	"        kind, value = json.loads(text)\n"
	"        value = str(value)[:60] if kind == 'error' else decode(value)\n"
	"    except Exception as e:\n"
	"        kind, value = 'error', type(e).__name__\n"
	"    if kind == 'value': return value\n"
	"    known = getattr(builtins, value, None)\n"
	"    if isinstance(known, type) and issubclass(known, Exception): raise known(value)\n"
	"    raise Exception(value)\n"
	"class StandIn:\n"
	"    def __init__(self, name): self.name = name\n"
	"    def __call__(self, *args, **kwargs):\n"
	"        state.calls += 1\n"
	"        try: key = key_of(self.name, args, kwargs)\n"
	"        except TypeError as e: raise Broken('an argument of %s: %s' % (self.name, e))\n"
	"        if key in known: return outcome(known[key])\n"
	"        state.missing = True\n"
	"        if key not in state.needed: state.needed.append(key)\n"
	"        raise Missing()\n"
	"def names_of(code):\n"
	"    for name in code.co_names: yield name\n"
	"    for c in code.co_consts:\n"
	"        if hasattr(c, 'co_names'): yield from names_of(c)\n"
	"def compiled(text):\n"
	"    try: return compile(text, 'tests', 'exec')\n"
	"    except SyntaxError: return None\n"
	"def statements(text):\n"
	"    part = ''\n"
	"    for line in text.splitlines(True):\n"
	"        word = line.split(None, 1)[0].rstrip(':') if line.strip() else ''\n"
	"        begins = word and not line[0].isspace() and word not in ('else', 'elif', 'except', "
	"'finally')\n"
	"        if begins and part.strip() and compiled(part):\n"
	"            yield part\n"
	"            part = ''\n"
	"        part += line\n"
	"    if part.strip(): yield part\n"
	"def same(a, b):\n"
	"    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):\n"
	"        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))\n"
	"    if isinstance(a, dict) and isinstance(b, dict):\n"
	"        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)\n"
	"    if isinstance(a, bool) or isinstance(b, bool): return a is b\n"
	"    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and float in (type(a), "
	"type(b)):\n"
	"        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)\n"
	"    return type(a) == type(b) and a == b\n"
	"def pair_tests(data):\n"
	"    call = StandIn(str(data['function']))\n"
	"    def one(args, wanted):\n"
	"        def test():\n"
	"            if not same(call(*args), wanted): raise AssertionError()\n"
	"        return test\n"
	"    return [one(list(args), wanted) for args, wanted in data['pairs']]\n"
	"def assertion_tests(text):\n"
	"    space = {'__name__': 'tests'}\n"
	"    exec(compile(program, 'program', 'exec'), space)\n"
	"    for part in statements(text):\n"
	"        code = compile(part, 'tests', 'exec')\n"
	"        defined = set(space) | set(dir(builtins))\n"
	"        for name in names_of(code):\n"
	"            if name not in defined: space[name] = StandIn(name)\n"
	"        yield lambda: exec(code, space)\n"
	"def tests_of(text):\n"
	"    if text.lstrip()[:1] != '{': return assertion_tests(text)\n"
	"    return pair_tests(json.loads(text))\n"
	"def check():\n"
	"    passed = total = 0\n"
	"    for test in tests_of(tests):\n"
	"        state.calls, state.missing, failure = 0, False, None\n"
	"        try: test()\n"
	"        except (Exception, Missing, SystemExit) as e: failure = e\n"
	"        if state.calls == 0:\n"
	"            if isinstance(failure, AssertionError):\n"
	"                raise Broken('an assertion fails that calls no function of the solution')\n"
	"            if failure is not None: raise failure\n"
	"            continue\n"
	"        total += 1\n"
	"        passed += failure is None and not state.missing\n"
	"    if total == 0: raise Broken('the tests call no function of the solution')\n"
	"    if state.needed: return {'calls': state.needed}\n"
	"    return {'passed': passed, 'total': total}\n"
	"def reply():\n"
	"    try: return check()\n"
	"    except Broken as e: return {'broken': str(e)}\n"
	"    except (Exception, SystemExit) as e:\n"
	"        return {'broken': (type(e).__name__ + ': ' + str(e))[:300]}\n";

rstar_status
rstar_verify_tests_checkers(rstar_buffer *out, rstar_error *err)
{
	if (rstar_buffer_append_text(out, rstar_verify_encode_source) &&
		rstar_buffer_append_text(out, rstar_verify_decode_source) &&
		rstar_buffer_append_text(out, checker_source))
		return RSTAR_OK;
	return rstar_error_memory(err, out->length);
}

rstar_status
rstar_verify_tests_checker(const rstar_verify_tests *tests, rstar_buffer *out, rstar_error *err)
{
	if (rstar_verify_assign(out, "program", tests->program) &&
		rstar_verify_assign(out, "tests", tests->tests) &&
		assign_json(out, "known", tests->known) &&
		rstar_buffer_append_text(out, "known = json.loads(known)\njson.dumps(reply())\n"))
		return RSTAR_OK;
	return rstar_error_memory(err, out->length + tests->tests.length);
}

/* A count in the reply; false: there is none. */
static bool
read_count(const json_t *object, const char *name, uint32_t *count)
{
	const json_t *number = json_object_get(object, name);

	if (!json_is_integer(number) || json_integer_value(number) < 0 ||
		json_integer_value(number) > UINT32_MAX)
		return false;
	*count = (uint32_t) json_integer_value(number);
	return true;
}

static bool
all_texts(const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!json_is_string(json_array_get(array, i)))
			return false;
	return true;
}

static rstar_status
read_reply(rstar_verify_tests *tests, const json_t *root, rstar_verify_reply *reply,
		   rstar_error *err)
{
	json_t *calls = json_object_get(root, "calls"), *broken = json_object_get(root, "broken");

	if (json_is_string(broken))
	{
		json_decref(tests->broken);
		tests->broken = json_incref(broken);
		reply->broken = json_string_value(broken);
		return RSTAR_OK;
	}
	if (!json_is_array(calls))
		return read_count(root, "passed", &reply->passed) &&
					   read_count(root, "total", &reply->total) && reply->passed <= reply->total &&
					   reply->total > 0
				   ? RSTAR_OK
				   : rstar_error_set(err, RSTAR_ERR_CORRUPT, "a checker's reply lacks its counts");
	if (json_array_size(calls) > RSTAR_VERIFY_CALLS)
		return rstar_error_set(err, RSTAR_ERR_LIMIT, "the tests make more than %d calls at once",
							   RSTAR_VERIFY_CALLS);
	if (json_array_size(calls) == 0 || !all_texts(calls))
		return rstar_error_set(err, RSTAR_ERR_CORRUPT, "a checker's reply lacks its calls");
	json_decref(tests->calls);
	tests->calls = json_incref(calls);
	reply->calls = (uint32_t) json_array_size(calls);
	return RSTAR_OK;
}

rstar_status
rstar_verify_tests_reply(rstar_verify_tests *tests, rstar_string value, rstar_verify_reply *reply,
						 rstar_error *err)
{
	json_t *root = json_loadb(value.data, value.length, 0, NULL);
	rstar_status status;

	*reply = (rstar_verify_reply){0};
	if (!json_is_object(root))
		status = rstar_error_set(err, RSTAR_ERR_CORRUPT, "a checker's reply is no object");
	else
		status = read_reply(tests, root, reply, err);
	json_decref(root);
	return status;
}

/* --- the solution ------------------------------------------------------------------------ */

/*
 * Runs in a namespace of its own, so that names which an honest solution uses for itself (list,
 * print) are not in its way. A dishonest one can spoil what is said of it, and nothing else.
 */
static const char caller_source[] =
	"import json, fractions, decimal\n"
	"def one(text):\n"
	"    try:\n"
	"        name, args, kwargs = json.loads(text)\n"
	"        if name not in space: raise NameError(name)\n"
	"        value = space[name](*[decode(a) for a in args], **{k: decode(v) for k, v in kwargs})\n"
	"        return json.dumps(['value', encode(value)])\n"
	"    except BaseException as e:\n"
	"        return json.dumps(['error', type(e).__name__])\n"
	"def all(calls): return json.dumps([one(call) for call in json.loads(calls)])\n";

/* Part of the calls, as an array of its own; NULL: no memory. */
static json_t *
some_calls(const rstar_verify_tests *tests, uint32_t first, uint32_t n)
{
	json_t *some = json_array();

	for (uint32_t i = 0; some && i < n; i++)
		if (json_array_append(some, json_array_get(tests->calls, first + i)) != 0)
		{
			json_decref(some);
			some = NULL;
		}
	return some;
}

/*
 * The names are taken from the module builtins: the solution's may mean something else.
 */
rstar_status
rstar_verify_tests_solutions(rstar_buffer *out, rstar_error *err)
{
	rstar_buffer source;
	bool done;

	rstar_buffer_init(&source, out->allocator);
	done = rstar_buffer_append_text(&source, rstar_verify_encode_source) &&
		   rstar_buffer_append_text(&source, rstar_verify_decode_source) &&
		   rstar_buffer_append_text(&source, caller_source) &&
		   rstar_buffer_append_text(out, "__rstar = {'space': globals()}\nexec(") &&
		   rstar_verify_literal(out, (rstar_string){source.data, source.length}) &&
		   rstar_buffer_append_text(out, ", __rstar)\n");
	rstar_buffer_free(&source);
	return done ? RSTAR_OK : rstar_error_memory(err, out->length);
}

static bool
append_caller(rstar_buffer *out, const char *calls)
{
	return rstar_buffer_append_text(out, "__rstar['all'](") &&
		   rstar_verify_literal(out, (rstar_string){calls, strlen(calls)}) &&
		   rstar_buffer_append_text(out, ")\n");
}

rstar_status
rstar_verify_tests_calls(const rstar_verify_tests *tests, uint32_t first, uint32_t n,
						 rstar_buffer *out, rstar_error *err)
{
	json_t *calls = some_calls(tests, first, n);
	char *text = calls ? json_dumps(calls, JSON_COMPACT) : NULL;
	bool done = text && append_caller(out, text);

	free(text);
	json_decref(calls);
	return done ? RSTAR_OK : rstar_error_memory(err, out->length);
}

bool
rstar_verify_tests_results(rstar_verify_tests *tests, uint32_t first, uint32_t n,
						   rstar_string value)
{
	json_t *results = json_loadb(value.data, value.length, 0, NULL);
	bool taken = json_is_array(results) && json_array_size(results) == n && all_texts(results);

	for (uint32_t i = 0; taken && i < n; i++)
		taken = json_object_set(tests->known,
								json_string_value(json_array_get(tests->calls, first + i)),
								json_array_get(results, i)) == 0;
	json_decref(results);
	return taken;
}

bool
rstar_verify_tests_lost(rstar_verify_tests *tests, uint32_t i)
{
	return json_object_set_new(tests->known, json_string_value(json_array_get(tests->calls, i)),
							   json_string("[\"error\", \"TimeoutError\"]")) == 0;
}
