// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hv/config.h"

#define MAX_ARGS 40

/* Parse the words of @line after "run --kernel k". */
static int parse(const char *line, struct config *config)
{
	static char words[1024];
	char *argv[MAX_ARGS] = { "run", "--kernel", "k" }, *word, *rest = words;
	int argc = 3;

	snprintf(words, sizeof(words), "%s", line);
	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	return config_parse(argc - !*line, argv, config);
}

static void test_defaults(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("", &c), 0);
	assert_string_equal(c.kernel, "k");
	assert_null(c.initrd);
	assert_string_equal(c.append, "");
	assert_int_equal(c.memory, 512 << 20);
	assert_int_equal(c.vcpus, 1);
	assert_int_equal(c.profile, PROFILE_KVM);
	assert_int_equal(c.console, CONSOLE_STDIO);
	assert_int_equal(c.nr_disks, 0);
	assert_non_null(c.name);
	config_free(&c);
}

static void test_everything(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(
		parse("--name n1 --initrd i --append quiet --memory 2G --vcpus 8 --profile xen "
		      "--console file=/tmp/c --disk a --disk b,ro --disk c,vdev=xvdd,ro "
		      "--disk d --net user --net tap=tap0 --report r --verbose",
		      &c),
		0);
	assert_int_equal(c.memory, 2ULL << 30);
	assert_int_equal(c.vcpus, 8);
	assert_int_equal(c.profile, PROFILE_XEN);
	assert_int_equal(c.console, CONSOLE_FILE);
	assert_string_equal(c.console_path, "/tmp/c");
	assert_string_equal(c.report, "r");
	assert_true(c.verbose);
	config_free(&c);
}

static void test_disks(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("--disk a --disk b,ro --disk c,vdev=xvdd --disk d,format=raw", &c),
			 0);
	assert_int_equal(c.nr_disks, 4);
	assert_false(c.disk[2].raw);
	assert_true(c.disk[3].raw);
	assert_int_equal(c.disk[0].vdev, 202 << 8);
	assert_false(c.disk[0].readonly);
	assert_string_equal(c.disk[1].vdev_name, "xvdb");
	assert_true(c.disk[1].readonly);
	assert_int_equal(c.disk[2].vdev, 202 << 8 | 3 << 4);
	assert_string_equal(c.disk[3].vdev_name, "xvdc");
	config_free(&c);
	assert_int_equal(config_vdev("xvdp"), 202 << 8 | 15 << 4);
	assert_int_equal(config_vdev("xvdq"), 1 << 28 | 16 << 8);
	assert_int_equal(config_vdev("xvdaa"), 1 << 28 | 26 << 8);
	assert_int_equal(config_vdev("xvda1"), 0);
	assert_int_equal(config_vdev("sda"), 0);
}

static void test_taps(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse("--net tap=abcdefghijklmno --net tap=t,create --net user", &c), 0);
	assert_int_equal(c.nr_nics, 3);
	assert_int_equal(c.nic[0].type, NIC_TAP);
	assert_string_equal(c.nic[0].ifname, "abcdefghijklmno");
	assert_false(c.nic[0].create);
	assert_string_equal(c.nic[1].ifname, "t");
	assert_true(c.nic[1].create);
	assert_int_equal(c.nic[2].type, NIC_USER);
	assert_false(c.nic[2].create);
	config_free(&c);
}

static void test_forwards(void **state)
{
	const struct host_forward *forward;
	struct config c;

	(void)state;
	assert_int_equal(
		parse("--net user,hostfwd=tcp:127.0.0.1:2222-:22,hostfwd=udp::53-10.0.2.16:5353 "
		      "--net user,hostfwd=::1-:65535",
		      &c),
		0);
	assert_int_equal(c.nr_nics, 2);
	assert_int_equal(c.nic[0].type, NIC_USER);
	assert_int_equal(c.nic[0].nr_forwards, 2);
	forward = c.nic[0].forward;
	assert_false(forward[0].udp);
	assert_int_equal(ntohl(forward[0].host), INADDR_LOOPBACK);
	assert_int_equal(forward[0].host_port, 2222);
	assert_int_equal(forward[0].guest, 0);
	assert_int_equal(forward[0].guest_port, 22);
	assert_true(forward[1].udp);
	assert_int_equal(forward[1].host, 0);
	assert_int_equal(forward[1].host_port, 53);
	assert_int_equal(ntohl(forward[1].guest), 0x0a000210);
	assert_int_equal(forward[1].guest_port, 5353);
	assert_int_equal(c.nic[1].nr_forwards, 1);
	assert_int_equal(c.nic[1].forward[0].guest_port, 65535);
	config_free(&c);
}

