/*
 * test_remote.c
 *	  Addresses, the protocol, and a client against the model server of test/servers.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

extern int model_server_main(int argc, char **argv);
#define main model_server_main
#include "../servers/model_server.c"
#undef main

#include "check.h"
#include "core/base/clock.h"
#include "core/remote/model.h"
#include "core/search/search.h"

/* --- addresses ------------------------------------------------------------------------------ */

static bool
parses(const char *text, const char *expected)
{
	rstar_address a;
	rstar_error err;
	rstar_buffer out;
	bool same = true;

	if (rstar_address_parse(text, strlen(text), &a, &err) != RSTAR_OK)
		return expected == NULL;
	rstar_buffer_init(&out, &rstar_allocator_malloc);
	(void) rstar_address_append(&a, &out);
	if (!expected || strcmp(out.data, expected) != 0)
	{
		printf("# %s reads as %s\n", text, out.data);
		same = false;
	}
	rstar_buffer_free(&out);
	return same;
}

static void
addresses_read(void)
{
	CHECK(parses("https://gpu1/v1", "https://gpu1/v1"));
	CHECK(parses("https://GPU-1.Example.com:8443/v1/", "https://gpu-1.example.com:8443/v1"));
	CHECK(parses("http://localhost:80", "http://localhost"));
	CHECK(parses("https://localhost:443//", "https://localhost"));
	CHECK(parses("http://10.0.0.7:8000/api/v1", "http://10.0.0.7:8000/api/v1"));
	CHECK(parses("https://[2001:DB8:0:0::1]:8000/v1", "https://[2001:db8::1]:8000/v1"));
	CHECK(parses("http://[::1]", "http://[::1]"));
	CHECK(parses("http://[::ffff:127.0.0.1]:8000", "http://127.0.0.1:8000"));
}

