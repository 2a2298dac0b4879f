/*
 * model_server.c
 *	  A model server for tests, which solves one kind of problem at once.
 *
 *		model_server [delay_ms]			prints "port N" and serves until it is killed
 *
 * It speaks the part of OpenAI's and vLLM's interfaces that rstar uses, and writes
 * solutions of "What is 3 + 4?" in the step format, one in eight of them wrong, and the answer to
 * "What is 7?" without any step. The first part of the path says how it behaves:
 *
 *		/v1			well			/one/v1		one choice at a time, no log-probabilities
 *		/single/v1	refuses several choices
 *		/key/v1		with the key "sesame" only		/echo/v1	an error that repeats the key
 *		/busy/v1	two of three times 503			/down/v1	always
 *		/shaky/v1	two of three times 500			/dead/v1	always
 *		/long/v1	the text is too long			/off/v1		path unknown
 *		/hang/v1	never answers					/drip/v1	a byte each 50 ms
 *		/close/v1	hangs up						/huge/v1	10 MB
 *		/html/v1	no JSON							/odd/v1		JSON of another form
 *		/redirect/v1	to another host				/wild/v1	values out of range
 *		/strict/v1	nothing but OpenAI's own interface
 *
 * GET /stats tells how many questions and connections there were, and how many questions
 * at the same time at most.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct bytes
{
	char *data;
	size_t length, capacity;
} bytes;

typedef struct connection
{
	struct connection *next;
	int fd;
	bytes in, out;
	size_t sent;
	double due_ms; /* of the answer or of its next byte; 0: nothing is due */
	bool drips, closes;
} connection;

static connection *connections;
static int poller, delay_ms;
static long n_requests, n_connections, n_pending, most_pending;

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec * 1e-6;
}

static void
append(bytes *b, const void *data, size_t length)
{
	if (b->length + length + 1 > b->capacity)
	{
		b->capacity = 2 * (b->length + length + 512);
		b->data = realloc(b->data, b->capacity);
		if (!b->data)
			exit(1);
	}
	memcpy(b->data + b->length, data, length);
	b->length += length;
	b->data[b->length] = '\0';
}

/* --- solutions ------------------------------------------------------------------------- */

static const char *
last_of(const char *text, const char *wanted)
{
	const char *found = NULL;

	for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++)
		found = at;
	return found;
}

/* What a model would write next; `chance` decides which way, and whether it is wrong. */
static void
write_step(const char *prompt, unsigned chance, char *out, size_t size)
{
	const char *problem = last_of(prompt, "What is ");
	const char *step = last_of(problem ? problem : "", "<end_of_step>");
	const char *output = last_of(problem ? problem : "", "<output>");
	long a = 0, b = 0;

	int n = problem ? sscanf(problem, "What is %ld + %ld", &a, &b) : 0;

	if (n == 0)
		snprintf(out, size, "<answer>\nI do not know.\n<end_of_answer>");
	else if (n == 1)
		snprintf(out, size, "<answer>%u times: \\boxed{%ld}\n<end_of_answer>", chance % 1000, a);
	else if (output)
		snprintf(out, size, "<answer>The sum is \\boxed{%ld}.\n<end_of_answer>",
				 strtol(output + strlen("<output>"), NULL, 10));
	else if (step)
		snprintf(out, size, "\n# Now print the final answer (%u)\nprint(x)\n<end_of_code>",
				 chance / 8 % 5);
	else
		snprintf(out, size, "<code>\n# Step 1: add (%u)\nx = %ld + %ld%s\n<end_of_step>",
				 chance / 8 % 61, a, b, chance % 8 == 0 ? " + 1" : "");
}

/* Cut before the first stop text; true if there was one. */
static bool
cut_at_stops(char *text, const json_t *stops)
{
	const json_t *stop;
	bool cut = false;
	size_t i;

	json_array_foreach(stops, i, stop)
	{
		char *at = strstr(text, json_string_value(stop));

		if (at)
			*at = '\0', cut = true;
	}
	return cut;
}

static unsigned
mix(unsigned x)
{
	x = (x ^ (x >> 16)) * 0x45d9f3bu;
	x = (x ^ (x >> 16)) * 0x45d9f3bu;
	return x ^ (x >> 16);
}

static json_t *
logprobs_of(size_t tokens)
{
	json_t *list = json_array();

	while (tokens-- > 0)
		json_array_append_new(list, json_real(-0.125));
	return json_pack("{s:o}", "token_logprobs", list);
}

