/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/machine/messages.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

int message_send(int socket, enum message_kind kind, const void *body, size_t len)
{
	uint32_t word = (uint32_t)kind;
	struct iovec parts[] = {
		{.iov_base = &word, .iov_len = sizeof(word)},
		{.iov_base = (void *)(uintptr_t)body, .iov_len = len},
	};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = len ? 2 : 1};

	while (sendmsg(socket, &msg, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

int message_ask(int socket, enum message_kind kind, const void *body, size_t len)
{
	int32_t answer;
	ssize_t got;
	int err = message_send(socket, kind, body, len);

	if (err)
		return err;
	do {
		got = recv(socket, &answer, sizeof(answer), 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	return got == sizeof(answer) ? answer : EPIPE;
}

long message_receive(int socket, uint32_t *kind, void *body, size_t room)
{
	struct iovec parts[] = {
		{.iov_base = kind, .iov_len = sizeof(*kind)},
		{.iov_base = body, .iov_len = room},
	};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t got;

	do {
		got = recvmsg(socket, &msg, MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -1 : -2;
	return got < (ssize_t)sizeof(*kind) ? -2 : got - (long)sizeof(*kind);
}

void message_answer(int socket, int32_t answer)
{
	ssize_t sent;

	do {
		sent = send(socket, &answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
}
