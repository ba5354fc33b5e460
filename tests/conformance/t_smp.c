// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

static evtchn_port_t to_ap, to_bsp;

/* On vCPU 1: answers an interprocessor event with another one, and ends the other vCPU's poll */
void ap_main(void)
{
	struct xen_hvm_evtchn_upcall_vector u = { .vcpu = 1, .vector = VECTOR_AP };
	unsigned int seen;

	machine_init_ap();
	hvm_op(HVMOP_set_evtchn_upcall_vector, &u);
	sti();
	seen = ap_upcalls;
	ap_is_up = true;
	while (ap_upcalls == seen)
		__asm__ volatile("pause");
	evtchn_op(EVTCHNOP_send, &(struct evtchn_send){ .port = to_bsp });
	for (;;)
		__asm__ volatile("hlt");
}

void test_smp(void)
{
	volatile struct vcpu_info *ap_info =
		(void *)(scratch[2] + 128); /* test_vcpu() put it there */
	struct evtchn_bind_ipi b = { .vcpu = 1 };
	struct sched_poll p = { .nr_ports = 1 };
	unsigned int seen;

	evtchn_op(EVTCHNOP_bind_ipi, &b);
	to_ap = b.port;
	b.vcpu = 0;
	evtchn_op(EVTCHNOP_bind_ipi, &b);
	to_bsp = b.port;
	consume();
	start_ap();
	check_true("second vCPU: started", wait_for(&ap_is_up));
	ap_info->evtchn_pending_sel = 0;
	ap_info->evtchn_upcall_pending = 0;
	seen = upcalls;
	check("second vCPU: send it an event",
	      evtchn_op(EVTCHNOP_send, &(struct evtchn_send){ .port = to_ap }), 0);
	check_true("second vCPU: answers", wait_upcalls(seen) && port_pending(to_bsp));
	check_true("second vCPU: in the vcpu_info it registered", ap_info->evtchn_upcall_pending);

	/* A port that is pending already ends a poll; so does one that becomes so meanwhile */
	p.ports.p = &to_bsp;
	check("second vCPU: poll ends", sched_op(SCHEDOP_poll, &p), 0);
}
