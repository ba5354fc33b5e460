// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps the lab's kernel from patching its own code while a job runs.
 *
 *	settle		does what it takes, then stays in the background
 *
 * A running kernel switches rarely used paths on and off by rewriting instructions through a
 * breakpoint (jump labels). QEMU before 8.1 may translate that breakpoint on one emulated CPU just
 * while another replaces it, and keep it: from then on the CPU takes the breakpoint for ever, and
 * the machine stands still. The busier the host, the likelier. What would switch in a job is
 * switched here, once, while the machine is quiet: KVM's two keys that follow the first and the
 * last VM (preemption notifiers, software-disabled APICs), and those of the random numbers that
 * TCP's first connections draw.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int check(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "settle: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return result;
}

/* A VM with a vCPU whose APIC is as reset leaves it; it never runs. */
static void hold_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm;

	/* Dom0 has none. */
	if (kvm < 0 && errno == ENOENT)
		return;
	check(kvm, "/dev/kvm");
	vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");

	check(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
}

static void connect_once(int family, const void *loopback, socklen_t len)
{
	struct sockaddr_storage address = {};
	int server = check(socket(family, SOCK_STREAM, 0), "socket");
	int client = check(socket(family, SOCK_STREAM, 0), "socket");

	memcpy(&address, loopback, len);
	check(bind(server, (struct sockaddr *)&address, len), "bind");
	check(listen(server, 1), "listen");
	check(getsockname(server, (struct sockaddr *)&address, &len), "getsockname");
	check(connect(client, (struct sockaddr *)&address, len), "connect");
	close(client);
	close(server);
}

int main(void)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	connect_once(AF_INET, &v4, sizeof(v4));
	connect_once(AF_INET6, &v6, sizeof(v6));
	hold_vm();
	check(daemon(0, 0), "daemon");
	pause();
	return 0;
}
