// SPDX-License-Identifier: GPL-2.0-or-later
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv/loop.h"

static struct loop *loop;
static struct loop_source a, b;
static unsigned int calls, order[8];

static int setup(void **state)
{
	(void)state;
	calls = 0;
	loop = loop_new();
	return loop ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

/* A call, and which one it is */
static struct numbered {
	struct loop_call call;
	unsigned int number;
} five[5];

static void remember(struct loop_call *call)
{
	order[calls++] = ((struct numbered *)call)->number;
}

static void stop(struct loop_call *call)
{
	(void)call;
	loop_stop(loop);
}

static struct loop_call stop_call = { .fn = stop };

static void post_five(void)
{
	for (unsigned int i = 0; i < 5; i++) {
		five[i] = (struct numbered){ { .fn = remember }, i };
		loop_post(loop, &five[i].call);
	}
}

static void test_post_keeps_order(void **state)
{
	(void)state;
	post_five();
	loop_post(loop, &stop_call);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(calls, 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(order[i], i);
}

static void *post_from_thread(void *arg)
{
	(void)arg;
	post_five();
	loop_post(loop, &stop_call);
	return NULL;
}

static void test_post_from_another_thread(void **state)
{
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, post_from_thread, NULL);
	assert_int_equal(loop_run(loop), 0);
	pthread_join(thread, NULL);
	assert_int_equal(calls, 5);
}

/* What is posted already stays where it is; what has run can be posted again. */
static void test_post_again(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		calls = 0;
		post_five();
		loop_post(loop, &five[0].call);
		loop_post(loop, &stop_call);
		assert_int_equal(loop_run(loop), 0);
		assert_int_equal(calls, 5);
	}
}

/* First, last and one in the middle */
static void test_unpost(void **state)
{
	(void)state;
	post_five();
	loop_unpost(loop, &five[0].call);
	loop_unpost(loop, &five[2].call);
	loop_unpost(loop, &five[4].call);
	loop_unpost(loop, &five[4].call);
	loop_post(loop, &stop_call);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(calls, 2);
	assert_int_equal(order[0], 1);
	assert_int_equal(order[1], 3);
}

static void post_itself(struct loop_call *call)
{
	calls++;
	loop_post(loop, call);
}

static void stop_by_source(struct loop_source *s, uint32_t events)
{
	(void)s;
	(void)events;
	loop_stop(loop);
}

/* A call that never ends to post itself leaves the sources their turn. */
static void test_posts_do_not_starve_sources(void **state)
{
	struct loop_call for_ever = { .fn = post_itself };

	(void)state;
	a = (struct loop_source){ eventfd(1, EFD_CLOEXEC), stop_by_source };
	assert_int_equal(loop_add(loop, &a, EPOLLIN), 0);
	loop_post(loop, &for_ever);
	assert_int_equal(loop_run(loop), 0);
	assert_true(calls < 100);
	close(a.fd);
}

static void stop_and_count(struct loop_source *s, uint32_t events)
{
	stop_by_source(s, events);
	calls++;
}

/* What is said once only must not be lost because another source stops the loop. */
static void test_stop_loses_no_edge(void **state)
{
	(void)state;
	a = (struct loop_source){ eventfd(1, EFD_CLOEXEC), stop_and_count };
	b = (struct loop_source){ eventfd(1, EFD_CLOEXEC), stop_and_count };
	assert_int_equal(loop_add(loop, &a, EPOLLIN | EPOLLET), 0);
	assert_int_equal(loop_add(loop, &b, EPOLLIN | EPOLLET), 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(calls, 2);
	close(a.fd);
	close(b.fd);
}

static void drop_both(struct loop_source *s, uint32_t events)
{
	(void)s;
	(void)events;
	calls++;
	loop_del(loop, &a);
	loop_del(loop, &b);
	loop_post(loop, &stop_call);
}

/* Both are ready at once; whichever runs first removes the other, which must not be called then. */
static void test_source_removed_in_same_batch(void **state)
{
	(void)state;
	a = (struct loop_source){ eventfd(1, EFD_CLOEXEC), drop_both };
	b = (struct loop_source){ eventfd(1, EFD_CLOEXEC), drop_both };
	assert_int_equal(loop_add(loop, &a, EPOLLIN), 0);
	assert_int_equal(loop_add(loop, &b, EPOLLIN), 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(calls, 1);
	close(a.fd);
	close(b.fd);
}

static void test_bad_descriptor(void **state)
{
	(void)state;
	a = (struct loop_source){ -1, drop_both };
	assert_true(loop_add(loop, &a, EPOLLIN) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_post_keeps_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_post_from_another_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_post_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unpost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_posts_do_not_starve_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_loses_no_edge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_removed_in_same_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_descriptor, setup, teardown),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
