// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/guests.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hv/log.h"
#include "hv/types.h"

/* Linux has this device in domain 0 only. */
#define DOM0_DEVICE "/sys/class/misc/xen!xenbus_backend"

bool guests_are_xens(void)
{
	return !access(DOM0_DEVICE, F_OK);
}

json_t *guests_list(void)
{
	return guests_are_xens() ? guests_xen_list() : guests_kvm_list();
}

/* Of @list the one of that name or else that domain id; borrowed, or NULL */
static json_t *pick(const json_t *list, const char *name)
{
	json_t *guest;
	char *end;
	long id = strtol(name, &end, 10);
	size_t i;

	json_array_foreach(list, i, guest)
	{
		if (!strcmp(guests_text(guest, "name"), name))
			return guest;
	}
	if (*end || end == name)
		return NULL;
	json_array_foreach(list, i, guest)
	{
		if (json_integer_value(json_object_get(guest, "domid")) == id)
			return guest;
	}
	return NULL;
}

json_t *guests_only(json_t *list, const char *name)
{
	json_t *guest = pick(list, name), *only;

	if (!guest)
		pr_err("no guest \"%s\" is running (see paravane list)", name);
	only = guest ? json_pack("[O]", guest) : NULL;
	json_decref(list);
	return only;
}

json_t *guests_find(const char *name)
{
	json_t *list = guests_list(), *guest;

	list = list ? guests_only(list, name) : NULL;
	if (!list)
		return NULL;
	guest = json_incref(json_array_get(list, 0));
	json_decref(list);
	if (guests_are_xens())
		guests_xen_details(guest);
	return guest;
}

const char *guests_state_letters(const json_t *guest, char letters[GUESTS_STATE_LEN])
{
	static const char *const states[] = {
		"running", "blocked", "paused", "shutdown", "crashed", "dying",
	};
	const char *state = guests_text(guest, "state");

	memset(letters, '-', GUESTS_STATE_LEN - 1);
	letters[GUESTS_STATE_LEN - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		if (!strcmp(state, states[i]))
			letters[i] = *state;
	}
	return letters;
}

double guests_number(const json_t *guest, const char *key)
{
	return json_number_value(json_object_get(guest, key));
}

unsigned long guests_mib(const json_t *guest, const char *key)
{
	return json_integer_value(json_object_get(guest, key)) >> 20;
}

const char *guests_text(const json_t *guest, const char *key)
{
	const char *text = json_string_value(json_object_get(guest, key));

	return text ? text : "-";
}

json_t *guests_exit_reasons(json_t *kvm)
{
	static const char suffix[] = "_exits";
	static const char *const others[] = { "hypercalls", "insn_emulation", "pf_taken" };
	json_t *reasons = json_object(), *count;
	const char *name;

	json_object_foreach(kvm, name, count)
	{
		size_t len = strlen(name);
		bool is_reason = len > strlen(suffix) &&
				 !strcmp(name + len - strlen(suffix), suffix);

		for (size_t i = 0; i < ARRAY_SIZE(others); i++)
			is_reason |= !strcmp(name, others[i]);
		if (is_reason)
			json_object_set(reasons, name, count);
	}
	return reasons;
}

struct count {
	const char *name;
	double value;
};

static int by_value(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return (y->value > x->value) - (y->value < x->value);
}

void guests_print_counts(FILE *f, const json_t *counts)
{
	size_t n = 0, size = json_object_size(counts);
	struct count *sorted = calloc(size + 1, sizeof(*sorted));
	const char *name;
	json_t *count;

	if (!sorted)
		return;
	/* Nothing is written through the iterator. */
	json_object_foreach((json_t *)counts, name, count)
		sorted[n++] = (struct count){ name, json_number_value(count) };
	qsort(sorted, n, sizeof(*sorted), by_value);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s%s %.0f", i ? ", " : "", sorted[i].name, sorted[i].value);
	free(sorted);
}
