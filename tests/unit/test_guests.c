// SPDX-License-Identifier: GPL-2.0-or-later
/* Run directories and report sockets: who is listed, and what is said of those that do not answer. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv/domain.h"
#include "hv/guests.h"
#include "hv/loop.h"
#include "hv/report.h"
#include "hv/report_socket.h"
#include "hv/rundir.h"

/* Root's base directory is nothing for tests. */
#define SOMEBODY 12345

static char home[32], base[64];

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);

uid_t __wrap_geteuid(void)
{
	return __real_geteuid() ? __real_geteuid() : SOMEBODY;
}

/* The live report's double, as long as a real one */
json_t *report_live(const struct domain *d)
{
	char filler[8192];

	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	return json_pack("{s:s, s:i, s:i, s:s, s:s}", "name", "served", "domid", d->domid, "vcpus",
			 2, "state", "running", "filler", filler);
}

static int setup(void **state)
{
	(void)state;
	strcpy(home, "/tmp/guests.XXXXXX");
	assert_non_null(mkdtemp(home));
	snprintf(base, sizeof(base), "%s/paravane", home);
	assert_int_equal(mkdir(base, 0700), 0);
	if (!__real_geteuid())
		assert_int_equal(chown(base, SOMEBODY, SOMEBODY), 0);
	/* What waits for ever ends the test. */
	alarm(60);
	return setenv("XDG_RUNTIME_DIR", home, 1);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	alarm(0);
	snprintf(command, sizeof(command), "rm -r %s", home);
	return system(command);
}

static void create(struct rundir *dir, const char *name, domid_t expected)
{
	domid_t domid;

	assert_int_equal(rundir_create(dir, name, &domid), 0);
	assert_int_equal(domid, expected);
}

static size_t count_listed(void)
{
	struct rundir_entry *list;
	size_t count;

	assert_int_equal(rundir_list(&list, &count), 0);
	free(list);
	return count;
}

static void test_nobody(void **state)
{
	json_t *guests;

	(void)state;
	assert_int_equal(count_listed(), 0);
	assert_int_equal(rmdir(base), 0);
	assert_int_equal(count_listed(), 0);
	guests = guests_list();
	assert_int_equal(json_array_size(guests), 0);
	json_decref(guests);
	/* Looking makes nothing. */
	assert_int_equal(access(base, F_OK), -1);
	assert_int_equal(mkdir(base, 0700), 0);
}

static void test_others_may_write(void **state)
{
	struct rundir_entry *list;
	size_t count;

	(void)state;
	assert_int_equal(chmod(base, 0777), 0);
	assert_int_equal(rundir_list(&list, &count), -EPERM);
	assert_null(list);
	assert_null(guests_list());
	assert_null(guests_find("one"));
}

static void test_living_and_dead(void **state)
{
	struct rundir one, two, three;
	struct rundir_entry *list;
	char dead[96], stray[96], lock[112];
	size_t count;
	int looking;

	(void)state;
	create(&one, "one", 1);
	create(&two, "two", 2);
	create(&three, "three", 3);
	rundir_remove(&one);
	create(&one, "z-one", 1);
	snprintf(dead, sizeof(dead), "%s/dead", base);
	assert_int_equal(mkdir(dead, 0700), 0);
	/* Somebody else looks at the same time; that is not what a domain does with its lock. */
	snprintf(lock, sizeof(lock), "%s/lock", dead);
	looking = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(flock(looking, LOCK_SH | LOCK_NB), 0);
	snprintf(stray, sizeof(stray), "%s/.stray", base);
	assert_int_equal(mkdir(stray, 0700), 0);

	assert_int_equal(rundir_list(&list, &count), 0);
	assert_int_equal(count, 3);
	assert_string_equal(list[0].name, "z-one");
	assert_string_equal(list[1].name, "two");
	assert_string_equal(list[2].name, "three");
	assert_string_equal(list[2].path, three.path);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(list[i].domid, i + 1);
		assert_int_equal(list[i].pid, getpid());
	}
	free(list);
	/* What is left over is for the next domain to remove. */
	assert_int_equal(access(dead, F_OK), 0);
	close(looking);

	rundir_remove(&two);
	assert_int_equal(count_listed(), 2);
	rundir_remove(&one);
	rundir_remove(&three);
	assert_int_equal(count_listed(), 0);
}

