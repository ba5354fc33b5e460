// SPDX-License-Identifier: GPL-2.0-or-later
/* Whoever reads our stderr, and however slowly: a line never waits. */
#include <pthread.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hv/log.c"

#define THREADS 4
#define LINES 5000

static int saved_stderr, reader;
static char got[1 << 20];

static int setup(void **state)
{
	(void)state;
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	/* What waits for ever ends the test. */
	alarm(20);
	return saved_stderr < 0;
}

static void restore(void)
{
	dup2(saved_stderr, STDERR_FILENO);
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	log_fd = STDERR_FILENO;
}

static int teardown(void **state)
{
	(void)state;
	alarm(0);
	restore();
	close(reader);
	close(saved_stderr);
	lost = 0;
	return 0;
}

static void stderr_is(int fd)
{
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	close(fd);
}

static void stderr_is_pipe(void)
{
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	reader = fd[0];
	stderr_is(fd[1]);
}

static size_t read_all(void)
{
	ssize_t n;
	size_t len = 0;

	fcntl(reader, F_SETFL, O_NONBLOCK);
	while ((n = read(reader, got + len, sizeof(got) - 1 - len)) > 0)
		len += n;
	got[len] = '\0';
	return len;
}

static unsigned int count_lines(void)
{
	unsigned int n = 0;

	for (const char *p = got; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* More lines than there is room for; those that are missing are told with the next. */
static void overflow(void)
{
	char want[64];
	unsigned int there;

	for (unsigned int i = 0; i < LINES; i++)
		pr_info("%0100u", i);
	read_all();
	there = count_lines();
	assert_true(there > 10 && there < LINES);
	pr_info("again");
	read_all();
	snprintf(want, sizeof(want), "paravane: (%u lines lost) again\n", LINES - there);
	assert_string_equal(got, want);
	pr_info("and again");
	read_all();
	assert_string_equal(got, "paravane: and again\n");
}

static void test_full_pipe(void **state)
{
	(void)state;
	stderr_is_pipe();
	log_open();
	assert_int_not_equal(log_fd, STDERR_FILENO);
	overflow();
	/* Others who write to the same open file still wait as they always did. */
	assert_int_equal(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
}

/* Where /proc is not mounted */
static void test_full_pipe_not_reopened(void **state)
{
	(void)state;
	stderr_is_pipe();
	overflow();
}

/* What systemd gives a service */
static void test_full_socket(void **state)
{
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	reader = fd[0];
	stderr_is(fd[1]);
	log_open();
	overflow();
}

/* A file goes on where it was, whoever else writes to it. */
static void test_file(void **state)
{
	char path[] = "/tmp/paravane-log-XXXXXX";

	(void)state;
	reader = mkstemp(path);
	unlink(path);
	assert_int_equal(write(reader, "before\n", 7), 7);
	stderr_is(dup(reader));
	log_open();
	pr_info("after");
	lseek(reader, 0, SEEK_SET);
	read_all();
	assert_string_equal(got, "before\nparavane: after\n");
}

/* No reader, no stderr: nothing happens. */
static void test_nobody(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	stderr_is_pipe();
	log_open();
	close(reader);
	pr_info("to nobody");
	close(STDERR_FILENO);
	pr_info("to nothing");
	reader = -1;
}

static void *write_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		pr_info("%c%c%c%c%c%c%c%c", *(char *)arg, *(char *)arg, *(char *)arg, *(char *)arg,
			*(char *)arg, *(char *)arg, *(char *)arg, *(char *)arg);
	return NULL;
}

/* Lines stay whole, and each is written or counted. */
static void test_threads(void **state)
{
	static char letter[] = "abcd";
	pthread_t thread[THREADS];
	unsigned int there = 0, missing = 0, n;

	(void)state;
	stderr_is_pipe();
	log_open();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, write_lines, &letter[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	read_all();
	for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n")) {
		const char *text = strrchr(line, ' ') + 1;

		if (sscanf(line, "paravane: (%u lines lost)", &n) == 1)
			missing += n;
		there++;
		assert_memory_equal(line, "paravane: ", 10);
		assert_int_equal(strlen(text), 8);
		assert_int_equal(strspn(text, (char[]){ *text, 0 }), 8);
	}
	assert_int_equal(there + missing + lost, THREADS * LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full_pipe, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_pipe_not_reopened, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_socket, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
