// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

unsigned char shared_info_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
volatile grant_entry_v1_t grants[PAGE_SIZE / sizeof(grant_entry_v1_t)]
	__attribute__((aligned(PAGE_SIZE)));
unsigned char scratch[4][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static unsigned int failed;

/* A verdict's name is one word: "send: wild port" is send/wild-port */
static void say_name(const char *name)
{
	char word[80];
	size_t n = 0;

	for (; *name && n < sizeof(word) - 1; name++) {
		if (name[0] == ':' && name[1] == ' ') {
			word[n++] = '/';
			name++;
		} else {
			word[n++] = *name == ' ' ? '-' : *name;
		}
	}
	word[n] = '\0';
	say(word);
}

void check(const char *name, long got, long want)
{
	say(got == want ? "PASS " : "FAIL ");
	say_name(name);
	if (got != want) {
		failed++;
		say(": got ");
		say_number(got);
		say(" want ");
		say_number(want);
	}
	say("\n");
}

void check_true(const char *name, bool ok)
{
	check(name, ok, true);
}

void check_bad_pointers(const char *name, unsigned long nr, unsigned long cmd, unsigned long count)
{
	static const unsigned long bad[] = { UNMAPPED, NOT_RAM, NOT_CANONICAL, ~0ul };
	long got = -XEN_EFAULT;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad) && got == -XEN_EFAULT; i++)
		got = nr == __HYPERVISOR_vcpu_op ? hypercall(nr, cmd, 0, bad[i]) :
						   hypercall(nr, cmd, bad[i], count);
	check(name, got, -XEN_EFAULT);
}

bool port_pending(evtchn_port_t port)
{
	return shared.evtchn_pending[port / 64] >> port % 64 & 1;
}

/*
 * Forget all events. An upcall that comes meanwhile is of one that was half forgotten, and one that the
 * LAPIC still holds would be taken for the next event's.
 */
void consume(void)
{
	unsigned int seen;

	do {
		seen = upcalls;
		for (unsigned int i = 0; i < VCPUS; i++) {
			shared.vcpu_info[i].evtchn_upcall_pending = 0;
			shared.vcpu_info[i].evtchn_pending_sel = 0;
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(shared.evtchn_pending); i++)
			shared.evtchn_pending[i] = 0;
		sti();
		__asm__ volatile("nop; nop");
		cli();
	} while (upcalls != seen);
}

static void (*const groups[])(void) = {
	test_version, test_memory, test_hvm, test_evtchn, test_gnttab, test_vcpu, test_sched,
	test_misc,    test_user,   test_smp, test_moves,  test_updown, test_fifo,
};

void main(void);

void main(void)
{
	struct sched_shutdown shutdown = { .reason = SHUTDOWN_poweroff };

	machine_init();
	for (unsigned int i = 0; i < ARRAY_SIZE(groups); i++)
		groups[i]();
	say("paravane-mark: done\n");
	if (failed)
		shutdown.reason = SHUTDOWN_crash;
	sched_op(SCHEDOP_shutdown, &shutdown);
}