static json_t *
choice_of(const json_t *asked, const char *prompt, int i, bool chat, bool wild, json_int_t *tokens)
{
	unsigned seed = (unsigned) json_integer_value(json_object_get(asked, "seed"));
	bool logprobs = json_object_get(asked, "logprobs") != NULL;
	char text[512];
	json_t *choice;
	bool stopped;

	write_step(prompt, mix(seed + (unsigned) i), text, sizeof text);
	*tokens += (json_int_t) strlen(text) / 4;
	choice = json_pack("{s:i}", "index", wild ? -7 : i);
	if (logprobs && !chat)
		json_object_set_new(choice, "logprobs", logprobs_of(strlen(text) / 4));
	stopped = cut_at_stops(text, json_object_get(asked, "stop"));
	json_object_set_new(choice, "finish_reason", json_string(stopped ? "stop" : "length"));
	if (chat)
		json_object_set_new(choice, "message",
							json_pack("{s:s, s:s}", "role", "assistant", "content", text));
	else
		json_object_set_new(choice, "text", json_string(text));
	return choice;
}

/* The texts of all messages, one behind the other. */
static char *
prompt_of(const json_t *asked, bool chat)
{
	const json_t *message;
	bytes text = {0};
	size_t i;

	if (!chat)
		return strdup(json_string_value(json_object_get(asked, "prompt")) ?: "");
	append(&text, "", 0);
	json_array_foreach(json_object_get(asked, "messages"), i, message)
	{
		const char *content = json_string_value(json_object_get(message, "content"));

		append(&text, content ? content : "", content ? strlen(content) : 0);
	}
	return text.data;
}

static json_t *
complete(const json_t *asked, bool chat, bool one, bool wild)
{
	json_int_t n = json_integer_value(json_object_get(asked, "n")), tokens = 0;
	char *prompt = prompt_of(asked, chat);
	json_t *choices = json_array();

	for (int i = 0; i < (one || n < 1 ? 1 : n); i++)
		json_array_append_new(choices, choice_of(asked, prompt, i, chat, wild, &tokens));
	free(prompt);
	return json_pack("{s:s, s:o, s:{s:I}}", "object", "text_completion", "choices", choices,
					 "usage", "completion_tokens", tokens);
}

static json_t *
score(const json_t *asked, bool pairs)
{
	const json_t *texts = json_object_get(asked, pairs ? "text_2" : "input"), *text;
	json_t *data = json_array();
	size_t i;

	json_array_foreach(texts, i, text)
	{
		bool wrong = strstr(json_string_value(text) ?: "", " + 1\n") != NULL;

		if (pairs)
			json_array_append_new(
				data, json_pack("{s:i, s:f}", "index", (int) i, "score", wrong ? 0.1 : 0.9));
		else
			json_array_append_new(data, json_pack("{s:i, s:[f, f]}", "index", (int) i, "data", 0.5,
												  wrong ? -4.0 : 4.0));
	}
	return json_pack("{s:o}", "data", data);
}

/* --- answers ----------------------------------------------------------------------------- */

static void
answer(connection *c, const char *status, const char *headers, const char *body, size_t length)
{
	char head[512];
	int n =
		snprintf(head, sizeof head,
				 "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
				 status, headers, length);

	append(&c->out, head, (size_t) n);
	append(&c->out, body, length);
}

static void
answer_text(connection *c, const char *status, const char *text)
{
	answer(c, status, "", text, strlen(text));
}

static void
answer_json(connection *c, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	answer_text(c, "200 OK", text ? text : "");
	free(text);
	json_decref(json);
}

static void
answer_stats(connection *c)
{
	answer_json(c, json_pack("{s:I, s:I, s:I}", "requests", (json_int_t) n_requests, "connections",
							 (json_int_t) n_connections, "most", (json_int_t) most_pending));
}

static void
answer_huge(connection *c)
{
	size_t length = 10 * 1024 * 1024;
	char *text = malloc(length);

	if (!text)
		exit(1);
	memset(text, 'x', length);
	memcpy(text, "{\"choices\": [{\"text\": \"", 23);
	answer(c, "200 OK", "", text, length);
	free(text);
}

