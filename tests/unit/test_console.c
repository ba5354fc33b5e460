// SPDX-License-Identifier: GPL-2.0-or-later
/* The console: its outsides, the PV ring, who gets typed bytes, and an outside that does not read. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "hv/console.h"
#include "ring/stream.h"
#include "tests/unit/fake_guest.h"

#include <xen-public/io/console.h>

#define GFN 5
#define PORT 4

static char file[] = "/tmp/paravane-console-XXXXXX";
static struct console *con;
static struct xencons_interface *intf;
static struct stream_writer to_host;
static struct stream_reader from_host;
static int saved_stdin = -1, saved_stdout = -1;
static int outside_in = -1, outside_out = -1; /* the user's ends of the pipes */

static void start(enum console_type type)
{
	fake->config.console = type;
	fake->config.console_path = file;
	fake->domain.console_gfn = GFN;
	fake->domain.console_port = PORT;
	assert_int_equal(console_open(&fake->config, &con), 0);
	assert_int_equal(console_start(&fake->domain, con), 0);
	intf = (void *)fake->page[GFN];
	stream_writer_attach(&to_host, intf->out, sizeof(intf->out), &intf->out_cons,
			     &intf->out_prod);
	stream_reader_attach(&from_host, intf->in, sizeof(intf->in), &intf->in_cons,
			     &intf->in_prod);
}

static int setup(void **state)
{
	return fake_setup(state);
}

static int teardown(void **state)
{
	console_stop(con);
	console_close(con);
	return fake_teardown(state);
}

/* Standard input and output are pipes whose other ends the test holds. */
static int setup_stdio(void **state)
{
	int in[2], out[2];

	if (fake_setup(state) || pipe(in) || pipe(out))
		return -1;
	fflush(stdout);
	saved_stdin = dup(STDIN_FILENO);
	saved_stdout = dup(STDOUT_FILENO);
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	close(in[0]);
	close(out[1]);
	outside_in = in[1];
	outside_out = out[0];
	fcntl(outside_out, F_SETFL, O_NONBLOCK);
	start(CONSOLE_STDIO);
	return 0;
}

static int teardown_stdio(void **state)
{
	int err = teardown(state);

	dup2(saved_stdin, STDIN_FILENO);
	dup2(saved_stdout, STDOUT_FILENO);
	close(saved_stdin);
	close(saved_stdout);
	if (outside_in >= 0)
		close(outside_in);
	close(outside_out);
	return err;
}

static void pump(unsigned int times)
{
	while (times--)
		fake_pump(1);
}

static size_t outside_read(char *buf, size_t n)
{
	ssize_t got = read(outside_out, buf, n);

	return got < 0 ? 0 : got;
}

static void test_file(void **state)
{
	char buf[64] = "";
	int fd;

	(void)state;
	start(CONSOLE_FILE);
	console_write(con, "uart ", 5);
	assert_int_equal(stream_write(&to_host, "ring", 4), 4);
	fake_send(PORT);
	pump(5);
	fd = open(file, O_RDONLY);
	assert_int_equal(read(fd, buf, sizeof(buf)), 9);
	close(fd);
	assert_int_equal(memcmp(buf, "uart ", 5) && memcmp(buf, "ring", 4), 0);
	assert_true(fake->notified[PORT] > 0);
}

static void test_file_bad(void **state)
{
	struct config config = { .console = CONSOLE_FILE, .console_path = "/nonexistent/file" };
	struct console *none;

	(void)state;
	assert_int_equal(console_open(&config, &none), -ENOENT);
	start(CONSOLE_NONE);
	console_write(con, "x", 1);
	pump(3);
}

static void test_nodes(void **state)
{
	uint64_t v;
	char *s;

	(void)state;
	start(CONSOLE_PTY);
	assert_int_equal(xst_read_u64(fake->dom0, 0, "/local/domain/1/console", "port", &v), 0);
	assert_int_equal(v, PORT);
	assert_int_equal(xst_read_u64(fake->dom0, 0, "/local/domain/1/console", "ring-ref", &v), 0);
	assert_int_equal(v, GFN);
	assert_int_equal(xst_read_str(fake->dom0, 0, "/local/domain/1/console", "tty", &s), 0);
	assert_string_equal(s, console_pty(con));
	free(s);
}

