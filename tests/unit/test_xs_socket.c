// SPDX-License-Identifier: GPL-2.0-or-later
/* hv/xs_socket.c with the client everybody uses, libxenstore, and with clients that misbehave. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <xenstore.h>

#include "hv/loop.h"
#include "hv/types.h"
#include "hv/xs_socket.h"

struct fixture {
	char dir[32], path[64];
	struct loop *loop;
	struct xst_store *store;
	struct xs_socket *sock;
	struct loop_call work;
	pthread_t thread;
};

static void dispatch(struct loop_call *call)
{
	xst_store_dispatch(container_of(call, struct fixture, work)->store);
}

static void work(void *opaque)
{
	struct fixture *f = opaque;

	loop_post(f->loop, &f->work);
}

static void *serve(void *arg)
{
	struct fixture *f = arg;

	loop_run(f->loop);
	return NULL;
}

static int setup(void **state)
{
	static const struct xst_store_ops ops = { .work = work };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/xs_socket.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	setenv("XENSTORED_PATH", f->path, 1);
	f->loop = loop_new();
	f->work.fn = dispatch;
	f->store = xst_store_new(&ops, f, NULL);
	assert_int_equal(xs_socket_create(f->loop, f->store, f->path, &f->sock), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	const char *why;

	loop_stop(f->loop);
	pthread_join(f->thread, NULL);
	assert_int_equal(xst_store_check(f->store, &why), 0);
	xs_socket_destroy(f->sock);
	assert_int_not_equal(access(f->path, F_OK), 0);
	xst_store_free(f->store);
	loop_free(f->loop);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void check_read(struct xs_handle *xs, xs_transaction_t tx, const char *path,
		       const char *expected)
{
	unsigned int len;
	char *value = xs_read(xs, tx, path, &len);

	assert_non_null(value);
	assert_int_equal(len, strlen(expected));
	assert_string_equal(value, expected);
	free(value);
}

static void real_client(void **state)
{
	struct xs_permissions perms[] = { { .id = 0, .perms = XS_PERM_NONE },
					  { .id = 5, .perms = XS_PERM_READ } },
			      *got;
	struct xs_handle *xs = xs_open(0);
	unsigned int count;
	char **names;

	(void)state;
	assert_non_null(xs);
	assert_true(xs_write(xs, XBT_NULL, "/a/b", "value", 5));
	assert_true(xs_mkdir(xs, XBT_NULL, "/a/c"));
	check_read(xs, XBT_NULL, "/a/b", "value");
	assert_null(xs_read(xs, XBT_NULL, "/none", NULL));
	assert_int_equal(errno, ENOENT);
	names = xs_directory(xs, XBT_NULL, "/a", &count);
	assert_int_equal(count, 2);
	assert_string_equal(names[0], "b");
	assert_string_equal(names[1], "c");
	free(names);
	assert_true(xs_set_permissions(xs, XBT_NULL, "/a/b", perms, 2));
	got = xs_get_permissions(xs, XBT_NULL, "/a/b", &count);
	assert_int_equal(count, 2);
	assert_int_equal(got[1].id, 5);
	assert_int_equal(got[1].perms, XS_PERM_READ);
	free(got);
	assert_true(xs_rm(xs, XBT_NULL, "/a"));
	assert_false(xs_is_domain_introduced(xs, 5));
	xs_close(xs);
}

static void large_directory(void **state)
{
	struct xs_handle *xs = xs_open(0);
	unsigned int count;
	char path[32], **names;

	(void)state;
	for (unsigned int i = 0; i < 1500; i++) {
		snprintf(path, sizeof(path), "/large/node%04u", i);
		assert_true(xs_write(xs, XBT_NULL, path, "", 0));
	}
	names = xs_directory(xs, XBT_NULL, "/large", &count);
	assert_non_null(names);
	assert_int_equal(count, 1500);
	assert_string_equal(names[1499], "node1499");
	free(names);
	xs_close(xs);
}

static void real_transactions(void **state)
{
	struct xs_handle *xs = xs_open(0), *other = xs_open(0);
	xs_transaction_t tx;

	(void)state;
	assert_true(xs_write(xs, XBT_NULL, "/t", "1", 1));
	tx = xs_transaction_start(xs);
	assert_true(xs_write(xs, tx, "/t", "2", 1));
	check_read(other, XBT_NULL, "/t", "1");
	assert_true(xs_transaction_end(xs, tx, false));
	check_read(other, XBT_NULL, "/t", "2");
	tx = xs_transaction_start(xs);
	assert_true(xs_write(xs, tx, "/t", "3", 1));
	assert_true(xs_write(other, XBT_NULL, "/t", "4", 1));
	assert_false(xs_transaction_end(xs, tx, false));
	assert_int_equal(errno, EAGAIN);
	xs_close(xs);
	xs_close(other);
}

/* The next event, within 10 s. */
static void check_event(struct xs_handle *xs, const char *path, const char *token)
{
	struct pollfd pfd = { .fd = xs_fileno(xs), .events = POLLIN };
	unsigned int count;
	char **event;

	assert_int_equal(poll(&pfd, 1, 10000), 1);
	event = xs_read_watch(xs, &count);
	assert_non_null(event);
	assert_string_equal(event[XS_WATCH_PATH], path);
	assert_string_equal(event[XS_WATCH_TOKEN], token);
	free(event);
}