/* What is wrong with this kind of server; false: nothing. */
static bool
misbehave(connection *c, const char *kind, const char *key)
{
	char text[512];

	if (strcmp(kind, "key") == 0 && strcmp(key, "sesame") != 0)
		answer_text(c, "401 Unauthorized", "{\"error\": {\"message\": \"Incorrect key\"}}");
	else if (strcmp(kind, "echo") == 0)
	{
		snprintf(text, sizeof text, "{\"error\": {\"message\": \"your key %s is fine, but\\nno\"}}",
				 key);
		answer_text(c, "400 Bad Request", text);
	}
	else if (strcmp(kind, "shaky") == 0 && n_requests % 3 != 0)
		answer_text(c, "500 Internal Server Error",
					"{\"error\": {\"message\": \"the engine is lost\"}}");
	else if (strcmp(kind, "dead") == 0)
		answer_text(c, "500 Internal Server Error",
					"{\"error\": {\"message\": \"the engine is lost\"}}");
	else if (strcmp(kind, "down") == 0 || (strcmp(kind, "busy") == 0 && n_requests % 3 != 0))
		answer(c, "503 Service Unavailable", "Retry-After: 0\r\n", "", 0);
	else if (strcmp(kind, "long") == 0)
		answer_text(c, "400 Bad Request",
					"{\"object\": \"error\", \"message\": \"This model's maximum "
					"context length is 16 tokens.\"}");
	else if (strcmp(kind, "off") == 0)
		answer_text(c, "404 Not Found", "{\"detail\": \"Not Found\"}");
	else if (strcmp(kind, "hang") == 0)
		c->due_ms = 1e300;
	else if (strcmp(kind, "close") == 0)
		c->closes = true;
	else if (strcmp(kind, "huge") == 0)
		answer_huge(c);
	else if (strcmp(kind, "html") == 0)
		answer_text(c, "200 OK", "<html><body>Welcome to nginx!</body></html>");
	else if (strcmp(kind, "odd") == 0)
		answer_text(c, "200 OK", "{\"choices\": [{\"text\": 7}], \"data\": [{\"data\": \"x\"}]}");
	else if (strcmp(kind, "redirect") == 0)
		answer(c, "307 Temporary Redirect", "Location: http://127.0.0.1:1/v1/completions\r\n", "",
			   0);
	else
		return false;
	return true;
}

static void
header_value(const char *head, const char *name, char *out, size_t size)
{
	const char *at = strcasestr(head, name);
	size_t length = at ? strcspn(at + strlen(name), "\r\n") : 0;

	snprintf(out, size, "%.*s", (int) length, at ? at + strlen(name) : "");
}

/* A whole request: head, ended by NUL, and body. */
static void
handle(connection *c, const char *head, const char *body, size_t length)
{
	char kind[32] = "", path[64] = "", key[128];
	bool logprobs, one;
	json_t *asked;

	if (strncmp(head, "GET /stats", 10) == 0)
	{
		answer_stats(c);
		return;
	}
	n_requests++;
	if (sscanf(head, "POST /v1/%63[a-z/] ", path) != 1)
		(void) sscanf(head, "POST /%31[a-z]/v1/%63[a-z/] ", kind, path);
	header_value(head, "Authorization: Bearer ", key, sizeof key);
	c->due_ms = now_ms() + delay_ms;
	c->drips = strcmp(kind, "drip") == 0;
	if (++n_pending > most_pending)
		most_pending = n_pending;
	if (misbehave(c, kind, key))
		return;
	asked = json_loadb(body, length, 0, NULL);
	logprobs = json_object_get(asked, "logprobs") != NULL;
	one = strcmp(kind, "one") == 0;
	if (!asked)
		answer_text(c, "400 Bad Request", "{\"error\": \"no JSON\"}");
	else if (one && logprobs)
		answer_text(c, "500 Internal Server Error",
					"{\"error\": {\"message\": \"logprobs is not supported "
					"for models created with logits_all=False\"}}");
	else if (strcmp(kind, "single") == 0 && json_integer_value(json_object_get(asked, "n")) > 1)
		answer_text(c, "500 Internal Server Error",
					"{\"error\": {\"message\": \"Only one completion choice is allowed\"}}");
	else if (strcmp(kind, "strict") == 0 && (json_object_get(asked, "skip_special_tokens") ||
											 json_object_get(asked, "add_generation_prompt")))
		answer_text(c, "400 Bad Request",
					"{\"error\": {\"message\": \"Unrecognized request argument "
					"supplied: skip_special_tokens\"}}");
	else if (strcmp(path, "completions") == 0)
		answer_json(c, complete(asked, false, one, strcmp(kind, "wild") == 0));
	else if (strcmp(path, "chat/completions") == 0)
		answer_json(c, complete(asked, true, one, false));
	else if (strcmp(path, "pooling") == 0 || strcmp(path, "score") == 0)
		answer_json(c, score(asked, strcmp(path, "score") == 0));
	else
		answer_text(c, "404 Not Found", "{\"detail\": \"Not Found\"}");
	json_decref(asked);
}

