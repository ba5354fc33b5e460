/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests that run here, for list, info and top: Paravane's own on a Linux host, Xen's in a
 * domain 0. Either way a guest is a JSON object; every one has
 *
 *   name, domid, memory_bytes, max_memory_bytes (not Xen's domain 0), vcpus, cpu_seconds
 *   state	"running", "blocked", "paused", "shutdown", "crashed", "dying", "runnable"; "silent"
 *		(does not answer, or not yet, or no more) where only the run directory tells of a
 *		guest, and then nothing but name, domid and pid is known
 *
 * Paravane's also have the other members of hv/report.h. Xen's have type ("hvm", "pvh", "pv"),
 * uuid and, from guests_find(), devices.
 */
#ifndef HV_GUESTS_H
#define HV_GUESTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/** guests_are_xens - true in the domain that controls a Xen host */
bool guests_are_xens(void);

/** guests_list - all guests, by domain id; a new reference, or NULL after printing one line */
json_t *guests_list(void);

/**
 * guests_find - the guest called @name, or with the domain id @name, and all that can be known of it
 *
 * Return: a new reference, or NULL after printing one line.
 */
json_t *guests_find(const char *name);

/**
 * guests_only - @list cut down to the guest called @name, or with that domain id
 *
 * Takes @list over. Return: a new reference, or NULL after printing one line.
 */
json_t *guests_only(json_t *list, const char *name);

/* What each kind of host has to say; guests_xen_details() adds what a list does not show. */
json_t *guests_kvm_list(void);
json_t *guests_xen_list(void);
void guests_xen_details(json_t *guest);

/* ---- printing, as xl does ---- */

#define GUESTS_STATE_LEN 7

/** guests_state_letters - "r-----", "-b----", ...; @letters, filled in */
const char *guests_state_letters(const json_t *guest, char letters[GUESTS_STATE_LEN]);

/** guests_number - the number @key, 0 if there is none */
double guests_number(const json_t *guest, const char *key);

/** guests_mib - the number @key of bytes in whole MiB, 0 if there is none */
unsigned long guests_mib(const json_t *guest, const char *key);

/** guests_text - the string @key, "-" if there is none */
const char *guests_text(const json_t *guest, const char *key);

/** guests_exit_reasons - of KVM's counters (or NULL) those that tell why a vCPU left the guest; a new reference */
json_t *guests_exit_reasons(json_t *kvm);

/** guests_print_counts - "name number, name number, ...", the largest first */
void guests_print_counts(FILE *f, const json_t *counts);

#endif /* HV_GUESTS_H */
