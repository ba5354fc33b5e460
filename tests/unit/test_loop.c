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

static void remember(void *arg)
{
	order[calls++] = (uintptr_t)arg;
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void test_post_keeps_order(void **state)
{
	(void)state;
	for (uintptr_t i = 0; i < 5; i++)
		assert_int_equal(loop_post(loop, remember, (void *)i), 0);
	loop_post(loop, stop, NULL);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(calls, 5);
	for (unsigned int i = 0; i < 5; i++)
		assert_int_equal(order[i], i);
}

static void *post_from_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		loop_post(loop, remember, NULL);
	loop_post(loop, stop, NULL);
	return NULL;
}

static void test_post_from_another_thread(void **state)
{
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, post_from_thread, NULL);
	assert_int_equal(loop_run(loop), 0);
	pthread_join(thread, NULL);
	assert_int_equal(calls, 3);
}

static void test_unrun_posts_are_freed(void **state)
{
	(void)state;
	loop_post(loop, remember, NULL);
	assert_int_equal(calls, 0);
}

static void drop_both(struct loop_source *s, uint32_t events)
{
	(void)s;
	(void)events;
	calls++;
	loop_del(loop, &a);
	loop_del(loop, &b);
	loop_post(loop, stop, NULL);
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
		cmocka_unit_test_setup_teardown(test_unrun_posts_are_freed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_source_removed_in_same_batch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_descriptor, setup, teardown),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
