/*
 * remote_key.c
 *	  The keys that model servers want.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/reloptions.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "fmgr.h"
#include "foreign/foreign.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/models/remote_key.h"
#include "pg/models/remote_settings.h"

PG_FUNCTION_INFO_V1(rstar_remote_validator);

/* The value of an option, or NULL. */
static char *
option_of(List *options, const char *name)
{
	ListCell *cell;

	foreach (cell, options)
	{
		DefElem *option = lfirst(cell);

		if (strcmp(option->defname, name) == 0)
			return defGetString(option);
	}
	return NULL;
}

static void
parse_url(const char *url, rstar_address *address)
{
	rstar_error err;

	rstar_check(rstar_address_parse(url, strlen(url), address, &err), &err);
}

/* --- foreign servers ------------------------------------------------------------------------ */

static ForeignServer *
usable_server(const char *name, const rstar_address *address)
{
	ForeignServer *server = GetForeignServerByName(name, false);
	ForeignDataWrapper *wrapper = GetForeignDataWrapper(server->fdwid);
	char *url = option_of(server->options, "url");
	rstar_address own;

	if (strcmp(wrapper->fdwname, RSTAR_REMOTE_WRAPPER) != 0 || !url)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("foreign server \"%s\" is not one of models", name),
						errhint("CREATE SERVER %s FOREIGN DATA WRAPPER " RSTAR_REMOTE_WRAPPER
								" OPTIONS (url '...') makes one.",
								quote_identifier(name))));
	if (!rstar_pg_may_use_server(server->serverid, GetUserId()))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_SERVER, name);
	parse_url(url, &own);
	if (!rstar_address_same_host(&own, address))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("foreign server \"%s\" is not where the model is", name),
						errdetail("Scheme, host and port of both must be the same: a key goes "
								  "nowhere else.")));
	return server;
}

void
rstar_pg_remote_check_server(const char *server, const rstar_address *address)
{
	(void) usable_server(server, address);
}

static char *
mapped_key(const char *name, const rstar_address *address)
{
	ForeignServer *server = usable_server(name, address);

	return option_of(GetUserMapping(GetUserId(), server->serverid)->options, "key");
}

/* --- files ----------------------------------------------------------------------------------- */

/* What is kept for https has a name that no address without TLS leads to. */
static char *
key_path(const rstar_address *address)
{
	const char *directory = rstar_pg_remote_settings.key_directory;

	if (address->secure && address->port == 443)
		return psprintf("%s/%s", directory, address->host);
	return psprintf("%s/%s_%u", directory, address->host, address->port);
}

/* As the server takes its own private keys: its user's, or root's that it may read. */
static bool
is_private(const struct stat *info)
{
	if (info->st_uid == geteuid())
		return (info->st_mode & (S_IRWXG | S_IRWXO)) == 0;
	return info->st_uid == 0 && (info->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) == 0;
}

/* What is read into the buffer; raises, once the descriptor is closed. */
static int
read_key(const char *path, char *buffer, int size)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat info;
	int n = 0, failed = 0;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		failed = fd < 0 ? errno : EINVAL;
	else if (!is_private(&info))
		failed = EACCES;
	else if ((n = (int) read(fd, buffer, (size_t) size)) < 0)
		failed = errno;
	if (fd >= 0)
		close(fd);
	if (failed == 0 && n < size)
		return n;
	ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR),
					errmsg("the file with the key of a model server cannot be used"),
					errdetail_log("File \"%s\".", path),
					errhint("It must be a file of at most %d bytes that belongs to the server's "
							"user and that nobody else may read.",
							RSTAR_HTTP_LONGEST_KEY)));
}

static char *
key_of_file(const rstar_address *address)
{
	char buffer[RSTAR_HTTP_LONGEST_KEY + 2];
	char *key;
	int n;

	if (rstar_pg_remote_settings.key_directory[0] == '\0')
		return NULL;
	n = read_key(key_path(address), buffer, sizeof buffer);
	while (n > 0 && (buffer[n - 1] == '\n' || buffer[n - 1] == '\r'))
		n--;
	key = n > 0 ? pnstrdup(buffer, n) : NULL;
	explicit_bzero(buffer, sizeof buffer);
	return key;
}

char *
rstar_pg_remote_key(const char *server, const rstar_address *address)
{
	return server ? mapped_key(server, address) : key_of_file(address);
}

/* --- the wrapper's options ---------------------------------------------------------------------- */

static void
check_key(const char *key)
{
	rstar_error err;

	rstar_check(rstar_http_check_key(key, &err), &err);
}

/*
 * rstar_remote_validator(options text[], catalog oid): a server has a url, a user mapping
 * a key, and nothing has anything else.
 */
Datum
rstar_remote_validator(PG_FUNCTION_ARGS)
{
	List *options = untransformRelOptions(PG_GETARG_DATUM(0));
	Oid catalog = PG_GETARG_OID(1);
	ListCell *cell;

	foreach (cell, options)
	{
		DefElem *option = lfirst(cell);
		rstar_address address;

		if (catalog == ForeignServerRelationId && strcmp(option->defname, "url") == 0)
			parse_url(defGetString(option), &address);
		else if (catalog == UserMappingRelationId && strcmp(option->defname, "key") == 0)
			check_key(defGetString(option));
		else
			ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
							errmsg("invalid option \"%s\"", option->defname),
							errhint("A server takes the option \"url\", a user mapping the option "
									"\"key\".")));
	}
	PG_RETURN_VOID();
}
