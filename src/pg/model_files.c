/*
 * model_files.c
 *	  The files behind the rows of rstar.models.
 */
#include "postgres.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pg/model_files.h"

#define SHARE_PREFIX "$share/"

/* A plain file name: nothing that leads to another directory, nothing hidden. */
static bool
is_plain_name(const char *name)
{
	if (name[0] == '\0' || name[0] == '.' || strlen(name) >= NAME_MAX)
		return false;
	return strchr(name, '/') == NULL;
}

int
rstar_model_file_open(const rstar_model_row *row)
{
	bool shipped = strncmp(row->path, SHARE_PREFIX, strlen(SHARE_PREFIX)) == 0;
	const char *name = shipped ? row->path + strlen(SHARE_PREFIX) : row->path;
	char *directory = shipped ? rstar_share_directory() : rstar_model_directory();
	int save_errno;
	int directory_fd;
	struct stat info;
	int fd = -1;

	if (!is_plain_name(name))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("file of model \"%s\" lies outside the model directory", row->name),
				 errdetail("A model's path is the name of a file in \"rstar.model_directory\".")));

	/* O_NONBLOCK: a pipe in the file's place must not make us wait for a writer. */
	directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory_fd >= 0)
	{
		fd = openat(directory_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		save_errno = errno;
		close(directory_fd);
		errno = save_errno;
	}
	if (fd < 0)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not open the file of model \"%s\": %m", row->name)));
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
	{
		close(fd);
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("the file of model \"%s\" is not a regular file", row->name)));
	}
	if (info.st_size != row->file_size)
	{
		close(fd);
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the file of model \"%s\" has changed", row->name),
						errdetail("It has %lld bytes instead of %lld.", (long long) info.st_size,
								  (long long) row->file_size)));
	}
	return fd;
}
