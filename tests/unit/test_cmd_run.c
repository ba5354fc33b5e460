// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a run ends while the host's storage does not answer. Each run is a process of its own, with
 * the real signals and the real loop; domain and devices are doubles.
 */
#include "hv/cmd_run.c"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define NEVER UINT_MAX

static struct run run;

/* How the doubles are to behave, and, shared with the test, what they were asked to do */
static unsigned int busy; /* times backends_quiesce() says no */
static bool poweroff; /* the guest ends by itself */
static struct {
	unsigned int quiesced, console_closed, dir_removed, destroyed;
} * seen;

/* ---- what hv/cmd_run.c needs ---- */

bool backends_quiesce(struct backend_bus *bus)
{
	struct loop *loop = run.domain.loop;

	(void)bus;
	__atomic_fetch_add(&seen->quiesced, 1, __ATOMIC_SEQ_CST);
	if (busy == NEVER)
		return false;
	if (!busy)
		return true;
	busy--;
	loop_stop(loop); /* as if a queue had ended already */
	return false;
}

int domain_run(struct domain *d)
{
	if (poweroff)
		d->shutdown_reason = SHUTDOWN_poweroff;
	else
		loop_run(d->loop);
	return 0;
}

void domain_shutdown(struct domain *d, int reason)
{
	d->shutdown_reason = reason;
}

void domain_destroy(struct domain *d)
{
	(void)d;
	seen->destroyed++;
}

void console_close(struct console *con)
{
	(void)con;
	seen->console_closed++;
}

void rundir_remove(struct rundir *dir)
{
	(void)dir;
	seen->dir_removed++;
}

int xst_read(struct xst_conn *conn, uint32_t tx, const char *path, char **value, size_t *len)
{
	(void)conn;
	(void)tx;
	(void)path;
	(void)value;
	(void)len;
	return -ENOENT;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

int config_parse(int argc, char **argv, struct config *config)
{
	return 0;
}

void config_free(struct config *config)
{
}

int kvm_open(struct kvm *kvm)
{
	return 0;
}

void kvm_close(struct kvm *kvm)
{
}

int backends_open(const struct config *config, struct backend_bus **bus)
{
	return 0;
}

void backends_destroy(struct backend_bus *bus)
{
}

int console_open(const struct config *config, struct console **con)
{
	return 0;
}

const char *console_pty(const struct console *con)
{
	return NULL;
}

int boot_open(const struct config *config, struct boot *boot)
{
	return 0;
}

void boot_close(struct boot *boot)
{
}

int domain_create(struct domain *d, struct boot *boot, struct backend_bus *bus,
		  struct console *console)
{
	return 0;
}

int domain_request_shutdown(struct domain *d, const char *how)
{
	return 0;
}

struct xst_conn *xenstore_service_conn(const struct domain *d)
{
	return NULL;
}

int report_check(const char *path)
{
	return 0;
}

int report_write(const struct domain *d, const char *path)
{
	return 0;
}

const char *report_shutdown_name(int reason)
{
	return "crash";
}

int report_socket_open(struct report_socket *s, const struct domain *d)
{
	return 0;
}

void report_socket_close(struct report_socket *s)
{
}

int rundir_create(struct rundir *dir, const char *name, domid_t *domid)
{
	return 0;
}

uint64_t stats_elapsed_ns(void)
{
	return 0;
}

int vcpu_process_init(void)
{
	return 0;
}

#pragma GCC diagnostic pop

/* ---- tests ---- */

static int setup(void **state)
{
	(void)state;
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return seen == MAP_FAILED;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(seen, sizeof(*seen));
}

/* The process of a run, which tells its status by how it ends */
static pid_t start(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	alarm(20);
	_exit(run_domain(&run));
}

static void sleep_ms(unsigned int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static void wait_until_draining(void)
{
	for (int i = 0; i < 10000 && !__atomic_load_n(&seen->quiesced, __ATOMIC_SEQ_CST); i++)
		sleep_ms(1);
	assert_true(seen->quiesced);
}

/* Status of a process that ends within @seconds */
static int status_within(pid_t pid, double seconds)
{
	int status;

	for (int ms = 0; ms < seconds * 1000; ms += 10) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		sleep_ms(10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -SIGKILL;
}

static void left_in_order(unsigned int destroyed)
{
	assert_int_equal(seen->destroyed, destroyed);
	assert_int_equal(seen->console_closed, !destroyed);
	assert_int_equal(seen->dir_removed, 1);
}

/* Nothing is in flight, or it comes to an end: the guest's memory is given back after that. */
static void test_storage_answers(void **state)
{
	(void)state;
	poweroff = true;
	for (busy = 0; busy < 3; busy++) {
		memset(seen, 0, sizeof(*seen));
		assert_int_equal(status_within(start(), 10), EXIT_DONE);
		assert_int_equal(seen->quiesced, busy + 1);
		left_in_order(1);
	}
}

/* Two signals end a guest, its storage may stall as it likes. */
static void test_killed(void **state)
{
	pid_t pid;

	(void)state;
	poweroff = false;
	busy = NEVER;
	pid = start();
	/* Before the mask is set one is enough. */
	sleep_ms(500);
	kill(pid, SIGTERM);
	sleep_ms(200);
	assert_int_equal(seen->quiesced, 0);
	kill(pid, SIGTERM);
	assert_int_equal(status_within(pid, DRAIN_SECONDS + 3), EXIT_GUEST);
	left_in_order(0);
}

/* The guest is gone already: one signal is heard, the second does not wait. */
static void test_signals_while_draining(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	poweroff = true;
	busy = NEVER;
	pid = start();
	wait_until_draining();
	sleep_ms(1000 * DRAIN_SECONDS + 500);
	kill(pid, SIGTERM);
	sleep_ms(300);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGTERM);
	assert_int_equal(status_within(pid, 3), EXIT_GUEST);
	left_in_order(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_storage_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signals_while_draining, setup, teardown),
	};

	return cmocka_run_group_tests_name("cmd_run", tests, NULL, NULL);
}
