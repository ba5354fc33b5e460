// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

static long param(unsigned int op, domid_t dom, unsigned int index, uint64_t *value)
{
	struct xen_hvm_param p = { .domid = dom, .index = index, .value = *value };
	long ret = hvm_op(op, &p);

	*value = p.value;
	return ret;
}

static void params(void)
{
	uint64_t v = 0;

	check("get_param STORE_PFN", param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_STORE_PFN, &v),
	      0);
	check("get_param CONSOLE_PFN",
	      param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_CONSOLE_PFN, &v), 0);
	check("get_param STORE_EVTCHN", param(HVMOP_get_param, domid, HVM_PARAM_STORE_EVTCHN, &v),
	      0);
	check_true("get_param STORE_EVTCHN: a port", v && v < 4096);
	check("get_param CONSOLE_EVTCHN",
	      param(HVMOP_get_param, domid, HVM_PARAM_CONSOLE_EVTCHN, &v), 0);
	check("get_param: domain 0", param(HVMOP_get_param, 0, HVM_PARAM_STORE_PFN, &v),
	      -XEN_EPERM);
	check("get_param: no such domain", param(HVMOP_get_param, 99, HVM_PARAM_STORE_PFN, &v),
	      -XEN_ESRCH);
	check("get_param: wild index", param(HVMOP_get_param, DOMID_SELF, 0x80000000, &v),
	      -XEN_EINVAL);
	check("get_param: the builder's",
	      param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_IDENT_PT, &v), -XEN_EPERM);
	check("get_param: a deprecated one", param(HVMOP_get_param, DOMID_SELF, 4, &v),
	      -XEN_EINVAL);

	v = 4;
	check("set_param X87_FIP_WIDTH",
	      param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_X87_FIP_WIDTH, &v), 0);
	v = 3;
	check("set_param X87_FIP_WIDTH: bad value",
	      param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_X87_FIP_WIDTH, &v), -XEN_EINVAL);
	check("set_param: read-only", param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_STORE_PFN, &v),
	      -XEN_EPERM);
	check("set_param: domain 0", param(HVMOP_set_param, 0, HVM_PARAM_X87_FIP_WIDTH, &v),
	      -XEN_EPERM);
	check("set_param: no such domain", param(HVMOP_set_param, 99, HVM_PARAM_X87_FIP_WIDTH, &v),
	      -XEN_ESRCH);
	check("set_param: wild index", param(HVMOP_set_param, DOMID_SELF, HVM_NR_PARAMS, &v),
	      -XEN_EINVAL);
}

#define CALLBACK_VECTOR 0x42

static volatile unsigned int callbacks;

/* Such an interrupt has no LAPIC, hence no EOI; it goes away with upcall_pending */
static void callback(void)
{
	callbacks++;
	shared.vcpu_info[0].evtchn_upcall_pending = 0;
}

/* The vector for all vCPUs that needs no LAPIC: KVM's Xen support or nothing */
static void callback_vector(void)
{
	struct evtchn_bind_ipi b = { .vcpu = 0 };
	uint64_t v = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | CALLBACK_VECTOR;
	struct xen_hvm_get_time xen;
	uint64_t before, after;

	set_handler(CALLBACK_VECTOR, callback);
	if (transport == BY_PORT) {
		check("set_param CALLBACK_IRQ: vector, without KVM's Xen support",
		      param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), -XEN_ENOSYS);
		return;
	}
	check("set_param CALLBACK_IRQ: vector",
	      param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), 0);
	evtchn_op(EVTCHNOP_bind_ipi, &b);
	consume();
	callbacks = 0;
	evtchn_op(EVTCHNOP_send, &(struct evtchn_send){ .port = b.port });
	sti();
	__asm__ volatile("nop; nop");
	cli();
	check("set_param CALLBACK_IRQ: raised once", callbacks, 1);
	/* However long each of them takes */
	before = now_ns(&shared.vcpu_info[0].time);
	hvm_op(HVMOP_get_time, &xen);
	after = now_ns(&shared.vcpu_info[0].time);
	check_true("set_param CALLBACK_IRQ: KVM's time is within a millisecond of ours",
		   (int64_t)(xen.now - before) > -1000000 && (int64_t)(xen.now - after) < 1000000);
	v = 0;
	check("set_param CALLBACK_IRQ: none",
	      param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), 0);
	consume();
	callbacks = 0;
	evtchn_op(EVTCHNOP_send, &(struct evtchn_send){ .port = b.port });
	consume();
	check("set_param CALLBACK_IRQ: none, not raised", callbacks, 0);
	evtchn_op(EVTCHNOP_close, &(struct evtchn_close){ .port = b.port });
}