static void
addresses_refused(void)
{
	static const char *const texts[] = {
		"",
		"gpu1",
		"ftp://gpu1",
		"file:///etc/passwd",
		"gopher://gpu1",
		"unix:///tmp/x",
		"HTTPS://gpu1",
		"https:/gpu1",
		"https://",
		"https:///v1",
		"https://user@gpu1",
		"https://user:secret@gpu1/v1",
		"https://gpu1@evil.com",
		"https://gpu1\\@evil.com",
		"https://gpu1?x",
		"https://gpu1/v1?key=7",
		"https://gpu1#evil.com",
		"https://gpu1/v1#x",
		"https://gpu1:0",
		"https://gpu1:65536",
		"https://gpu1:",
		"https://gpu1:80:80",
		"https://gpu1: 80",
		"https://gpu 1",
		"https://gpu1\n",
		"https://gpu1/v1\r\nHost: evil",
		"https://gpu%2e1",
		"https://gpu1/%2e%2e/x",
		"https://gpu1/../x",
		"https://gpu1/a//b",
		"https://.gpu1",
		"https://gpu1.",
		"https://gpu..1",
		"https://2130706433",
		"https://0x7f000001",
		"https://0x7f.1",
		"https://127.1",
		"https://127.0.0.01",
		"https://0177.0.0.1",
		"https://127.0.0.1.",
		"https://[::1",
		"https://[::1]x",
		"https://[]",
		"https://[::1%25lo]",
		"https://[127.0.0.1]",
		"https://::1",
		"https://\xc3\xa9",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		CHECK_MSG(parses(texts[i], NULL), "%s", texts[i]);
}

static bool
listed(const char *text, const char *list)
{
	rstar_address a;
	rstar_error err;

	return rstar_address_parse(text, strlen(text), &a, &err) == RSTAR_OK &&
		   rstar_address_check_list(list, &err) == RSTAR_OK && rstar_address_listed(&a, list);
}

static void
lists(void)
{
	rstar_error err;

	CHECK(!listed("https://gpu1", ""));
	CHECK(listed("https://gpu1/v1", "gpu1"));
	CHECK(listed("https://gpu1:443/v1", " gpu0,\n\tgpu1 "));
	CHECK(!listed("http://gpu1:443/v1", "gpu1"));
	CHECK(!listed("https://gpu1:8000", "gpu1"));
	CHECK(!listed("https://gpu10", "gpu1"));
	CHECK(!listed("https://x.gpu1", "gpu1"));
	CHECK(listed("http://gpu1:8000", "https://gpu1:8000, http://gpu1:8000"));
	CHECK(!listed("https://gpu1", "http://gpu1"));
	CHECK(listed("https://[::1]:8000", "[0:0:0:0:0:0:0:1]:8000"));
	CHECK(listed("https://127.0.0.1", "[::ffff:7f00:1]"));
	CHECK(rstar_address_check_list("gpu1/v1", &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_address_check_list("*", &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_address_check_list("gpu1, ftp://gpu2", &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_address_check_list(" ,, ", &err) == RSTAR_OK);
}

static bool
may_be(const char *host, const char *ip)
{
	char text[300];
	uint8_t bytes_of_ip[16];
	bool v6 = strchr(ip, ':') != NULL;
	rstar_address a;
	rstar_error err;

	snprintf(text, sizeof text, "https://%s", host);
	CHECK(rstar_address_parse(text, strlen(text), &a, &err) == RSTAR_OK);
	CHECK(inet_pton(v6 ? AF_INET6 : AF_INET, ip, bytes_of_ip) == 1);
	return rstar_address_may_resolve(&a, bytes_of_ip, v6 ? 16 : 4);
}

/* A name that somebody else's name server answers for must not lead inside. */
static void
names_do_not_lead_inside(void)
{
	CHECK(may_be("gpu1", "192.168.1.7"));
	CHECK(may_be("gpu1", "2001:db8::1"));
	CHECK(may_be("gpu1", "fd00::1"));
	CHECK(!may_be("gpu1", "127.0.0.1"));
	CHECK(!may_be("gpu1", "127.9.9.9"));
	CHECK(!may_be("gpu1", "0.0.0.0"));
	CHECK(!may_be("gpu1", "169.254.169.254"));
	CHECK(!may_be("gpu1", "224.0.0.1"));
	CHECK(!may_be("gpu1", "255.255.255.255"));
	CHECK(!may_be("gpu1", "::1"));
	CHECK(!may_be("gpu1", "::"));
	CHECK(!may_be("gpu1", "fe80::1"));
	CHECK(!may_be("gpu1", "ff02::1"));
	CHECK(!may_be("gpu1", "::ffff:127.0.0.1"));
	CHECK(!may_be("gpu1", "64:ff9b::169.254.169.254"));
	CHECK(may_be("localhost", "127.0.0.1"));
	CHECK(may_be("localhost", "::1"));
	CHECK(may_be("169.254.169.254", "169.254.169.254"));
}

/* --- the protocol ------------------------------------------------------------------------------- */

#define TEXT(literal) ((rstar_string){literal, sizeof literal - 1})

static void
questions(void)
{
	rstar_protocol_question q = {.model = "m\"x",
								 .prompt = TEXT("a\nb"),
								 .begun = TEXT("c"),
								 .n = 4,
								 .max_tokens = 9,
								 .seed = 5,
								 .temperature = 0.5,
								 .top_p = 1,
								 .stops = {"s"},
								 .n_stops = 1,
								 .logprobs = true};
	rstar_buffer out;
	rstar_error err;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_protocol_ask(&q, &out, &err) == RSTAR_OK);
	CHECK_STR(out.data, "{\"model\":\"m\\\"x\",\"prompt\":\"a\\nbc\",\"skip_special_tokens\":false,"
						"\"logprobs\":1,\"n\":4,\"max_tokens\":9,\"temperature\":0.5,\"seed\":5,"
						"\"stop\":[\"s\"]}");
	rstar_buffer_clear(&out);
	q.chat = true;
	q.n = 1;
	q.top_k = 3;
	q.top_p = 0.5;
	q.logprobs = false;
	CHECK(rstar_protocol_ask(&q, &out, &err) == RSTAR_OK);
	CHECK_STR(out.data,
			  "{\"model\":\"m\\\"x\",\"add_generation_prompt\":false,"
			  "\"continue_final_message\":true,\"messages\":[{\"role\":\"user\",\"content\":"
			  "\"a\\nb\"},{\"role\":\"assistant\",\"content\":\"c\"}],\"max_tokens\":9,"
			  "\"temperature\":0.5,\"top_p\":0.5,\"top_k\":3,\"seed\":5,\"stop\":[\"s\"]}");
	rstar_buffer_clear(&out);
	q.prompt = TEXT("\xff");
	CHECK(rstar_protocol_ask(&q, &out, &err) == RSTAR_ERR_ARGUMENT);
	q.chat = false;
	CHECK(rstar_protocol_ask(&q, &out, &err) == RSTAR_ERR_ARGUMENT);
	rstar_buffer_free(&out);
}

static rstar_status
read_text(const char *body, bool chat, rstar_protocol_answer *answer)
{
	rstar_error err;

	return rstar_protocol_read((rstar_string){body, strlen(body)}, chat, &rstar_allocator_malloc,
							   answer, &err);
}

static void
answers(void)
{
	rstar_protocol_answer a;

	CHECK(read_text("{\"choices\":[{\"index\":1,\"text\":\"b\",\"finish_reason\":\"length\"},"
					"{\"index\":0,\"text\":\"a\\u0000c\",\"finish_reason\":\"stop\",\"logprobs\":"
					"{\"token_logprobs\":[-0.5,-0.25,1e-7]}}],\"usage\":{\"completion_tokens\":7}}",
					false, &a) == RSTAR_OK);
	CHECK(a.n == 2 && a.tokens == 7);
	CHECK(a.choices[0].text.length == 3 && a.choices[0].end == RSTAR_END_STOP);
	CHECK(a.choices[0].has_logprob && a.choices[0].logprob == -0.75 && a.choices[0].tokens == 3);
	CHECK(a.choices[1].end == RSTAR_END_LENGTH && !a.choices[1].has_logprob);
	rstar_protocol_free(&a);
	CHECK(read_text("{\"choices\":[{\"message\":{\"content\":null},\"logprobs\":{\"content\":"
					"[{\"token\":\"x\",\"logprob\":-2}]}}]}",
					true, &a) == RSTAR_OK);
	CHECK(a.n == 1 && a.choices[0].text.length == 0 && a.choices[0].logprob == -2);
	rstar_protocol_free(&a);
	CHECK(read_text("{\"choices\":[{\"text\":\"x\",\"logprobs\":{\"token_logprobs\":[null,-1]}}]}",
					false, &a) == RSTAR_OK);
	CHECK(!a.choices[0].has_logprob && a.choices[0].tokens == 0);
	rstar_protocol_free(&a);
	CHECK(read_text("{\"choices\":[{\"text\":\"x\",\"logprobs\":{\"token_logprobs\":[700]}}]}",
					false, &a) == RSTAR_OK);
	CHECK(!a.choices[0].has_logprob && a.choices[0].logprob == 0);
	rstar_protocol_free(&a);
}

static void
answers_refused(void)
{
	static const char *const bodies[] = {
		"",
		"<html>",
		"[]",
		"{}",
		"{\"choices\":[]}",
		"{\"choices\":[7]}",
		"{\"choices\":{\"text\":\"x\"}}",
		"{\"choices\":[{\"text\":null}]}",
		"{\"choices\":[{\"text\":\"x\",\"index\":1}]}",
		"{\"choices\":[{\"text\":\"x\",\"index\":-1}]}",
		"{\"choices\":[{\"text\":\"x\",\"index\":0},{\"text\":\"x\",\"index\":0}]}",
		"{\"choices\":[{\"text\":\"x\"}]",
		"{\"choices\":[{\"text\":\"\xff\"}]}",
		"{\"choices\":[{\"text\":\"x\",\"y\":1e999}]}",
	};
	rstar_protocol_answer a;

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
		CHECK_MSG(read_text(bodies[i], false, &a) == RSTAR_ERR_CORRUPT, "%s", bodies[i]);
}

static rstar_status
read_numbers(const char *body, bool pairs, double *scores)
{
	rstar_error err;

	return rstar_protocol_read_scores((rstar_string){body, strlen(body)}, pairs, 2, scores, &err);
}

static void
scores(void)
{
	double s[2];

	CHECK(read_numbers("{\"data\":[{\"data\":[1,2.5]},{\"data\":[[-1],[-3]]}]}", false, s) ==
		  RSTAR_OK);
	CHECK(s[0] == 2.5 && s[1] == -3);
	CHECK(read_numbers("{\"data\":[{\"score\":0.5,\"index\":1},{\"score\":1,\"index\":0}]}", true,
					   s) == RSTAR_OK);
	CHECK(s[0] == 1 && s[1] == 0.5);
	CHECK(read_numbers("{\"data\":[{\"data\":[[1,2]]},{\"data\":1}]}", false, s) ==
		  RSTAR_ERR_UNSUPPORTED);
	CHECK(read_numbers("{\"data\":[{\"data\":1}]}", false, s) == RSTAR_ERR_CORRUPT);
	CHECK(read_numbers("{\"data\":[{\"data\":[]},{\"data\":1}]}", false, s) == RSTAR_ERR_CORRUPT);
	CHECK(read_numbers("{\"data\":[{\"data\":\"1\"},{\"data\":1}]}", false, s) ==
		  RSTAR_ERR_CORRUPT);
	CHECK(read_numbers("{\"data\":[{\"data\":1,\"index\":0},{\"data\":1,\"index\":0}]}", false,
					   s) == RSTAR_ERR_CORRUPT);
	CHECK(read_numbers("nothing", false, s) == RSTAR_ERR_CORRUPT);
}

static void
complaints(void)
{
	char out[RSTAR_PROTOCOL_COMPLAINT];
	rstar_buffer body;

	rstar_protocol_complaint(TEXT("{\"error\":{\"message\":\"a\\nb\\u0000c\"}}"), out);
	CHECK_STR(out, "a b c");
	rstar_protocol_complaint(TEXT("{\"detail\":[1]}"), out);
	CHECK_STR(out, "");
	rstar_protocol_complaint(TEXT("gateway"), out);
	CHECK_STR(out, "");
	rstar_buffer_init(&body, &rstar_allocator_malloc);
	(void) rstar_buffer_append_text(&body, "{\"message\":\"x");
	for (int i = 0; i < 200; i++)
		(void) rstar_buffer_append_text(&body, "\xc3\xa9");
	(void) rstar_buffer_append_text(&body, "\"}");
	rstar_protocol_complaint((rstar_string){body.data, body.length}, out);
	CHECK(strlen(out) == 199 && (unsigned char) out[198] == 0xa9);
	rstar_buffer_free(&body);
}

/* --- against a server --------------------------------------------------------------------------- */

static pid_t server_pid;
static int server_port;
static rstar_http *http;

/* The model server in a child, on the given port (0: any). */
static void
start_server(const char *port)
{
	char line[64] = "";
	int ends[2];

	CHECK(pipe(ends) == 0);
	fflush(stdout);
	server_pid = fork();
	if (server_pid == 0)
	{
		char *arguments[] = {"model_server", NULL};

		dup2(ends[1], 1);
		close(ends[0]);
		setenv("PORT", port, 1);
		exit(model_server_main(1, arguments));
	}
	close(ends[1]);
	CHECK(read(ends[0], line, sizeof line - 1) > 0 && sscanf(line, "port %d", &server_port) == 1);
	close(ends[0]);
}

static void
stop_server(void)
{
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
}

static const rstar_http_limits usual = {.connect_ms = 2000,
										.answer_ms = 5000,
										.rest_ms = 300,
										.patience_ms = 3000,
										.in_flight = 8,
										.answer_bytes = 1 << 20};

static rstar_remote_model *
open_model(const char *path, const char *key, rstar_remote_api api, const rstar_http_limits *limits)
{
	rstar_http_server *server;
	rstar_remote_model *model;
	rstar_address address;
	char text[100];
	rstar_error err;

	snprintf(text, sizeof text, "http://127.0.0.1:%d%s", server_port, path);
	if (rstar_address_parse(text, strlen(text), &address, &err) != RSTAR_OK ||
		rstar_http_server_create(http, &address, key, NULL, limits, &server, &err) != RSTAR_OK ||
		rstar_remote_model_create(http, server, "m", api, &model, &err) != RSTAR_OK)
	{
		printf("# %s\n", err.message);
		exit(1);
	}
	return model;
}

static rstar_status
wait_for(rstar_remote_job *job, rstar_error *err)
{
	rstar_status status;

	while ((status = rstar_remote_job_poll(job, err)) == RSTAR_AGAIN)
		CHECK(rstar_http_work(http, 10, -1, err) == RSTAR_OK);
	return status;
}

static rstar_remote_request
request_of(const char *begun)
{
	return (rstar_remote_request){.prompt = TEXT("Problem: What is 30 + 4?\n"),
								  .begun = {begun, strlen(begun)},
								  .n = 6,
								  .max_tokens = 100,
								  .temperature = 1,
								  .top_p = 1,
								  .logprobs = true,
								  .tags = true};
}

static bool
ends_in(rstar_string text, const char *end)
{
	size_t n = strlen(end);

	return text.length >= n && memcmp(text.data + text.length - n, end, n) == 0;
}

static void
check_choices(const rstar_remote_job *job, rstar_tag tag, bool logprobs)
{
	for (uint32_t i = 0; i < 6; i++)
	{
		rstar_remote_choice c;

		rstar_remote_job_choice(job, i, &c);
		CHECK(c.tag == tag && !c.ended);
		CHECK_MSG(ends_in(c.text, rstar_tag_text(tag)), "%.*s", (int) c.text.length, c.text.data);
		CHECK(c.tokens > 5 && c.has_logprob == logprobs);
		CHECK(logprobs ? c.logprob == -0.125 * c.tokens : c.logprob == 0);
	}
}

static void
complete_with(const char *path, rstar_remote_api api, bool logprobs)
{
	static const struct
	{
		const char *begun;
		rstar_tag tag;
	} steps[] = {
		{"", RSTAR_TAG_END_OF_STEP},
		{"<code>\nx = 30 + 4\n<end_of_step>", RSTAR_TAG_END_OF_CODE},
		{"<code>\nx = 30 + 4\n<end_of_step>\nprint(x)\n<end_of_code>\n<output>34<end_of_output>\n",
		 RSTAR_TAG_END_OF_ANSWER},
	};
	rstar_remote_model *model = open_model(path, "sesame", api, &usual);

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
	{
		rstar_remote_request request = request_of(steps[i].begun);
		rstar_remote_job *job;
		rstar_error err = {0};

		CHECK(rstar_remote_complete(model, &request, &job, &err) == RSTAR_OK);
		CHECK_MSG(wait_for(job, &err) == RSTAR_OK, "%s: %s", err.message, err.detail);
		check_choices(job, steps[i].tag, logprobs);
		rstar_remote_job_free(job);
	}
	rstar_remote_model_free(model);
}

static void
steps_come(void)
{
	complete_with("/v1", RSTAR_REMOTE_COMPLETIONS, true);
	complete_with("/v1", RSTAR_REMOTE_CHAT, false);
	complete_with("/key/v1", RSTAR_REMOTE_COMPLETIONS, true);
	complete_with("/one/v1", RSTAR_REMOTE_COMPLETIONS, false);
	complete_with("/busy/v1", RSTAR_REMOTE_COMPLETIONS, true);
	complete_with("/strict/v1", RSTAR_REMOTE_COMPLETIONS, true);
}

static void
greedy_is_asked_once(void)
{
	rstar_remote_model *model = open_model("/v1", NULL, RSTAR_REMOTE_COMPLETIONS, &usual);
	rstar_remote_request request = request_of("");
	rstar_remote_choice a, b;
	rstar_remote_job *job;
	rstar_error err;

	request.temperature = 0;
	CHECK(rstar_remote_complete(model, &request, &job, &err) == RSTAR_OK);
	CHECK(wait_for(job, &err) == RSTAR_OK);
	rstar_remote_job_choice(job, 0, &a);
	rstar_remote_job_choice(job, 5, &b);
	CHECK(a.text.data == b.text.data && a.tokens > 0 && b.tokens == 0);
	rstar_remote_job_free(job);
	rstar_remote_model_free(model);
}

static void
scores_come(void)
{
	static const rstar_remote_api apis[] = {RSTAR_REMOTE_POOLING, RSTAR_REMOTE_SCORE};
	static const rstar_string texts[] = {TEXT("x = 3\n"), TEXT("x = 3 + 1\n")};

	for (int i = 0; i < 2; i++)
	{
		rstar_remote_model *model = open_model("/v1", NULL, apis[i], &usual);
		rstar_remote_job *job;
		rstar_error err;

		CHECK(rstar_remote_score(model, TEXT("What is"), texts, 2, &job, &err) == RSTAR_OK);
		CHECK(wait_for(job, &err) == RSTAR_OK);
		CHECK(rstar_remote_job_value(job, 0) == (i ? 0.9 : 4));
		CHECK(rstar_remote_job_value(job, 1) == (i ? 0.1 : -4));
		rstar_remote_job_free(job);
		rstar_remote_model_free(model);
	}
}

/*
 * Searches whose answers need no Python, and so no sandbox: all the way, and broken off at
 * every stage, after which nothing is left.
 */
static void
searches(void)
{
	rstar_remote_model *policy = open_model("/v1", NULL, RSTAR_REMOTE_COMPLETIONS, &usual);
	rstar_remote_model *ppm = open_model("/v1", NULL, RSTAR_REMOTE_POOLING, &usual);
	rstar_search_parts parts = {.policy.remote = policy, .ppm.remote = ppm};
	rstar_search_options options;
	rstar_error err = {0};

	CHECK(rstar_prompt_template_parse(NULL, 0, &parts.policy.prompt, &err) == RSTAR_OK);
	parts.ppm.prompt = parts.policy.prompt;
	rstar_search_options_paper(&options);
	options.mcts.guidance = RSTAR_GUIDANCE_PPM;
	options.mcts.answer_exclusive = false;
	options.side_by_side = 7;
	for (int most = 0; most < 24; most += most < 8 ? 1 : 8)
	{
		rstar_search *search;
		uint32_t number, found = 0;
		rstar_status status = RSTAR_AGAIN;

		CHECK(rstar_search_create(&parts, &options, &rstar_allocator_malloc, &search, &err) ==
			  RSTAR_OK);
		for (int i = 0; i < 20; i++)
		{
			rstar_search_problem problem = {
				.text = TEXT("What is 17?"), .gold = TEXT("17"), .seed = (uint64_t) i};

			CHECK(rstar_search_add(search, &problem, &number, &err) == RSTAR_OK);
		}
		for (int step = 0; status == RSTAR_AGAIN && (most == 16 || step < most); step++)
		{
			status = rstar_search_step(search, NULL, &err);
			while (rstar_search_take(search, &number))
			{
				const rstar_mcts *mcts = rstar_search_mcts(search, number);

				found++;
				CHECK(mcts && mcts->tree.nodes[1].correct && mcts->tree.nodes[1].scored);
				CHECK(!rstar_search_get_cost(search, number)->reproducible);
				rstar_search_forget(search, number);
			}
		}
		CHECK(most != 16 || (status == RSTAR_OK && found == 20));
		rstar_search_free(search);
		CHECK(rstar_http_unanswered(http) == 0);
	}
	rstar_remote_model_free(policy);
	rstar_remote_model_free(ppm);
}

static void
problems_forge_nothing(void)
{
	rstar_prompt_template prompt = {TEXT("[<|user|>"), TEXT("<|end|>]")};
	rstar_buffer out;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_prompt_append_plain(&prompt, "a<b <|end|> </s> <code> x<y>z 1 < 2 <", 37, &out));
	CHECK_STR(out.data, "[<|user|>a<b < |end|> < /s> < code> x< y>z 1 < 2 <<|end|>]");
	rstar_buffer_free(&out);
}

/* What the server of that path makes of a question; in *err. */
static rstar_status
fails(const char *path, const char *key, const rstar_http_limits *limits, rstar_error *err)
{
	rstar_remote_model *model = open_model(path, key, RSTAR_REMOTE_COMPLETIONS, limits);
	rstar_remote_request request = request_of("");
	rstar_remote_job *job;
	rstar_status status;

	*err = (rstar_error){0};
	CHECK(rstar_remote_complete(model, &request, &job, err) == RSTAR_OK);
	status = wait_for(job, err);
	rstar_remote_job_free(job);
	rstar_remote_model_free(model);
	return status;
}

static void
check_failure(const char *path, const char *key, rstar_status status, const char *words)
{
	rstar_http_limits limits = usual;
	rstar_error err;
	rstar_status found;

	limits.answer_ms = 400;
	limits.patience_ms = 100;
	found = fails(path, key, &limits, &err);
	CHECK_MSG(found == status, "%s: %s: %s", path, rstar_status_name(found), err.message);
	CHECK_MSG(strstr(err.message, words), "%s: %s", path, err.message);
	CHECK(!key || (!strstr(err.message, key) && !strstr(err.detail, key)));
}

static void
failures_are_told(void)
{
	rstar_error err;

	check_failure("/key/v1", "wrong-key-1234", RSTAR_ERR_DENIED, "rejects the key");
	check_failure("/key/v1", NULL, RSTAR_ERR_DENIED, "rejects the key");
	check_failure("/echo/v1", "topsecret-key", RSTAR_ERR_SERVER, "fails");
	check_failure("/down/v1", NULL, RSTAR_ERR_SERVER, "fails");
	check_failure("/off/v1", NULL, RSTAR_ERR_NOT_FOUND, "does not have \"m\"");
	check_failure("/hang/v1", NULL, RSTAR_ERR_SERVER, "takes too long");
	check_failure("/drip/v1", NULL, RSTAR_ERR_SERVER, "takes too long");
	check_failure("/close/v1", NULL, RSTAR_ERR_SERVER, "could not ask");
	check_failure("/huge/v1", NULL, RSTAR_ERR_LIMIT, "more than 1048576 bytes");
	check_failure("/html/v1", NULL, RSTAR_ERR_SERVER, "cannot be read");
	check_failure("/odd/v1", NULL, RSTAR_ERR_SERVER, "cannot be read");
	check_failure("/wild/v1", NULL, RSTAR_ERR_SERVER, "cannot be read");
	check_failure("/redirect/v1", NULL, RSTAR_ERR_DENIED, "redirect");
	check_failure("/long/v1", NULL, RSTAR_ERR_LIMIT, "too long for the model");
	CHECK(fails("/echo/v1", "topsecret-key", &usual, &err) == RSTAR_ERR_SERVER);
	CHECK_STR(err.detail,
			  "HTTP status 400; the server says: your key ************* is fine, but no");
}

static void
keys_are_checked(void)
{
	rstar_http_server *server;
	rstar_address address;
	rstar_error err;

	CHECK(rstar_address_parse("http://x", 8, &address, &err) == RSTAR_OK);
	CHECK(rstar_http_server_create(http, &address, "", NULL, &usual, &server, &err) ==
		  RSTAR_ERR_ARGUMENT);
	CHECK(rstar_http_server_create(http, &address, "a\r\nX: y", NULL, &usual, &server, &err) ==
		  RSTAR_ERR_ARGUMENT);
	CHECK(!strstr(err.message, "X: y") && !strstr(err.detail, "X: y"));
}

/* Nobody there; then somebody is. */
static void
server_comes_back(void)
{
	char port[16];
	rstar_remote_model *model = open_model("/v1", NULL, RSTAR_REMOTE_COMPLETIONS, &usual);
	rstar_remote_request request = request_of("");
	rstar_remote_job *job;
	rstar_error err = {0};
	double start;

	snprintf(port, sizeof port, "%d", server_port);
	stop_server();
	check_failure("/v1", NULL, RSTAR_ERR_SERVER, "could not ask");
	CHECK(rstar_remote_complete(model, &request, &job, &err) == RSTAR_OK);
	for (start = rstar_clock_ms(); rstar_clock_ms() - start < 600;)
	{
		CHECK(rstar_http_work(http, 10, -1, &err) == RSTAR_OK);
		CHECK(rstar_remote_job_poll(job, &err) == RSTAR_AGAIN);
	}
	start_server(port);
	CHECK_MSG(wait_for(job, &err) == RSTAR_OK, "%s: %s", err.message, err.detail);
	check_choices(job, RSTAR_TAG_END_OF_STEP, true);
	rstar_remote_job_free(job);
	rstar_remote_model_free(model);
}

/* Many at a time, within the limit, over few connections; dropping any of them is at once. */
static void
many_in_flight(void)
{
	rstar_http_limits slow = usual;
	rstar_remote_model *model = open_model("/v1", NULL, RSTAR_REMOTE_COMPLETIONS, &usual);
	rstar_remote_model *hangs;
	rstar_remote_request request = request_of("");
	rstar_remote_job *jobs[200];
	double start = rstar_clock_ms();
	rstar_error err;

	for (int i = 0; i < 200; i++)
		CHECK(rstar_remote_complete(model, &request, &jobs[i], &err) == RSTAR_OK);
	CHECK(rstar_http_unanswered(http) == 200);
	for (int i = 0; i < 200; i++)
	{
		CHECK(wait_for(jobs[i], &err) == RSTAR_OK);
		rstar_remote_job_free(jobs[i]);
	}
	CHECK(rstar_http_unanswered(http) == 0);
	printf("# 200 questions in %.0f ms\n", rstar_clock_ms() - start);
	slow.answer_ms = 60000;
	hangs = open_model("/hang/v1", NULL, RSTAR_REMOTE_COMPLETIONS, &slow);
	for (int i = 0; i < 20; i++)
		CHECK(rstar_remote_complete(hangs, &request, &jobs[i], &err) == RSTAR_OK);
	for (int i = 0; i < 10; i++)
		CHECK(rstar_http_work(http, 10, -1, &err) == RSTAR_OK);
	start = rstar_clock_ms();
	for (int i = 0; i < 10; i++)
		rstar_remote_job_free(jobs[2 * i]);
	for (int i = 0; i < 10; i++)
		rstar_remote_job_free(jobs[2 * i + 1]);
	rstar_remote_model_free(hangs);
	CHECK(rstar_clock_ms() - start < 50);
	CHECK(rstar_http_unanswered(http) == 0);
	rstar_remote_model_free(model);
}

int
main(void)
{
	rstar_error err;

	signal(SIGPIPE, SIG_IGN);
	RUN(addresses_read);
	RUN(addresses_refused);
	RUN(lists);
	RUN(names_do_not_lead_inside);
	RUN(questions);
	RUN(answers);
	RUN(answers_refused);
	RUN(scores);
	RUN(complaints);
	start_server("0");
	/* Proxies of the environment are not asked. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	if (rstar_http_create(&rstar_allocator_malloc, &http, &err) != RSTAR_OK)
	{
		printf("# %s\n", err.message);
		return 1;
	}
	RUN(steps_come);
	RUN(greedy_is_asked_once);
	RUN(scores_come);
	RUN(searches);
	RUN(problems_forge_nothing);
	RUN(failures_are_told);
	RUN(keys_are_checked);
	RUN(many_in_flight);
	RUN(server_comes_back);
	rstar_http_free(http);
	stop_server();
	return CHECK_RESULT();
}
