// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the lab's job inside the lab's machine and carries its output and exit status out.
 *
 *	agent COMMAND [ARG...]		stdout and stderr through two virtio ports, stdin empty
 *	agent -t COMMAND [ARG...]	on the virtio console, as a terminal
 *
 * The job writes into pipes rather than into the ports, because a port can be opened only once and
 * programs do open /dev/stderr. The ports lose what the other side has not taken when the machine
 * is switched off, so each write is followed until it is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_OUT "/run/lab/out"
#define PORT_ERR "/run/lab/err"
#define PORT_STATUS "/run/lab/status"
#define CONSOLE "/dev/hvc0"

/* How long a background process may keep the job's output open after the job's end */
#define LINGER_MS 1000

struct relay {
	int pipe;
	int port;
};

static void fail(const char *what)
{
	fprintf(stderr, "lab agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_or_fail(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return fd;
}

static void write_all(int port, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(port, data, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		data += n;
		len -= n;
	}
}

/* A port is writable again once the other side has taken all that was written. */
static void wait_taken(int port)
{
	struct pollfd pfd = { .fd = port, .events = POLLOUT };

	poll(&pfd, 1, -1);
}

/* Returns false at the end of the pipe. */
static bool relay_some(struct relay *relay)
{
	char buf[32768];
	ssize_t n = read(relay->pipe, buf, sizeof(buf));

	if (n > 0)
		write_all(relay->port, buf, n);
	if (n != 0)
		return true;
	close(relay->pipe);
	relay->pipe = -1;
	return false;
}

static void take_console(void)
{
	int fd;

	setsid();
	fd = open_or_fail(CONSOLE, O_RDWR);
	if (ioctl(fd, TIOCSCTTY, 1) < 0)
		fail("TIOCSCTTY");
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
}

static void take_pipes(int out, int err)
{
	setsid();
	dup2(open_or_fail("/dev/null", O_RDONLY), 0);
	dup2(out, 1);
	dup2(err, 2);
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Relays until the job has ended and its output is empty; returns the job's exit status. */
static int relay_all(pid_t job, struct relay relays[2])
{
	sigset_t chld;
	int status = 0;
	bool ended = false;
	int signals;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		fail("signalfd");

	for (;;) {
		struct pollfd pfds[] = {
			{ .fd = relays[0].pipe, .events = POLLIN },
			{ .fd = relays[1].pipe, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
		};
		int n = poll(pfds, 3, ended ? LINGER_MS : -1);

		if (n < 0 && errno != EINTR)
			fail("poll");
		if (n == 0)
			return status;
		for (int i = 0; i < 2; i++)
			if (n > 0 && pfds[i].revents)
				relay_some(&relays[i]);
		if (n > 0 && pfds[2].revents) {
			struct signalfd_siginfo info;
			int one;
			pid_t pid;

			while (read(signals, &info, sizeof(info)) > 0)
				;
			while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
				if (pid != job)
					continue;
				status = exit_status(one);
				ended = true;
			}
		}
		if (ended && relays[0].pipe < 0 && relays[1].pipe < 0)
			return status;
	}
}

static int run(char **argv, bool tty)
{
	struct relay relays[2] = { { -1, -1 }, { -1, -1 } };
	int out[2], err[2];
	sigset_t chld;
	pid_t job;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		fail("pipe2");
	if (!tty) {
		relays[0] = (struct relay){ out[0], open_or_fail(PORT_OUT, O_WRONLY) };
		relays[1] = (struct relay){ err[0], open_or_fail(PORT_ERR, O_WRONLY) };
	}

	job = fork();
	if (job < 0)
		fail("fork");
	if (job == 0) {
		if (tty)
			take_console();
		else
			take_pipes(out[1], err[1]);
		sigprocmask(SIG_UNBLOCK, &chld, NULL);
		execv(argv[0], argv);
		fail(argv[0]);
	}
	close(out[1]);
	close(err[1]);

	status = relay_all(job, relays);
	if (!tty) {
		wait_taken(relays[0].port);
		wait_taken(relays[1].port);
	}
	return status;
}

int main(int argc, char **argv)
{
	bool tty = argc > 1 && !strcmp(argv[1], "-t");
	char line[32];
	int port;
	int len;

	argv += 1 + tty;
	if (!argv[0]) {
		fprintf(stderr, "usage: agent [-t] COMMAND [ARG...]\n");
		return 1;
	}
	len = snprintf(line, sizeof(line), "exit %d\n", run(argv, tty));
	port = open_or_fail(PORT_STATUS, O_WRONLY);
	write_all(port, line, len);
	wait_taken(port);
	return 0;
}
