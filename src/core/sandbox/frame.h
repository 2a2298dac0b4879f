/*
 * frame.h
 *	  What the sandbox's processes say to each other.
 *
 * Three parties talk over stream sockets: the client (in the backend), the
 * broker, and the nodes (processes that run model-written Python). Everything
 * a node says is hostile, and the client treats the broker's words the same
 * way. Both ends are on one machine, but the bytes are fixed all the same:
 *
 *		u32 length of the payload | u8 type | payload
 *
 * Integers are little-endian; a string is u32 length | bytes (no NUL added).
 *
 *	client -> broker
 *		CONFIG		u32 version, u32 flags, u64 budget, u32 processes, u32 running,
 *					u32 idle_ms, string modules
 *		START		u64 node, u64 base, u32 flags, u32 wall_ms, u32 cpu_ms, u32 template,
 *					u64 memory, u32 output, f64 value, u32 n, n strings of code
 *		RELEASE		u64 node
 *		VALUE		u64 node, f64 value
 *		STATS		(empty)
 *	broker -> client
 *		READY		u32 template, u32 features, u32 landlock, u64 bytes, u64 space,
 *					string python
 *		RESULT		u64 node, u8 status, u8 flags, u32 line, u32 signal, u64 elapsed_us,
 *					u64 cpu_us, u64 bytes, 4 strings: output, value, error, message
 *		EVICTED		u64 node
 *		GONE		u64 node, u64 base
 *		STATS		11 u64, see rstar_sandbox_counters
 *		FATAL		u32 kind, u64 node, string message, string detail
 *	broker -> template
 *		LOAD		u32 flags, string modules (one name per line)
 *		SPAWN		(empty; carries a descriptor) replay mode: make one child
 *	template -> broker
 *		READY		as above (carries the listener's descriptor in snapshot mode)
 *		SPAWNED		u32 pid
 *		FATAL		as above
 *	broker -> node
 *		JOB			u32 output, u32 n, n strings of code
 *	node -> broker
 *		PIECE		(empty) one more of the n pieces is done
 *		RESULT		u8 status, u8 flags, u32 line, 4 strings as above
 */
#ifndef RSTAR_SANDBOX_FRAME_H
#define RSTAR_SANDBOX_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/memory.h"
#include "core/base/string.h"

#define RSTAR_FRAME_VERSION 2
#define RSTAR_FRAME_HEADER  5
#define RSTAR_FRAME_MAX     (16u << 20) /* bytes of payload, any frame */

/* Bounds that both sides enforce. */
#define RSTAR_SANDBOX_CODE_MAX   (256u << 10) /* bytes of one step's code */
#define RSTAR_SANDBOX_PIECES_MAX 1024         /* steps above each other */
#define RSTAR_SANDBOX_OUTPUT_MAX (1u << 20)   /* bytes of output, and of the value */
#define RSTAR_SANDBOX_NAME_MAX   256          /* bytes of an exception's type */
#define RSTAR_SANDBOX_TEXT_MAX   4096         /* bytes of an exception's message */

typedef enum rstar_frame_type
{
	RSTAR_FRAME_CONFIG = 1,
	RSTAR_FRAME_START,
	RSTAR_FRAME_RELEASE,
	RSTAR_FRAME_VALUE,
	RSTAR_FRAME_STATS,
	RSTAR_FRAME_READY,
	RSTAR_FRAME_RESULT,
	RSTAR_FRAME_EVICTED,
	RSTAR_FRAME_GONE,
	RSTAR_FRAME_FATAL,
	RSTAR_FRAME_LOAD,
	RSTAR_FRAME_SPAWN,
	RSTAR_FRAME_SPAWNED,
	RSTAR_FRAME_JOB,
	RSTAR_FRAME_PIECE
} rstar_frame_type;

/* CONFIG and LOAD flags. */
#define RSTAR_SANDBOX_FORCE_REPLAY 0x1 /* do not use user notification */

/* START flags. */
#define RSTAR_SANDBOX_NO_SNAPSHOT 0x1 /* nothing will be started on this node */

