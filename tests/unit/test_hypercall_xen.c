// SPDX-License-Identifier: GPL-2.0-or-later
/* Hypercalls that no module of ours makes: hv/xen/ has them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hv/hypercall.h"
#include "hv/mem.h"
#include "hv/vcpu_abi.h"
#include "tests/unit/fake_domain.h"

/* A guest's way to find out which version of it a hypervisor has is to try one after the other. */
static void test_privileged(void **state)
{
	static const struct {
		unsigned int nr;
		uint32_t version;
	} ops[] = {
		{ __HYPERVISOR_sysctl, 0x15 },
		{ __HYPERVISOR_domctl, 0x15 },
		{ __HYPERVISOR_platform_op, 0x03000001 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(ops) * 2; i++) {
		unsigned int nr = ops[i / 2].nr;
		uint32_t *op = fake_ram(FAKE_ARG);

		fake->run[0].s.regs.sregs.cs.l = i % 2;
		op[0] = 1;
		op[1] = ops[i / 2].version;
		op[2] = fake->d.domid;
		assert_int_equal(fake_call(nr, FAKE_ARG, 0, 0), -EPERM);
		op[2] = 99;
		assert_int_equal(fake_call(nr, FAKE_ARG, 0, 0),
				 nr == __HYPERVISOR_domctl ? -ESRCH : -EPERM);
		op[1]--;
		assert_int_equal(fake_call(nr, FAKE_ARG, 0, 0), -EACCES);
		assert_int_equal(fake_call(nr, FAKE_BAD, 0, 0), -EFAULT);
	}
}

#define T(n) cmocka_unit_test_setup_teardown(test_##n, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(privileged),
	};

	return cmocka_run_group_tests_name("hypercall_xen", tests, NULL, NULL);
}
