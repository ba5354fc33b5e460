// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The primary PV console (xen-public/io/console.h). It is older than xenbus: its ring and port
 * are in HVM parameters and there is no state to agree on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hv/console_core.h"
#include "hv/domain.h"
#include "hv/gnttab.h"
#include "hv/log.h"
#include "hv/mem.h"
#include "hv/xenstore_service.h"

#include <xen-public/io/console.h>

static int write_nodes(struct console *con)
{
	static const char *const output[] = {
		[CONSOLE_STDIO] = "stdio",
		[CONSOLE_PTY] = "pty",
		[CONSOLE_FILE] = "file",
		[CONSOLE_NONE] = "none",
	};
	const struct domain *d = con->domain;
	struct xst_conn *conn = xenstore_service_conn(d);
	char dir[XST_HOME_MAX + 16];
	int err;

	xst_domain_home(d->domid, dir);
	snprintf(dir + strlen(dir), 16, "/console");
	err = xst_printf(conn, XST_NO_TX, dir, "ring-ref", "%llu",
			 (unsigned long long)d->console_gfn);
	if (!err)
		err = xst_printf(conn, XST_NO_TX, dir, "port", "%u", d->console_port);
	if (!err)
		err = xst_printf(conn, XST_NO_TX, dir, "type", "xenconsoled");
	if (!err)
		err = xst_printf(conn, XST_NO_TX, dir, "limit", "%u", CONSOLE_BUFFER);
	if (!err)
		err = xst_printf(conn, XST_NO_TX, dir, "output", "%s", output[con->outside.type]);
	if (!err && console_pty(con))
		err = xst_printf(conn, XST_NO_TX, dir, "tty", "%s", console_pty(con));
	return err;
}

int pv_start(struct console *con)
{
	struct domain *d = con->domain;
	struct xencons_interface *intf = mem_page(d, d->console_gfn);
	int err;

	if (!intf)
		return -EINVAL;
	err = stream_reader_attach(&con->from_guest, intf->out, sizeof(intf->out), &intf->out_cons,
				   &intf->out_prod);
	if (!err)
		err = stream_writer_attach(&con->to_guest, intf->in, sizeof(intf->in),
					   &intf->in_cons, &intf->in_prod);
	if (!err)
		err = write_nodes(con);
	if (!err)
		err = evtchn_peer_bind(d, d->console_port, con->kick.fd, &con->peer);
	if (!err)
		gnttab_preset(d, GNTTAB_RESERVED_CONSOLE, d->console_gfn);
	return err;
}

void pv_stop(struct console *con)
{
	if (!con->peer)
		return;
	evtchn_peer_unbind(con->peer);
	con->peer = NULL;
	con->pv_used = false;
}

/* The guest broke its console: it loses that, nothing else. */
static void pv_broken(struct console *con)
{
	pr_warn("PV console: the guest broke its ring; console closed");
	pv_stop(con);
}

bool pv_drain(struct console *con)
{
	size_t room = console_room(con);
	char buf[2048];
	int n;

	if (!con->peer)
		return false;
	n = stream_read(&con->from_guest, buf, room < sizeof(buf) ? room : sizeof(buf));
	if (n > 0) {
		con->pv_used = true;
		console_append(con, buf, n);
		evtchn_peer_notify(con->peer);
		n = stream_readable(&con->from_guest);
	} else if (!n) {
		n = stream_readable(&con->from_guest);
	}
	if (n < 0)
		pv_broken(con);
	return n > 0;
}

size_t pv_type(struct console *con, const void *buf, size_t n)
{
	int done;

	if (!con->peer)
		return n;
	done = stream_write(&con->to_guest, buf, n);
	if (done < 0) {
		pv_broken(con);
		return n;
	}
	if (done)
		evtchn_peer_notify(con->peer);
	return done;
}