/* READY features. */
#define RSTAR_SANDBOX_HAS_SECCOMP     0x01
#define RSTAR_SANDBOX_HAS_NOTIFY      0x02 /* snapshots; without it, replay */
#define RSTAR_SANDBOX_HAS_LANDLOCK    0x04
#define RSTAR_SANDBOX_HAS_NAMESPACES  0x08 /* user, mount, pid, net, ipc, uts */
#define RSTAR_SANDBOX_HAS_METER       0x10 /* memory is measured, else assumed */
#define RSTAR_SANDBOX_HAS_HUGE_PAGES  0x20 /* the template lies in huge pages */
#define RSTAR_SANDBOX_HAS_FIXED_MAP   0x40 /* same addresses in every run */
#define RSTAR_SANDBOX_BROKER_CONFINED 0x80

/* The templates: with the small modules only, and with SymPy as well. */
#define RSTAR_SANDBOX_TEMPLATE_SMALL 0
#define RSTAR_SANDBOX_TEMPLATE_SYMPY 1
#define RSTAR_SANDBOX_TEMPLATES      2

/* RESULT flags. */
#define RSTAR_SANDBOX_HAS_VALUE   0x1 /* the last statement was an expression, not None */
#define RSTAR_SANDBOX_OUTPUT_CUT  0x2 /* output reached its limit */
#define RSTAR_SANDBOX_VALUE_CUT   0x4
#define RSTAR_SANDBOX_WANTS_SYMPY 0x8 /* failed for want of a module of the other template */

/* FATAL kinds. */
typedef enum rstar_sandbox_fatal
{
	RSTAR_SANDBOX_FATAL_CONFINE = 1, /* this machine cannot confine */
	RSTAR_SANDBOX_FATAL_LOAD,        /* Python or a module did not load */
	RSTAR_SANDBOX_FATAL_RESTART,     /* `node` broke the rules in a way that costs all nodes */
	RSTAR_SANDBOX_FATAL_INTERNAL
} rstar_sandbox_fatal;

/* Counters of a broker's life. */
typedef struct rstar_sandbox_counters
{
	uint64_t steps;     /* jobs given to a node */
	uint64_t forks;     /* children made */
	uint64_t timeouts;  /* jobs stopped by a limit of time */
	uint64_t killed;    /* jobs that died or broke a rule */
	uint64_t evictions; /* snapshots dropped for want of memory */
	uint64_t snapshots; /* parked now */
	uint64_t running;   /* running now */
	uint64_t waiting;   /* jobs waiting for a place now */
	uint64_t bytes;     /* memory of templates, snapshots and running nodes, estimated */
	uint64_t budget;
	uint64_t peak; /* largest `bytes` so far */
} rstar_sandbox_counters;

/* What a node reports (RESULT); the slices point into the payload. */
typedef struct rstar_sandbox_node_result
{
	uint8_t status; /* rstar_sandbox_status, ok or error only */
	uint8_t flags;
	uint32_t line;
	rstar_string output, value, error, message;
} rstar_sandbox_node_result;

/* What the broker reports to the client (RESULT). */
typedef struct rstar_broker_result
{
	uint64_t node;
	uint32_t signal; /* that killed it, 0: none */
	uint64_t elapsed_us, cpu_us, bytes;
	rstar_sandbox_node_result result; /* status: any of rstar_sandbox_status */
} rstar_broker_result;

typedef enum rstar_sandbox_status
{
	RSTAR_SANDBOX_OK = 0,
	RSTAR_SANDBOX_ERROR,   /* a Python exception */
	RSTAR_SANDBOX_TIMEOUT, /* stopped at its wall or CPU limit */
	RSTAR_SANDBOX_KILLED   /* died: a forbidden call, memory, a crash */
} rstar_sandbox_status;

typedef struct rstar_frame_config
{
	uint32_t version, flags;
	uint64_t budget;    /* bytes of all templates and nodes together */
	uint32_t processes; /* nodes that are there at the same time, parked ones included */
	uint32_t running;   /* nodes that run at the same time */
	uint32_t idle_ms;   /* the broker ends itself after so long without a request; 0: never */
	rstar_string modules;
} rstar_frame_config;

typedef struct rstar_frame_start
{
	uint64_t node, base; /* base < RSTAR_SANDBOX_TEMPLATES: a template */
	uint32_t flags, wall_ms, cpu_ms, template_index;
	uint64_t memory; /* bytes of address space above the template's */
	uint32_t output; /* bytes of output, and of the value */
	double value;    /* what is worth least is evicted first */
	uint32_t n_pieces;
	rstar_string pieces; /* the strings, still encoded */
} rstar_frame_start;