static void real_watches(void **state)
{
	struct xs_handle *xs = xs_open(0), *other = xs_open(0);

	(void)state;
	assert_true(xs_watch(xs, "/w", "token"));
	check_event(xs, "/w", "token");
	assert_true(xs_write(other, XBT_NULL, "/w/x", "1", 1));
	check_event(xs, "/w/x", "token");
	assert_true(xs_rm(other, XBT_NULL, "/w"));
	check_event(xs, "/w", "token");
	assert_true(xs_unwatch(xs, "/w", "token"));
	xs_close(xs);
	xs_close(other);
}

/* ---- Debian's command-line tools ---- */

/* What @command prints, with its exit status behind it. */
static void check_tool(const char *command, const char *expected)
{
	char output[1024], line[256];
	size_t len;
	FILE *pipe;

	snprintf(line, sizeof(line), "{ timeout 20 %s; echo $?; } 2>/dev/null", command);
	pipe = popen(line, "r");
	assert_non_null(pipe);
	len = fread(output, 1, sizeof(output) - 1, pipe);
	output[len] = '\0';
	pclose(pipe);
	assert_string_equal(output, expected);
}

static void command_line_tools(void **state)
{
	FILE *watch;
	char line[64];

	(void)state;
	if (access("/usr/bin/xenstore-ls", X_OK) && access("/usr/sbin/xenstore-ls", X_OK))
		skip();
	check_tool("xenstore-write /a/x 1 /a/y two", "0\n");
	check_tool("xenstore-read /a/x /a/y", "1\ntwo\n0\n");
	check_tool("xenstore-read /none", "1\n");
	check_tool("xenstore-list /a", "x\ny\n0\n");
	check_tool("xenstore-exists /a/x", "0\n");
	check_tool("xenstore-exists /a/z", "1\n");
	check_tool("xenstore-chmod /a/x n5 r6", "0\n");
	check_tool("xenstore-ls -fp /a", "/a/x = \"1\"   (n5,r6)\n/a/y = \"two\"   (n0)\n0\n");
	watch = popen("timeout 20 xenstore-watch -n 2 /a", "r");
	assert_non_null(watch);
	assert_non_null(fgets(line, sizeof(line), watch));
	assert_string_equal(line, "/a\n");
	check_tool("xenstore-rm /a/x", "0\n");
	assert_non_null(fgets(line, sizeof(line), watch));
	assert_string_equal(line, "/a/x\n");
	pclose(watch);
	check_tool("xenstore-rm -t /a/y", "0\n");
	check_tool("xenstore-ls -f", "/tool = \"\"\n/tool/xenstored = \"\"\n0\n");
}