/* Who has no descriptor left to look whether others live does not take them for dead. */
static void test_blind(void **state)
{
	struct rundir one, two;
	struct rlimit files, few;
	domid_t domid;
	int spare[2];

	(void)state;
	create(&one, "one", 1);
	getrlimit(RLIMIT_NOFILE, &files);
	/* One for the lock of the base directory, one to read that */
	spare[0] = dup(0);
	spare[1] = dup(0);
	few = files;
	few.rlim_cur = spare[1] + 1;
	close(spare[0]);
	close(spare[1]);
	setrlimit(RLIMIT_NOFILE, &few);
	assert_int_equal(rundir_create(&two, "two", &domid), -EIO);
	setrlimit(RLIMIT_NOFILE, &files);
	assert_int_equal(count_listed(), 1);
	create(&two, "two", 2);
	rundir_remove(&two);
	rundir_remove(&one);
}

static void test_listen(void **state)
{
	char path[128], longer[256];
	struct stat st;
	int fd, again;

	(void)state;
	snprintf(path, sizeof(path), "%s/sock", base);
	fd = rundir_listen(path);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	/* A socket that is left over is replaced, a file is not. */
	again = rundir_listen(path);
	assert_true(again >= 0);
	close(again);
	close(fd);
	unlink(path);
	fd = creat(path, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(rundir_listen(path), -EADDRINUSE);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(rundir_listen(longer), -ENAMETOOLONG);
}

/* ---- report sockets ---- */

struct served {
	struct rundir dir;
	struct domain domain;
	struct report_socket socket;
	pthread_t thread;
};

static void *serve(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void served_start(struct served *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(rundir_create(&s->dir, "served", &s->domain.domid), 0);
	snprintf(s->domain.run_dir, sizeof(s->domain.run_dir), "%s", s->dir.path);
	s->domain.loop = loop_new();
	assert_non_null(s->domain.loop);
	assert_int_equal(report_socket_open(&s->socket, &s->domain), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s->domain.loop), 0);
}

static void served_stop(struct served *s)
{
	loop_stop(s->domain.loop);
	pthread_join(s->thread, NULL);
	report_socket_close(&s->socket);
	report_socket_close(&s->socket);
	loop_free(s->domain.loop);
	rundir_remove(&s->dir);
}

static void assert_answers(const char *name)
{
	json_t *guest = guests_find(name);

	assert_non_null(guest);
	assert_string_equal(guests_text(guest, "name"), "served");
	assert_string_equal(guests_text(guest, "state"), "running");
	assert_int_equal(guests_number(guest, "vcpus"), 2);
	json_decref(guest);
}

static void test_served(void **state)
{
	struct served s;

	(void)state;
	served_start(&s);
	assert_answers("served");
	assert_answers("1");
	assert_null(guests_find("2"));
	assert_null(guests_find("serve"));
	assert_null(guests_find(""));
	served_stop(&s);
	assert_null(guests_find("served"));
}

static void connect_to(int fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/served/report.sock", base);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
}

/* Clients that never read, talk instead or leave at once keep nobody waiting. */
static void test_rude_clients(void **state)
{
	struct served s;
	int fd[40];

	(void)state;
	served_start(&s);
	for (int i = 0; i < 40; i++) {
		fd[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		connect_to(fd[i]);
		if (i % 4 == 1)
			(void)!send(fd[i], "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
		if (i % 4 == 2)
			close(fd[i]);
		if (i % 4 == 3)
			shutdown(fd[i], SHUT_RD);
	}
	assert_answers("served");
	for (int i = 0; i < 40; i++) {
		if (i % 4 != 2)
			close(fd[i]);
	}
	assert_answers("served");
	served_stop(&s);
}

/* A domain that is out of descriptors answers when it has some again. */
static void test_no_descriptors(void **state)
{
	struct rlimit files, none;
	struct served s;
	char text[16];
	int fd;

	(void)state;
	served_start(&s);
	assert_answers("served");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	getrlimit(RLIMIT_NOFILE, &files);
	none = files;
	none.rlim_cur = fd + 1;
	setrlimit(RLIMIT_NOFILE, &none);
	connect_to(fd);
	usleep(100000);
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
	setrlimit(RLIMIT_NOFILE, &files);
	assert_answers("served");
	assert_true(recv(fd, text, sizeof(text), MSG_DONTWAIT) > 0);
	close(fd);
	served_stop(&s);
}

static void assert_silent(void)
{
	json_t *guest = guests_find("mute");

	assert_non_null(guest);
	assert_string_equal(guests_text(guest, "state"), "silent");
	assert_int_equal(guests_number(guest, "domid"), 1);
	assert_int_equal(guests_number(guest, "pid"), getpid());
	assert_null(json_object_get(guest, "vcpus"));
	json_decref(guest);
}

static void *answer_nonsense(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);

	assert_int_equal(send(fd, "{\"name\": \"mu", 12, MSG_NOSIGNAL), 12);
	close(fd);
	return NULL;
}

/* Until nobody listens any more */
static void *answer_in_drops(void *arg)
{
	int fd = accept(*(int *)arg, NULL, NULL);

	while (send(fd, " ", 1, MSG_NOSIGNAL) == 1)
		usleep(100000);
	close(fd);
	return NULL;
}

/* No socket yet, one that nobody serves, none any more, one that is cut short, one that never comes to an end */
static void test_not_served(void **state)
{
	char path[160];
	struct rundir dir;
	pthread_t thread;
	time_t start;
	int fd;

	(void)state;
	create(&dir, "mute", 1);
	assert_silent();
	snprintf(path, sizeof(path), "%s/report.sock", dir.path);
	fd = rundir_listen(path);
	assert_true(fd >= 0);
	assert_silent();
	close(fd);
	assert_silent();
	fd = rundir_listen(path);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	pthread_create(&thread, NULL, answer_nonsense, &fd);
	assert_silent();
	pthread_join(thread, NULL);
	time(&start);
	pthread_create(&thread, NULL, answer_in_drops, &fd);
	assert_silent();
	assert_in_range(time(NULL) - start, 0, 4);
	pthread_join(thread, NULL);
	close(fd);
	rundir_remove(&dir);
}

struct ending {
	struct rundir dir;
	int fd;
};

static void *end_unanswered(void *arg)
{
	struct ending *e = arg;
	int fd = accept(e->fd, NULL, NULL);

	rundir_remove(&e->dir);
	close(fd);
	return NULL;
}

/* A domain that ends while it is asked is not one that does not answer. */
static void test_ending(void **state)
{
	struct ending e;
	char path[160];
	pthread_t thread;
	json_t *guests;

	(void)state;
	create(&e.dir, "ending", 1);
	snprintf(path, sizeof(path), "%s/report.sock", e.dir.path);
	e.fd = rundir_listen(path);
	assert_int_equal(fcntl(e.fd, F_SETFL, 0), 0);
	pthread_create(&thread, NULL, end_unanswered, &e);
	guests = guests_list();
	assert_int_equal(json_array_size(guests), 0);
	json_decref(guests);
	pthread_join(thread, NULL);
	close(e.fd);
}

/* ---- what is made of the answers ---- */

static void test_choosing(void **state)
{
	json_t *list = json_pack("[{s:s,s:i},{s:s,s:i},{s:i}]", "name", "2", "domid", 1, "name",
				 "b", "domid", 2, "domid", 3);
	json_t *one;

	(void)state;
	/* A name comes before a domain id. */
	one = guests_only(json_incref(list), "2");
	assert_int_equal(guests_number(json_array_get(one, 0), "domid"), 1);
	json_decref(one);
	one = guests_only(json_incref(list), "b");
	assert_int_equal(guests_number(json_array_get(one, 0), "domid"), 2);
	json_decref(one);
	one = guests_only(json_incref(list), "3");
	assert_int_equal(json_array_size(one), 1);
	json_decref(one);
	assert_null(guests_only(json_incref(list), "3x"));
	assert_null(guests_only(json_incref(list), "4"));
	assert_null(guests_only(json_incref(list), ""));
	json_decref(list);
}

static void test_letters(void **state)
{
	static const char *const expected[][2] = {
		{ "running", "r-----" },  { "blocked", "-b----" }, { "paused", "--p---" },
		{ "shutdown", "---s--" }, { "crashed", "----c-" }, { "dying", "-----d" },
		{ "runnable", "------" }, { "silent", "------" },
	};
	char letters[GUESTS_STATE_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		json_t *guest = json_pack("{s:s}", "state", expected[i][0]);

		assert_string_equal(guests_state_letters(guest, letters), expected[i][1]);
		json_decref(guest);
	}
}

static void test_counts(void **state)
{
	json_t *kvm = json_pack("{s:i,s:i,s:i,s:i,s:i,s:i}", "exits", 9, "io_exits", 2, "irq_exits",
				5, "pf_taken", 3, "halt_wait_ns", 7, "_exits", 1);
	json_t *reasons = guests_exit_reasons(kvm), *none = guests_exit_reasons(NULL);
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	guests_print_counts(f, reasons);
	guests_print_counts(f, none);
	guests_print_counts(f, NULL);
	fclose(f);
	assert_string_equal(text, "irq_exits 5, pf_taken 3, io_exits 2");
	free(text);
	json_decref(none);
	json_decref(reasons);
	json_decref(kvm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_others_may_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_living_and_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_served, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rude_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_served, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ending, setup, teardown),
		cmocka_unit_test(test_choosing),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests_name("guests", tests, NULL, NULL);
}