/* --- connections ------------------------------------------------------------------------------ */

static void
watch(connection *c, bool writing)
{
	struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};

	epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
}

static void
hang_up(connection *c)
{
	connection **link = &connections;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	if (c->due_ms > 0 || c->out.length > 0)
		n_pending--;
	close(c->fd);
	free(c->in.data);
	free(c->out.data);
	free(c);
}

/* Take a whole request out of the input, if there is one and no answer is under way. */
static void
read_request(connection *c)
{
	char *end = c->in.data ? strstr(c->in.data, "\r\n\r\n") : NULL;
	char digits[32];
	size_t head, length;

	if (!end || c->out.length > 0 || c->due_ms > 0)
		return;
	head = (size_t) (end - c->in.data) + 4;
	end[2] = '\0';
	header_value(c->in.data, "\nContent-Length: ", digits, sizeof digits);
	length = strtoul(digits, NULL, 10);
	if (c->in.length < head + length)
	{
		end[2] = '\r';
		return;
	}
	handle(c, c->in.data, c->in.data + head, length);
	c->in.length -= head + length;
	memmove(c->in.data, c->in.data + head + length, c->in.length + 1);
	if (c->due_ms == 0 && c->out.length > 0)
		n_pending++; /* of /stats: taken back when it is sent */
}

/* Send what is due. False: the connection is gone. */
static bool
send_answer(connection *c, double now)
{
	size_t length = c->drips ? 1 : c->out.length - c->sent;
	ssize_t n;

	if (now < c->due_ms)
		return true;
	if (c->closes)
	{
		hang_up(c);
		return false;
	}
	if (c->out.length == 0)
		return true;
	n = send(c->fd, c->out.data + c->sent, length, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
	{
		hang_up(c);
		return false;
	}
	c->sent += n > 0 ? (size_t) n : 0;
	if (c->sent < c->out.length)
	{
		if (c->drips)
			c->due_ms = now + 50;
		watch(c, !c->drips);
		return true;
	}
	c->out.length = c->sent = 0;
	c->due_ms = 0;
	n_pending--;
	watch(c, false);
	read_request(c);
	return true;
}

static void
receive(connection *c)
{
	char buffer[65536];
	ssize_t n;

	while ((n = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
		append(&c->in, buffer, (size_t) n);
	if (n == 0 || errno != EAGAIN)
	{
		hang_up(c);
		return;
	}
	read_request(c);
	(void) send_answer(c, now_ms());
}

static void
welcome(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	connection *c = fd < 0 ? NULL : calloc(1, sizeof *c);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	if (!c)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	c->fd = fd;
	c->next = connections;
	connections = c;
	n_connections++;
	epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

/* Milliseconds until something is due, at most a second. */
static int
patience(double now)
{
	double least = 1000;

	for (connection *c = connections; c; c = c->next)
		if (c->due_ms > 0 && c->due_ms - now < least)
			least = c->due_ms - now;
	return least < 0 ? 0 : (int) least + 1;
}

static void
send_all(double now)
{
	connection *next;

	for (connection *c = connections; c; c = next)
	{
		next = c->next;
		if (c->due_ms > 0 && c->due_ms <= now)
			(void) send_answer(c, now);
	}
}

/* On a port of the system's choice, or the one that the environment's PORT names. */
static int
listen_here(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	address.sin_port = htons((uint16_t) strtoul(getenv("PORT") ?: "0", NULL, 10));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *) &address, size) != 0 || listen(fd, 512) != 0 ||
		getsockname(fd, (struct sockaddr *) &address, &size) != 0)
	{
		perror("model_server");
		exit(1);
	}
	printf("port %d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	struct epoll_event events[64], event = {.events = EPOLLIN};
	int listener = listen_here();

	signal(SIGPIPE, SIG_IGN);
	delay_ms = argc > 1 ? atoi(argv[1]) : 0;
	poller = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
	for (;;)
	{
		int n = epoll_wait(poller, events, 64, patience(now_ms()));

		for (int i = 0; i < n; i++)
		{
			connection *c = events[i].data.ptr;

			if (!c)
				welcome(listener);
			else if (events[i].events & EPOLLIN)
				receive(c);
			else if (events[i].events & EPOLLOUT)
				(void) send_answer(c, now_ms());
			else
				hang_up(c);
		}
		send_all(now_ms());
	}
}