/* ---- without libxenstore ---- */

static int raw_client(const struct fixture *f)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct timeval limit = { .tv_sec = 10 };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void split_bytes(void **state)
{
	struct {
		struct xsd_sockmsg hdr;
		char body[8];
	} req = { { XS_READ, 3, 0, 6 }, "/tool" }, answer;
	int fd = raw_client(*state);

	for (size_t i = 0; i < sizeof(req.hdr) + 6; i++)
		assert_int_equal(send(fd, (char *)&req + i, 1, 0), 1);
	assert_int_equal(recv(fd, &answer, sizeof(answer), 0), sizeof(req.hdr));
	assert_int_equal(answer.hdr.type, XS_READ);
	assert_int_equal(answer.hdr.req_id, 3);
	assert_int_equal(answer.hdr.len, 0);
	close(fd);
}

static void over_long_message(void **state)
{
	struct xsd_sockmsg hdr = { XS_READ, 3, 0, 5000 };
	int fd = raw_client(*state);

	assert_int_equal(send(fd, &hdr, sizeof(hdr), 0), sizeof(hdr));
	assert_int_equal(recv(fd, &hdr, sizeof(hdr), 0), 0);
	close(fd);
}

/* One sends for ever and reads nothing; the next one is served all the same. */
static void greedy_client(void **state)
{
	struct {
		struct xsd_sockmsg hdr;
		char body[6];
	} req = { { XS_READ, 3, 0, 6 }, "/tool" };
	int fd = raw_client(*state);
	unsigned int sent = 0;
	struct xs_handle *xs;

	while (send(fd, &req, sizeof(req.hdr) + 6, MSG_DONTWAIT) > 0 && sent < 1000000) {
		/* Give the store a chance to take it. */
		if (!(++sent % 1000))
			usleep(1000);
	}
	assert_in_range(sent, 100, 999999);
	xs = xs_open(0);
	assert_true(xs_write(xs, XBT_NULL, "/alive", "1", 1));
	xs_close(xs);
	close(fd);
}

static void too_many_clients(void **state)
{
	struct fixture *f = *state;
	struct xs_handle *xs;
	int fd[70];
	char byte;

	for (unsigned int i = 0; i < 70; i++)
		fd[i] = raw_client(f);
	assert_int_equal(recv(fd[69], &byte, 1, 0), 0);
	for (unsigned int i = 0; i < 70; i++)
		close(fd[i]);
	/* They leave in their own time. */
	for (unsigned int i = 0; i < 1000; i++) {
		xs = xs_open(0);
		if (xs && xs_write(xs, XBT_NULL, "/alive", "1", 1))
			break;
		if (xs)
			xs_close(xs);
		usleep(1000);
		xs = NULL;
	}
	assert_non_null(xs);
	xs_close(xs);
}

static void the_file(void **state)
{
	struct fixture *f = *state;
	struct xs_socket *other;
	char path[300], plain[64];
	struct stat st;
	FILE *file;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* What is no socket stays. */
	snprintf(plain, sizeof(plain), "%s/plain", f->dir);
	file = fopen(plain, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(xs_socket_create(f->loop, f->store, plain, &other), -EADDRINUSE);
	assert_int_equal(access(plain, F_OK), 0);
	unlink(plain);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(xs_socket_create(f->loop, f->store, path, &other), -ENAMETOOLONG);
	snprintf(path, sizeof(path), "%s/none/sock", f->dir);
	assert_int_equal(xs_socket_create(f->loop, f->store, path, &other), -ENOENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(real_client),	 CASE(large_directory),	   CASE(real_transactions),
		CASE(real_watches),	 CASE(command_line_tools), CASE(split_bytes),
		CASE(over_long_message), CASE(greedy_client),	   CASE(too_many_clients),
		CASE(the_file),
	};

	return cmocka_run_group_tests_name("xs_socket", tests, NULL, NULL);
}