typedef struct rstar_frame_ready
{
	uint32_t template_index, features, landlock;
	uint64_t bytes; /* resident memory of the template */
	uint64_t space; /* its address space */
	rstar_string python;
} rstar_frame_ready;

typedef struct rstar_frame_fatal
{
	uint32_t kind;
	uint64_t node;
	rstar_string message, detail;
} rstar_frame_fatal;

/* A cursor over a payload. A read past the end sets bad and yields zeros. */
typedef struct rstar_reader
{
	const unsigned char *data;
	size_t length;
	size_t position;
	bool bad;
} rstar_reader;

extern void rstar_sandbox_reader_init(rstar_reader *reader, const void *data, size_t length);
extern uint8_t rstar_sandbox_read_u8(rstar_reader *reader);
extern uint32_t rstar_sandbox_read_u32(rstar_reader *reader);
extern uint64_t rstar_sandbox_read_u64(rstar_reader *reader);
extern double rstar_sandbox_read_f64(rstar_reader *reader);
extern rstar_string rstar_sandbox_read_string(rstar_reader *reader);

/* true: nothing was missing and nothing is left over. */
extern bool rstar_sandbox_reader_done(const rstar_reader *reader);

/*
 * A frame is written into a growing buffer: begin returns where it starts (or
 * SIZE_MAX when memory is out), end fills in the length. Writers return false
 * when memory is out; end then takes the half-written frame back.
 */
extern size_t rstar_sandbox_frame_begin(rstar_buffer *buffer, rstar_frame_type type);
extern bool rstar_sandbox_frame_end(rstar_buffer *buffer, size_t start, bool good);
extern bool rstar_sandbox_write_u8(rstar_buffer *buffer, uint8_t value);
extern bool rstar_sandbox_write_u32(rstar_buffer *buffer, uint32_t value);
extern bool rstar_sandbox_write_u64(rstar_buffer *buffer, uint64_t value);
extern bool rstar_sandbox_write_f64(rstar_buffer *buffer, double value);
extern bool rstar_sandbox_write_string(rstar_buffer *buffer, const char *data, size_t length);

/*
 * Look for a whole frame at the start of `length` bytes. Returns its size,
 * header included, 0 when more bytes are needed, or -1 when no such frame may
 * exist (a payload above max_payload). *payload points behind the header.
 */
extern long rstar_sandbox_frame_peek(const char *data, size_t length, size_t max_payload,
									 uint8_t *type, rstar_reader *payload);

/* Decoders: true when the payload is exactly one such frame within bounds. */
extern bool rstar_sandbox_decode_config(rstar_reader *payload, rstar_frame_config *out);
extern bool rstar_sandbox_decode_start(rstar_reader *payload, rstar_frame_start *out);
extern bool rstar_sandbox_decode_ready(rstar_reader *payload, rstar_frame_ready *out);
extern bool rstar_sandbox_decode_fatal(rstar_reader *payload, rstar_frame_fatal *out);
extern bool rstar_sandbox_decode_node_result(rstar_reader *payload, size_t max_text,
											 rstar_sandbox_node_result *out);
extern bool rstar_sandbox_decode_broker_result(rstar_reader *payload, rstar_broker_result *out);
extern bool rstar_sandbox_decode_counters(rstar_reader *payload, rstar_sandbox_counters *out);

/* Encoders of whole frames: false when memory is out. */
extern bool rstar_sandbox_encode_config(rstar_buffer *buffer, const rstar_frame_config *config);
extern bool rstar_sandbox_encode_ready(rstar_buffer *buffer, const rstar_frame_ready *ready);
extern bool rstar_sandbox_encode_fatal(rstar_buffer *buffer, rstar_sandbox_fatal kind,
									   uint64_t node, const char *message, const char *detail);
extern bool rstar_sandbox_encode_node_result(rstar_buffer *buffer,
											 const rstar_sandbox_node_result *result);
extern bool rstar_sandbox_encode_broker_result(rstar_buffer *buffer,
											   const rstar_broker_result *result);
extern bool rstar_sandbox_encode_node(rstar_buffer *buffer, rstar_frame_type type, uint64_t node);
extern bool rstar_sandbox_encode_counters(rstar_buffer *buffer,
										  const rstar_sandbox_counters *counters);

#endif
