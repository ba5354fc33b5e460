/* SPDX-License-Identifier: MIT */
/*
 * The binary interface, as asserted facts: size and offsets of every structure that hypervisor and
 * guest share. Compiled into both, so a header that differs from the one this was written against
 * stops the build instead of a guest. The values are those of Xen's 64-bit x86 ABI.
 */
#ifndef PARAVANE_ABI_CHECK_H
#define PARAVANE_ABI_CHECK_H

#include <paravane/xen.h>

#include <xen-public/io/blkif.h>
#include <xen-public/io/console.h>
#include <xen-public/io/netif.h>

#define PARAVANE_ABI_SIZE(type, size) _Static_assert(sizeof(type) == (size), "size of " #type)
#define PARAVANE_ABI_FIELD(type, field, offset) \
	_Static_assert(offsetof(type, field) == (offset), "offset of " #field " in " #type)

/* xen.h: shared_info and its parts */
PARAVANE_ABI_SIZE(struct vcpu_time_info, 32);
PARAVANE_ABI_FIELD(struct vcpu_time_info, version, 0);
PARAVANE_ABI_FIELD(struct vcpu_time_info, tsc_timestamp, 8);
PARAVANE_ABI_FIELD(struct vcpu_time_info, system_time, 16);
PARAVANE_ABI_FIELD(struct vcpu_time_info, tsc_to_system_mul, 24);
PARAVANE_ABI_FIELD(struct vcpu_time_info, tsc_shift, 28);

PARAVANE_ABI_SIZE(struct vcpu_info, 64);
PARAVANE_ABI_FIELD(struct vcpu_info, evtchn_upcall_pending, 0);
PARAVANE_ABI_FIELD(struct vcpu_info, evtchn_upcall_mask, 1);
PARAVANE_ABI_FIELD(struct vcpu_info, evtchn_pending_sel, 8);
PARAVANE_ABI_FIELD(struct vcpu_info, arch, 16);
PARAVANE_ABI_FIELD(struct vcpu_info, time, 32);

PARAVANE_ABI_FIELD(struct shared_info, vcpu_info, 0);
PARAVANE_ABI_FIELD(struct shared_info, evtchn_pending, 2048);
PARAVANE_ABI_FIELD(struct shared_info, evtchn_mask, 2560);
PARAVANE_ABI_FIELD(struct shared_info, wc_version, 3072);
PARAVANE_ABI_FIELD(struct shared_info, wc_sec, 3076);
PARAVANE_ABI_FIELD(struct shared_info, wc_nsec, 3080);
PARAVANE_ABI_FIELD(struct shared_info, wc_sec_hi, 3084);
PARAVANE_ABI_FIELD(struct shared_info, arch, 3088);
_Static_assert(sizeof(struct shared_info) <= 4096, "shared_info fits its page");
_Static_assert(EVTCHN_2L_NR_CHANNELS == 4096, "2-level event channels");

/* event_channel.h */
PARAVANE_ABI_SIZE(struct evtchn_alloc_unbound, 8);
PARAVANE_ABI_FIELD(struct evtchn_alloc_unbound, remote_dom, 2);
PARAVANE_ABI_FIELD(struct evtchn_alloc_unbound, port, 4);
PARAVANE_ABI_SIZE(struct evtchn_bind_interdomain, 12);
PARAVANE_ABI_FIELD(struct evtchn_bind_interdomain, remote_port, 4);
PARAVANE_ABI_FIELD(struct evtchn_bind_interdomain, local_port, 8);
PARAVANE_ABI_SIZE(struct evtchn_bind_virq, 12);
PARAVANE_ABI_FIELD(struct evtchn_bind_virq, port, 8);
PARAVANE_ABI_SIZE(struct evtchn_bind_ipi, 8);
PARAVANE_ABI_FIELD(struct evtchn_bind_ipi, port, 4);
PARAVANE_ABI_SIZE(struct evtchn_bind_vcpu, 8);
PARAVANE_ABI_FIELD(struct evtchn_bind_vcpu, vcpu, 4);
PARAVANE_ABI_SIZE(struct evtchn_close, 4);
PARAVANE_ABI_SIZE(struct evtchn_send, 4);
PARAVANE_ABI_SIZE(struct evtchn_unmask, 4);
PARAVANE_ABI_SIZE(struct evtchn_status, 24);
PARAVANE_ABI_FIELD(struct evtchn_status, port, 4);
PARAVANE_ABI_FIELD(struct evtchn_status, status, 8);
PARAVANE_ABI_FIELD(struct evtchn_status, vcpu, 12);
PARAVANE_ABI_FIELD(struct evtchn_status, u, 16);

/* grant_table.h */
PARAVANE_ABI_SIZE(struct grant_entry_v1, 8);
PARAVANE_ABI_FIELD(struct grant_entry_v1, flags, 0);
PARAVANE_ABI_FIELD(struct grant_entry_v1, domid, 2);
PARAVANE_ABI_FIELD(struct grant_entry_v1, frame, 4);
PARAVANE_ABI_SIZE(struct gnttab_map_grant_ref, 32);
PARAVANE_ABI_FIELD(struct gnttab_map_grant_ref, ref, 12);
PARAVANE_ABI_FIELD(struct gnttab_map_grant_ref, status, 18);
PARAVANE_ABI_FIELD(struct gnttab_map_grant_ref, handle, 20);
PARAVANE_ABI_FIELD(struct gnttab_map_grant_ref, dev_bus_addr, 24);
PARAVANE_ABI_SIZE(struct gnttab_unmap_grant_ref, 24);
PARAVANE_ABI_FIELD(struct gnttab_unmap_grant_ref, handle, 16);
PARAVANE_ABI_FIELD(struct gnttab_unmap_grant_ref, status, 20);
PARAVANE_ABI_SIZE(struct gnttab_setup_table, 24);
PARAVANE_ABI_FIELD(struct gnttab_setup_table, frame_list, 16);
PARAVANE_ABI_SIZE(struct gnttab_query_size, 16);
PARAVANE_ABI_FIELD(struct gnttab_query_size, nr_frames, 4);
PARAVANE_ABI_FIELD(struct gnttab_query_size, max_nr_frames, 8);
PARAVANE_ABI_FIELD(struct gnttab_query_size, status, 12);
PARAVANE_ABI_SIZE(struct gnttab_copy, 40);

/* memory.h */
PARAVANE_ABI_SIZE(struct xen_add_to_physmap, 24);
PARAVANE_ABI_FIELD(struct xen_add_to_physmap, size, 2);
PARAVANE_ABI_FIELD(struct xen_add_to_physmap, space, 4);
PARAVANE_ABI_FIELD(struct xen_add_to_physmap, idx, 8);
PARAVANE_ABI_FIELD(struct xen_add_to_physmap, gpfn, 16);
PARAVANE_ABI_SIZE(struct xen_remove_from_physmap, 16);
PARAVANE_ABI_FIELD(struct xen_remove_from_physmap, gpfn, 8);
PARAVANE_ABI_SIZE(struct xen_memory_reservation, 32);
PARAVANE_ABI_FIELD(struct xen_memory_reservation, nr_extents, 8);
PARAVANE_ABI_FIELD(struct xen_memory_reservation, extent_order, 16);
PARAVANE_ABI_FIELD(struct xen_memory_reservation, domid, 24);
PARAVANE_ABI_SIZE(struct xen_memory_map, 16);
PARAVANE_ABI_FIELD(struct xen_memory_map, buffer, 8);

/* hvm/hvm_op.h */
PARAVANE_ABI_SIZE(struct xen_hvm_param, 16);
PARAVANE_ABI_FIELD(struct xen_hvm_param, index, 4);
PARAVANE_ABI_FIELD(struct xen_hvm_param, value, 8);
PARAVANE_ABI_SIZE(struct xen_hvm_evtchn_upcall_vector, 8);
PARAVANE_ABI_FIELD(struct xen_hvm_evtchn_upcall_vector, vector, 4);

/* vcpu.h */
PARAVANE_ABI_SIZE(struct vcpu_register_vcpu_info, 16);
PARAVANE_ABI_FIELD(struct vcpu_register_vcpu_info, offset, 8);
PARAVANE_ABI_SIZE(struct vcpu_runstate_info, 48);
PARAVANE_ABI_FIELD(struct vcpu_runstate_info, state_entry_time, 8);
PARAVANE_ABI_FIELD(struct vcpu_runstate_info, time, 16);
PARAVANE_ABI_SIZE(struct vcpu_set_singleshot_timer, 16);
PARAVANE_ABI_FIELD(struct vcpu_set_singleshot_timer, flags, 8);
PARAVANE_ABI_SIZE(struct vcpu_register_runstate_memory_area, 8);
PARAVANE_ABI_SIZE(struct vcpu_register_time_memory_area, 8);

/* sched.h, version.h */
PARAVANE_ABI_SIZE(struct sched_shutdown, 4);
PARAVANE_ABI_SIZE(struct sched_poll, 24);
PARAVANE_ABI_FIELD(struct sched_poll, nr_ports, 8);
PARAVANE_ABI_FIELD(struct sched_poll, timeout, 16);
PARAVANE_ABI_SIZE(struct xen_feature_info, 8);
PARAVANE_ABI_FIELD(struct xen_feature_info, submap, 4);

/* io/xs_wire.h */
PARAVANE_ABI_SIZE(struct xsd_sockmsg, 16);
PARAVANE_ABI_FIELD(struct xsd_sockmsg, req_id, 4);
PARAVANE_ABI_FIELD(struct xsd_sockmsg, tx_id, 8);
PARAVANE_ABI_FIELD(struct xsd_sockmsg, len, 12);
PARAVANE_ABI_FIELD(struct xenstore_domain_interface, rsp, 1024);
PARAVANE_ABI_FIELD(struct xenstore_domain_interface, req_cons, 2048);
PARAVANE_ABI_FIELD(struct xenstore_domain_interface, req_prod, 2052);
PARAVANE_ABI_FIELD(struct xenstore_domain_interface, rsp_cons, 2056);
PARAVANE_ABI_FIELD(struct xenstore_domain_interface, rsp_prod, 2060);
PARAVANE_ABI_FIELD(struct xenstore_domain_interface, server_features, 2064);
PARAVANE_ABI_FIELD(struct xenstore_domain_interface, connection, 2068);
PARAVANE_ABI_FIELD(struct xenstore_domain_interface, error, 2072);

/* io/console.h */
PARAVANE_ABI_FIELD(struct xencons_interface, out, 1024);
PARAVANE_ABI_FIELD(struct xencons_interface, in_cons, 3072);
PARAVANE_ABI_FIELD(struct xencons_interface, in_prod, 3076);
PARAVANE_ABI_FIELD(struct xencons_interface, out_cons, 3080);
PARAVANE_ABI_FIELD(struct xencons_interface, out_prod, 3084);

/* io/blkif.h */
PARAVANE_ABI_SIZE(struct blkif_request_segment, 8);
PARAVANE_ABI_SIZE(struct blkif_request, 112);
PARAVANE_ABI_FIELD(struct blkif_request, handle, 2);
PARAVANE_ABI_FIELD(struct blkif_request, id, 8);
PARAVANE_ABI_FIELD(struct blkif_request, sector_number, 16);
PARAVANE_ABI_FIELD(struct blkif_request, seg, 24);
PARAVANE_ABI_SIZE(struct blkif_request_discard, 32);
PARAVANE_ABI_FIELD(struct blkif_request_discard, nr_sectors, 24);
PARAVANE_ABI_SIZE(struct blkif_request_indirect, 64);
PARAVANE_ABI_FIELD(struct blkif_request_indirect, nr_segments, 2);
PARAVANE_ABI_FIELD(struct blkif_request_indirect, id, 8);
PARAVANE_ABI_FIELD(struct blkif_request_indirect, sector_number, 16);
PARAVANE_ABI_FIELD(struct blkif_request_indirect, handle, 24);
PARAVANE_ABI_FIELD(struct blkif_request_indirect, indirect_grefs, 28);
PARAVANE_ABI_SIZE(struct blkif_response, 16);
PARAVANE_ABI_FIELD(struct blkif_response, operation, 8);
PARAVANE_ABI_FIELD(struct blkif_response, status, 10);
PARAVANE_ABI_SIZE(union blkif_sring_entry, 112);

/* io/netif.h */
PARAVANE_ABI_SIZE(struct netif_tx_request, 12);
PARAVANE_ABI_FIELD(struct netif_tx_request, offset, 4);
PARAVANE_ABI_FIELD(struct netif_tx_request, flags, 6);
PARAVANE_ABI_FIELD(struct netif_tx_request, id, 8);
PARAVANE_ABI_FIELD(struct netif_tx_request, size, 10);
PARAVANE_ABI_SIZE(struct netif_tx_response, 4);
PARAVANE_ABI_SIZE(struct netif_rx_request, 8);
PARAVANE_ABI_FIELD(struct netif_rx_request, gref, 4);
PARAVANE_ABI_SIZE(struct netif_rx_response, 8);
PARAVANE_ABI_FIELD(struct netif_rx_response, flags, 4);
PARAVANE_ABI_FIELD(struct netif_rx_response, status, 6);
PARAVANE_ABI_SIZE(struct netif_extra_info, 8);

#endif /* PARAVANE_ABI_CHECK_H */
