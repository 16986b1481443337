/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/machine/messages.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Room for one descriptor (unix(7), SCM_RIGHTS). */
union passing {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

static void attach(struct msghdr *msg, union passing *p, int descriptor)
{
	memset(p, 0, sizeof(*p));
	p->head.cmsg_level = SOL_SOCKET;
	p->head.cmsg_type = SCM_RIGHTS;
	p->head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&p->head), &descriptor, sizeof(int));
	msg->msg_control = p;
	msg->msg_controllen = sizeof(*p);
}

static int send_packet(int socket, enum message_kind kind, const void *body, size_t len, int descriptor)
{
	uint32_t word = (uint32_t)kind;
	union passing passing;
	struct iovec parts[] = {
		{.iov_base = &word, .iov_len = sizeof(word)},
		{.iov_base = (void *)(uintptr_t)body, .iov_len = len},
	};
	struct msghdr msg = {.msg_iov = parts, .msg_iovlen = len ? 2 : 1};

	if (descriptor >= 0)
		attach(&msg, &passing, descriptor);
	while (sendmsg(socket, &msg, MSG_NOSIGNAL) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

int message_send(int socket, enum message_kind kind, const void *body, size_t len)
{
	return send_packet(socket, kind, body, len, -1);
}

int message_ask(int socket, enum message_kind kind, const void *body, size_t len)
{
	return message_ask_passing(socket, kind, body, len, -1);
}

int message_ask_passing(int socket, enum message_kind kind, const void *body, size_t len, int descriptor)
{
	int32_t answer;
	ssize_t got;
	int err = send_packet(socket, kind, body, len, descriptor);

	if (err)
		return err;
	do {
		got = recv(socket, &answer, sizeof(answer), 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	return got == sizeof(answer) ? answer : EPIPE;
}

static int detach(struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int descriptor;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&descriptor, CMSG_DATA(c), sizeof(int));
	return descriptor;
}

long message_receive(int socket, uint32_t *kind, void *body, size_t room, int *passed)
{
	union passing passing;
	struct iovec parts[] = {
		{.iov_base = kind, .iov_len = sizeof(*kind)},
		{.iov_base = body, .iov_len = room},
	};
	struct msghdr msg = {.msg_iov = parts,
			     .msg_iovlen = 2,
			     .msg_control = &passing,
			     .msg_controllen = sizeof(passing)};
	ssize_t got;

	do {
		got = recvmsg(socket, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	*passed = got < 0 ? -1 : detach(&msg);
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