static void test_too_many_forwards(void **state)
{
	char line[1024] = "--net user";
	struct config c;

	(void)state;
	for (int i = 0; i < CONFIG_MAX_FORWARDS; i++)
		strcat(line, ",hostfwd=::1-:1");
	assert_int_equal(parse(line, &c), 0);
	config_free(&c);
	strcat(line, ",hostfwd=::1-:1");
	assert_true(parse(line, &c) < 0);
	config_free(&c);
}

static void test_macs_differ_and_last(void **state)
{
	struct config a, b;

	(void)state;
	assert_int_equal(parse("--name one --net user --net user", &a), 0);
	assert_int_equal(parse("--name one --net user --net user", &b), 0);
	assert_memory_equal(a.nic[0].mac, b.nic[0].mac, 6);
	assert_memory_not_equal(a.nic[0].mac, a.nic[1].mac, 6);
	assert_memory_equal(a.nic[0].mac, "\x00\x16\x3e", 3);
	config_free(&b);
	assert_int_equal(parse("--name two --net user", &b), 0);
	assert_memory_not_equal(a.nic[0].mac, b.nic[0].mac, 6);
	config_free(&a);
	config_free(&b);
}

static void test_memory_sizes(void **state)
{
	static const struct {
		const char *line;
		uint64_t bytes;
	} good[] = {
		{ "--memory 256", 256ULL << 20 },
		{ "--memory 256m", 256ULL << 20 },
		{ "--memory 3G", 3ULL << 30 },
		{ "--memory 65536k", 64ULL << 20 },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse(good[i].line, &c), 0);
		assert_int_equal(c.memory, good[i].bytes);
		config_free(&c);
	}
}

static void test_bad_lines(void **state)
{
	static const char *const bad[] = {
		"--frob",
		"--name",
		"--name a/b",
		"--name .",
		"--name -x",
		"stray",
		"--memory 0",
		"--memory -1",
		"--memory 5T",
		"--memory 12x",
		"--memory 1k",
		"--memory 99999999999999999999G",
		"--memory 17592186044416M",
		"--vcpus 0",
		"--vcpus 9",
		"--vcpus 1x",
		"--profile",
		"--profile vmware",
		"--console file=",
		"--console x",
		"--net tap=",
		"--net tap=abcdefghijklmnop",
		"--net x",
		"--net tap=,create",
		"--net tap=a,frob",
		"--net tap=a,create,create",
		"--net user,create",
		"--net user,",
		"--net user,hostfwd=",
		"--net user,hostfwd=tcp",
		"--net user,hostfwd=tcp:127.0.0.1:2222",
		"--net user,hostfwd=tcp::2222-22",
		"--net user,hostfwd=2222-:22",
		"--net user,hostfwd=sctp::2222-:22",
		"--net user,hostfwd=tcp:localhost:2222-:22",
		"--net user,hostfwd=tcp:127.0.0.1.1:2222-:22",
		"--net user,hostfwd=tcp::-:22",
		"--net user,hostfwd=tcp::0-:22",
		"--net user,hostfwd=tcp::65536-:22",
		"--net user,hostfwd=tcp::-1-:22",
		"--net user,hostfwd=tcp::2222-:",
		"--net user,hostfwd=tcp::2222-:ssh",
		"--net user,hostfwd=tcp::2222-:22:22",
		"--net user,hostfwd=tcp::2222-guest:22",
		"--net tap=a,hostfwd=tcp::2222-:22",
		"--json=x",
		"--kernel=",
		"-x",
		"-xy",
		"--disk ,ro",
		"--disk a,frob",
		"--disk a,vdev=sda",
		"--disk a --disk b,vdev=xvda",
	};

	(void)state;
	/* One line each on stderr, which is not what this test looks at. */
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config c;
		int ret = parse(bad[i], &c);

		if (ret >= 0)
			fail_msg("accepted: %s", bad[i]);
		config_free(&c);
	}
}

static void test_kernel_is_needed(void **state)
{
	char *argv[] = { "run", NULL };
	struct config c;

	(void)state;
	assert_true(config_parse(1, argv, &c) < 0);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_disks),
		cmocka_unit_test(test_taps),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_too_many_forwards),
		cmocka_unit_test(test_macs_differ_and_last),
		cmocka_unit_test(test_memory_sizes),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_kernel_is_needed),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