static void upcall_vector(void)
{
	struct xen_hvm_evtchn_upcall_vector u = { .vcpu = 0, .vector = VECTOR };
	unsigned int seen = upcalls;
	uint64_t v = 1;

	check("set_evtchn_upcall_vector", hvm_op(HVMOP_set_evtchn_upcall_vector, &u), 0);
	check_true("set_evtchn_upcall_vector: raises it once", wait_upcalls(seen));
	u.vector = 0xf;
	check("set_evtchn_upcall_vector: exception vector",
	      hvm_op(HVMOP_set_evtchn_upcall_vector, &u), -XEN_EINVAL);
	u = (struct xen_hvm_evtchn_upcall_vector){ .vcpu = 99, .vector = VECTOR };
	check("set_evtchn_upcall_vector: no such vCPU", hvm_op(HVMOP_set_evtchn_upcall_vector, &u),
	      -XEN_ENOENT);
	check("set_param CALLBACK_IRQ: a line, after vectors",
	      param(HVMOP_set_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), 0);
	v = 0;
	check("get_param CALLBACK_IRQ",
	      param(HVMOP_get_param, DOMID_SELF, HVM_PARAM_CALLBACK_IRQ, &v), 0);
	check("get_param CALLBACK_IRQ: as set", v, 1);
}

void test_hvm(void)
{
	static const struct {
		const char *name;
		unsigned int cmd;
	} ops[] = {
		{ "set_param: bad pointer", HVMOP_set_param },
		{ "get_param: bad pointer", HVMOP_get_param },
		{ "set_evtchn_upcall_vector: bad pointer", HVMOP_set_evtchn_upcall_vector },
		{ "pagetable_dying: bad pointer", HVMOP_pagetable_dying },
		{ "get_time: bad pointer", HVMOP_get_time },
		{ "get_mem_type: bad pointer", HVMOP_get_mem_type },
	};
	struct xen_hvm_get_mem_type t = { .domid = DOMID_SELF, .pfn = 0x100 };
	struct xen_hvm_pagetable_dying d = { .domid = DOMID_SELF };
	struct xen_hvm_get_time a = { 0 }, b = { 0 };

	params();
	callback_vector();
	upcall_vector();
	check("get_mem_type", hvm_op(HVMOP_get_mem_type, &t), 0);
	check("get_mem_type: RAM", t.mem_type, HVMMEM_ram_rw);
	t.pfn = NOT_RAM / PAGE_SIZE;
	hvm_op(HVMOP_get_mem_type, &t);
	check("get_mem_type: no RAM", t.mem_type, HVMMEM_mmio_dm);
	t.domid = 99;
	check("get_mem_type: no such domain", hvm_op(HVMOP_get_mem_type, &t), -XEN_ESRCH);
	check("get_time", hvm_op(HVMOP_get_time, &a), 0);
	hvm_op(HVMOP_get_time, &b);
	check_true("get_time: goes on", b.now > a.now);
	check("pagetable_dying", hvm_op(HVMOP_pagetable_dying, &d), -XEN_EINVAL);
	d.domid = 99;
	check("pagetable_dying: no such domain", hvm_op(HVMOP_pagetable_dying, &d), -XEN_ESRCH);
	check("hvm_op: unknown command", hvm_op(99, &d), -XEN_ENOSYS);
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		check_bad_pointers(ops[i].name, __HYPERVISOR_hvm_op, ops[i].cmd, 0);
}
