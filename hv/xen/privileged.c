// SPDX-License-Identifier: GPL-2.0-or-later
#define __XEN_TOOLS__ /* whom the public headers tell about these */

#include "hv/xen/privileged.h"

#include <errno.h>

#include "hv/hypercall.h"
#include "hv/mem.h"
#include "hv/vcpu.h"

#include <xen-public/domctl.h>
#include <xen-public/platform.h>
#include <xen-public/sysctl.h>

/** struct header - what the structures of all of them begin with; @domid: of a domctl */
struct header {
	uint32_t cmd, interface_version;
	domid_t domid;
};

static long refuse(struct vcpu *v, gva_t arg, uint32_t version, struct header *op)
{
	if (mem_read_gva(v, op, arg, sizeof(*op)))
		return -EFAULT;
	return op->interface_version == version ? -EPERM : -EACCES;
}

long privileged_sysctl(struct vcpu *v, const uint64_t *arg)
{
	struct header op;

	return refuse(v, arg[0], XEN_SYSCTL_INTERFACE_VERSION, &op);
}

long privileged_domctl(struct vcpu *v, const uint64_t *arg)
{
	struct header op;
	long err = refuse(v, arg[0], XEN_DOMCTL_INTERFACE_VERSION, &op);

	if (err == -EPERM && hypercall_check_domid(v->domain, op.domid) == -ESRCH)
		err = -ESRCH;
	return err;
}

long privileged_platform_op(struct vcpu *v, const uint64_t *arg)
{
	struct header op;

	return refuse(v, arg[0], XENPF_INTERFACE_VERSION, &op);
}
