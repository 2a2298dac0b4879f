/*
 * channel.c
 *	  Blocking input and output on a stream socket, with descriptors.
 */
#include "sandbox/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Count what a read or write moved; false: it failed, or the stream is at its end. */
static bool
count_moved(ssize_t n, size_t *moved)
{
	if (n < 0)
		return errno == EINTR;
	*moved += (size_t) n;
	return n > 0;
}

bool
rstar_channel_write(int fd, const void *data, size_t length)
{
	size_t moved = 0;

	while (moved < length)
		if (!count_moved(write(fd, (const char *) data + moved, length - moved), &moved))
			return false;
	return true;
}

bool
rstar_channel_read(int fd, void *data, size_t length)
{
	size_t moved = 0;

	while (moved < length)
		if (!count_moved(read(fd, (char *) data + moved, length - moved), &moved))
			return false;
	return true;
}

bool
rstar_channel_send_fd(int fd, const void *data, size_t length, int passed_fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (void *) data, .iov_len = length};
	struct msghdr message = {.msg_iov = &iov,
							 .msg_iovlen = 1,
							 .msg_control = control,
							 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &passed_fd, sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t) length;
}

ssize_t
rstar_channel_receive_fd(int fd, void *data, size_t length, int *passed_fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {.iov_base = data, .iov_len = length};
	struct msghdr message = {.msg_iov = &iov,
							 .msg_iovlen = 1,
							 .msg_control = control,
							 .msg_controllen = sizeof(control)};
	ssize_t n;

	*passed_fd = -1;
	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return n;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
		 header = CMSG_NXTHDR(&message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
			header->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(passed_fd, CMSG_DATA(header), sizeof(int));
	return n;
}

bool
rstar_channel_read_frame(int fd, uint8_t *type, char **data, size_t *length)
{
	unsigned char header[RSTAR_FRAME_HEADER];
	rstar_reader reader;
	char *payload;
	uint32_t size;

	if (!rstar_channel_read(fd, header, sizeof(header)))
		return false;
	rstar_sandbox_reader_init(&reader, header, sizeof(header));
	size = rstar_sandbox_read_u32(&reader);
	*type = rstar_sandbox_read_u8(&reader);
	if (size > RSTAR_FRAME_MAX)
		return false;
	payload = malloc((size_t) size + 1);
	if (!payload || !rstar_channel_read(fd, payload, size))
	{
		free(payload);
		return false;
	}
	payload[size] = '\0';
	*data = payload;
	*length = size;
	return true;
}
