/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_CONFIG_H
#define HV_CONFIG_H

#include "hv/types.h"

#define CONFIG_MAX_DISKS 16
#define CONFIG_MAX_NICS 8
#define CONFIG_MAX_FORWARDS 16

/** enum profile - who the guest thinks we are; see docs/ABI.md */
enum profile { PROFILE_KVM, PROFILE_XEN, PROFILE_NONE };

/** struct disk_config - one --disk FILE[,ro][,vdev=xvdb][,format=raw] */
struct disk_config {
	char *path;
	bool readonly;
	bool raw; /* the user says so: what the first sector looks like is the guest's matter */
	unsigned int vdev; /* Xen virtual device number, e.g. 51712 */
	char vdev_name[16];
};

enum nic_type { NIC_USER, NIC_TAP };

/** struct host_forward - one hostfwd= of the user-mode network: where the host listens, and for whom */
struct host_forward {
	bool udp;
	/* IPv4, network byte order; 0: all addresses of the host, the one the guest has by DHCP */
	uint32_t host, guest;
	uint16_t host_port, guest_port;
};

/** struct nic_config - one --net user[,hostfwd=...]|tap=IFACE[,create] */
struct nic_config {
	enum nic_type type;
	struct host_forward forward[CONFIG_MAX_FORWARDS]; /* NIC_USER */
	unsigned int nr_forwards;
	char ifname[16]; /* NIC_TAP */
	bool create; /* NIC_TAP: make @ifname if it is missing, for as long as we run */
	uint8_t mac[6];
};

enum console_type { CONSOLE_STDIO, CONSOLE_PTY, CONSOLE_FILE, CONSOLE_NONE };

/** struct config - what the command line asked for; read-only once the domain is being built */
struct config {
	char *name;
	char *kernel;
	char *initrd; /* or NULL */
	char *append;
	bool nopv; /* @append has this word: the guest's kernel looks for no hypervisor */
	uint64_t memory; /* bytes */
	unsigned int vcpus;
	enum profile profile;
	enum console_type console;
	char *console_path;
	struct disk_config disk[CONFIG_MAX_DISKS];
	unsigned int nr_disks;
	struct nic_config nic[CONFIG_MAX_NICS];
	unsigned int nr_nics;
	char *report; /* file the JSON report goes to at the end, "-" for standard output, or NULL */
	bool verbose;
};

/**
 * config_parse - read the arguments of `paravane run`
 * @argv: starts with the verb
 *
 * Return: 0; 1 if the user asked for help, which was printed; -EINVAL after printing one line. @config needs
 * config_free() in every case.
 */
int config_parse(int argc, char **argv, struct config *config);

void config_free(struct config *config);

/** config_parse_nic - read the value of a --net that is not none; 0, or -EINVAL after printing one line */
int config_parse_nic(struct nic_config *nic, const char *value);

/** config_number - read decimal digits; @end: what follows them; 0 or -EINVAL */
int config_number(const char *text, unsigned long long *value, const char **end);

/** config_vdev - Xen's virtual device number of a whole disk named like xvda; 0 if @name is no such name */
unsigned int config_vdev(const char *name);

#endif /* HV_CONFIG_H */