static void test_pty(void **state)
{
	char buf[64] = "";
	int fd;

	(void)state;
	start(CONSOLE_PTY);
	fd = open(console_pty(con), O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(stream_write(&to_host, "hello\r\n", 7), 7);
	fake_send(PORT);
	pump(5);
	assert_int_equal(read(fd, buf, sizeof(buf)), 7);
	assert_memory_equal(buf, "hello\r\n", 7);
	assert_int_equal(write(fd, "typed\n", 6), 6);
	pump(5);
	assert_int_equal(stream_read(&from_host, buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "typed\n", 6);
	close(fd);
	/* The user goes and comes back. */
	pump(3);
	fd = open(console_pty(con), O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_int_equal(write(fd, "x", 1), 1);
	pump(5);
	assert_int_equal(stream_read(&from_host, buf, sizeof(buf)), 1);
	close(fd);
}

static char uart_got[64];
static size_t uart_len;

static size_t uart_input(void *opaque, const void *buf, size_t n)
{
	(void)opaque;
	memcpy(uart_got + uart_len, buf, n);
	uart_len += n;
	return n;
}

static void test_who_gets_input(void **state)
{
	char buf[64];

	(void)state;
	uart_len = 0;
	console_set_uart(con, uart_input, NULL);
	assert_int_equal(write(outside_in, "early", 5), 5);
	pump(5);
	assert_int_equal(uart_len, 5);
	assert_memory_equal(uart_got, "early", 5);
	/* The guest writes to the PV console: that is where its shell is. */
	assert_int_equal(stream_write(&to_host, "$ ", 2), 2);
	fake_send(PORT);
	pump(5);
	assert_int_equal(write(outside_in, "late", 4), 4);
	pump(5);
	assert_int_equal(uart_len, 5);
	assert_int_equal(stream_read(&from_host, buf, sizeof(buf)), 4);
	/* The end of the input is not the end of the console. */
	close(outside_in);
	outside_in = -1;
	pump(5);
	assert_int_equal(stream_write(&to_host, "more", 4), 4);
	fake_send(PORT);
	pump(5);
	assert_int_equal(outside_read(buf, sizeof(buf)), 6);
}

/* More is typed than the guest reads: it waits outside, nothing is lost. */
static void test_paste(void **state)
{
	static char paste[8000], got[8000];
	size_t at = 0, i;

	(void)state;
	for (i = 0; i < sizeof(paste); i++)
		paste[i] = i;
	assert_int_equal(stream_write(&to_host, "$", 1), 1);
	fake_send(PORT);
	pump(5);
	assert_int_equal(write(outside_in, paste, sizeof(paste)), sizeof(paste));
	for (i = 0; i < 1000 && at < sizeof(paste); i++) {
		int n = stream_read(&from_host, got + at, 100);

		assert_true(n >= 0);
		at += n;
		fake_send(PORT);
		fake_pump(1);
	}
	assert_int_equal(at, sizeof(paste));
	assert_memory_equal(got, paste, sizeof(paste));
}

/* A slow reader gets everything, in order: the guest waits in its ring. */
static void test_slow_reader(void **state)
{
	static char buf[4096];
	const size_t total = 400000;
	size_t put = 0, got = 0, i;

	(void)state;
	while (put < total || got < put) {
		char piece[512];
		int n;

		for (i = 0; i < sizeof(piece); i++)
			piece[i] = (put + i) * 7;
		n = stream_write(&to_host, piece, put < total ? sizeof(piece) : 0);
		assert_true(n >= 0);
		put += n;
		fake_send(PORT);
		fake_pump(0);
		n = outside_read(buf, 300);
		for (i = 0; i < (size_t)n; i++)
			assert_int_equal(buf[i], (char)((got + i) * 7));
		got += n;
	}
}

/* A reader that never reads costs the guest a second at a time, not for ever. */
static void test_no_reader(void **state)
{
	static char buf[1 << 20], piece[2048];
	const size_t total = 200000; /* the pipe's 64 KiB, the buffer's, and more */
	size_t put = 0, got;
	unsigned int i;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	for (i = 0; i < 5000 && put < total; i++) {
		put += stream_write(&to_host, piece, sizeof(piece));
		console_write(con, "uart\n", 5);
		fake_send(PORT);
		fake_pump(0);
		usleep(1000);
	}
	assert_true(put >= total);
	/* What is there now says that something is missing. */
	got = outside_read(buf, sizeof(buf) - 1);
	pump(20);
	got += outside_read(buf + got, sizeof(buf) - got - 1);
	pump(20);
	got += outside_read(buf + got, sizeof(buf) - got - 1);
	buf[got] = '\0';
	assert_non_null(strstr(buf, "bytes lost]"));
}

/* The guest breaks the ring's indices: it loses its PV console, the UART goes on. */
static void test_broken_ring(void **state)
{
	char buf[64];

	(void)state;
	intf->out_prod = 100000;
	fake_send(PORT);
	pump(5);
	assert_null(fake->port[PORT]);
	console_write(con, "uart", 4);
	pump(5);
	assert_int_equal(outside_read(buf, sizeof(buf)), 4);
}

/* On a terminal of its own: raw while the console runs, as it was when the process is gone. */
static void on_terminal(void (*end)(void))
{
	struct termios before, during, after;
	int master, slave, ready[2], status;
	char c;
	pid_t pid;

	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ready), 0);
	tcgetattr(slave, &before);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
		if (login_tty(dup(slave)) || fake_setup(NULL))
			_exit(1);
		start(CONSOLE_STDIO);
		if (write(ready[1], "", 1) == 1 && read(ready[1], &c, 1) == 1)
			end();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	tcgetattr(slave, &during);
	assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
	assert_true(during.c_oflag & OPOST);
	assert_int_equal(write(ready[0], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	tcgetattr(slave, &after);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);
	close(master);
	close(slave);
	close(ready[0]);
	close(ready[1]);
}

static void end_closed(void)
{
	console_stop(con);
	console_close(con);
	_exit(0);
}

static void end_exit(void)
{
	exit(0);
}

static void end_fault(void)
{
	raise(SIGSEGV);
}

static void test_terminal(void **state)
{
	(void)state;
	on_terminal(end_closed);
	on_terminal(end_exit);
	on_terminal(abort);
	on_terminal(end_fault);
}

static int group_setup(void **state)
{
	int fd = mkstemp(file);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int group_teardown(void **state)
{
	(void)state;
	return unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nodes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_gets_input, setup_stdio, teardown_stdio),
		cmocka_unit_test_setup_teardown(test_paste, setup_stdio, teardown_stdio),
		cmocka_unit_test_setup_teardown(test_slow_reader, setup_stdio, teardown_stdio),
		cmocka_unit_test_setup_teardown(test_no_reader, setup_stdio, teardown_stdio),
		cmocka_unit_test_setup_teardown(test_broken_ring, setup_stdio, teardown_stdio),
		cmocka_unit_test(test_terminal),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
