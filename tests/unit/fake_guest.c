// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/fake_guest.h"

#include "hv/loop.c"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "hv/evtchn.h"
#include "hv/gnttab.h"
#include "hv/mem.h"
#include "hv/xenstore_service.h"

#define DOMID 1

struct fake_guest *fake;

/* ---- grant table: any thread ---- */

int gnttab_map(struct domain *d, grant_ref_t ref, bool write, void **page)
{
	(void)d;
	if (ref >= FAKE_PAGES)
		return -EINVAL;
	if (fake->grant[ref] == GRANT_NONE || (write && fake->grant[ref] != GRANT_WRITE))
		return -EPERM;
	__atomic_add_fetch(&fake->mapped[ref], 1, __ATOMIC_RELAXED);
	*page = fake->page[ref];
	return 0;
}

void gnttab_unmap(struct domain *d, grant_ref_t ref, bool write)
{
	(void)d;
	(void)write;
	assert_true(__atomic_fetch_sub(&fake->mapped[ref], 1, __ATOMIC_RELAXED) > 0);
}

void gnttab_preset(struct domain *d, grant_ref_t ref, gfn_t gfn)
{
	(void)d;
	(void)ref;
	(void)gfn;
}

void *mem_range(const struct domain *d, gpa_t gpa, size_t len)
{
	(void)d;
	return gpa + len <= FAKE_PAGES * PAGE_SIZE ? (uint8_t *)fake->page + gpa : NULL;
}

/* ---- event channels: any thread ---- */

struct evtchn_peer {
	evtchn_port_t port;
	int kick;
};

static pthread_mutex_t ports_lock = PTHREAD_MUTEX_INITIALIZER;

int evtchn_peer_bind(struct domain *d, evtchn_port_t port, int kick_fd, struct evtchn_peer **peer)
{
	struct evtchn_peer *p;

	(void)d;
	if (port >= FAKE_PORTS)
		return -EINVAL;
	if (fake->port[port])
		return -ENOENT;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->port = port;
	p->kick = kick_fd;
	pthread_mutex_lock(&ports_lock);
	fake->port[port] = p;
	pthread_mutex_unlock(&ports_lock);
	*peer = p;
	return 0;
}

void evtchn_peer_notify(struct evtchn_peer *peer)
{
	__atomic_add_fetch(&fake->notified[peer->port], 1, __ATOMIC_RELEASE);
}

void evtchn_peer_unbind(struct evtchn_peer *peer)
{
	pthread_mutex_lock(&ports_lock);
	fake->port[peer->port] = NULL;
	pthread_mutex_unlock(&ports_lock);
	free(peer);
}

void fake_send(evtchn_port_t port)
{
	pthread_mutex_lock(&ports_lock);
	if (fake->port[port])
		assert_int_equal(eventfd_write(fake->port[port]->kick, 1), 0);
	pthread_mutex_unlock(&ports_lock);
}

/* ---- event loop ---- */

/* How many sources were added and not deleted, the loop's own one left out */
static unsigned int loop_sources(const struct loop *loop)
{
	char path[64], line[256];
	unsigned int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", loop->epoll_fd);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += !strncmp(line, "tfd:", 4);
	fclose(f);
	return n - 1;
}

void fake_pump(int ms)
{
	struct loop *loop = fake->domain.loop;

	xst_store_dispatch(fake->store);
	assert_int_equal(loop_round(loop, ms), 0);
	fake->loop_stopped = loop->stop;
	loop->stop = false;
	xst_store_dispatch(fake->store);
}

void fake_wait(bool (*cond)(void *arg), void *arg, const char *what)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (!cond(arg)) {
		fake_pump(1);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - start.tv_sec) * 1000 > FAKE_TIMEOUT_MS)
			fail_msg("timeout: %s", what);
	}
}

/* ---- XenStore ---- */

/* The real one takes its place where that is tested. */
__attribute__((weak)) struct xst_conn *xenstore_service_conn(const struct domain *d)
{
	(void)d;
	return fake->dom0;
}

static void front_path(char *path, size_t n, const char *type, unsigned int id, const char *key)
{
	snprintf(path, n, "/local/domain/%u/device/%s/%u/%s", DOMID, type, id, key);
}

void fake_write(const char *type, unsigned int id, const char *key, const char *fmt, ...)
{
	char path[128], value[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	front_path(path, sizeof(path), type, id, key);
	assert_int_equal(xst_write(fake->conn, XST_NO_TX, path, value, strlen(value)), 0);
}

void fake_state(const char *type, unsigned int id, unsigned int state)
{
	fake_write(type, id, "state", "%u", state);
}

long long fake_back_read(const char *type, unsigned int id, const char *key)
{
	uint64_t value;
	char dir[96];

	snprintf(dir, sizeof(dir), "/local/domain/0/backend/%s/%u/%u", type, DOMID, id);
	return xst_read_u64(fake->conn, XST_NO_TX, dir, key, &value) ? -1 : (long long)value;
}

struct awaited {
	const char *type;
	unsigned int id, state;
};

static bool in_state(void *arg)
{
	const struct awaited *a = arg;

	return fake_back_read(a->type, a->id, "state") == a->state;
}

void fake_wait_back(const char *type, unsigned int id, unsigned int state)
{
	struct awaited a = { type, id, state };
	char what[64];

	snprintf(what, sizeof(what), "%s %u state %u", type, id, state);
	fake_wait(in_state, &a, what);
}

bool fake_has_error(const char *type, unsigned int id)
{
	char path[128];

	snprintf(path, sizeof(path), "/local/domain/0/error/backend/%s/%u/%u/error", type, DOMID,
		 id);
	return xst_exists(fake->dom0, XST_NO_TX, path) == 1;
}

/* ---- life ---- */

int fake_setup(void **state)
{
	const struct xst_perm perms[] = { { 0, XST_PERM_NONE }, { DOMID, XST_PERM_READ } };

	(void)state;
	fake = calloc(1, sizeof(*fake));
	fake->page = aligned_alloc(PAGE_SIZE, FAKE_PAGES * PAGE_SIZE);
	memset(fake->page, 0, FAKE_PAGES * PAGE_SIZE);
	fake->domain.domid = DOMID;
	fake->domain.config = &fake->config;
	fake->domain.loop = loop_new();
	fake->store = xst_store_new(NULL, NULL, NULL);
	fake->dom0 = xst_conn_new(fake->store, 0, NULL, NULL);
	fake->conn = xst_conn_new(fake->store, DOMID, NULL, NULL);
	assert_int_equal(xst_mkdir(fake->dom0, XST_NO_TX, "/local/domain/1"), 0);
	return xst_set_perms(fake->dom0, XST_NO_TX, "/local/domain/1", perms, 2);
}

unsigned int fake_in_use(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < FAKE_PAGES; i++)
		n += __atomic_load_n(&fake->mapped[i], __ATOMIC_RELAXED);
	for (i = 0; i < FAKE_PORTS; i++)
		n += fake->port[i] != NULL;
	return n;
}

int fake_teardown(void **state)
{
	(void)state;
	assert_int_equal(fake_in_use(), 0);
	assert_int_equal(loop_sources(fake->domain.loop), 0);
	assert_null(fake->domain.loop->posted);
	xst_store_free(fake->store);
	loop_free(fake->domain.loop);
	free(fake->page);
	free(fake);
	return 0;
}
