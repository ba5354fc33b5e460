// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a test guest needs beside busybox, in one static program:
 *
 *   pvguest mark NAME        tell the hypervisor that NAME was reached (debug port, one exit)
 *   pvguest say TEXT...      one line on the debug port, or to the file PVGUEST_OUT where there is
 *                            none (real Xen keeps that port to itself); /dev/port leads there, too,
 *                            where the processor does not let user space at it (QEMU's emulation,
 *                            in a guest of QEMU's)
 *   pvguest fill FILE MIB SEED   write MIB mebibytes of seeded data, fsync
 *   pvguest stream MIB SEED      the same bytes on standard output
 *   pvguest put ADDRESS PORT FILE   HTTP PUT of FILE, in writes as large as the kernel takes
 *   pvguest churn FILE OFFSET MIB STOP   write and check MIB mebibytes at OFFSET mebibytes, here and
 *			there, past all caches, until there is a file STOP; then check all of it
 *
 * As /init it is the whole user space of the boot measurement: mark "init", power off.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/reboot.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEBUG_PORT 0xe9
#define PORT_FILE "/dev/port"
#define CHUNK (1 << 20)

static int write_line(const char *path, const char *line, size_t len)
{
	int fd = open(path, O_WRONLY | O_NOCTTY);
	int err = 0;

	if (fd < 0 || write(fd, line, len) != (ssize_t)len)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* The offset is the port, so each byte goes there by itself. */
static int write_port(const char *line, size_t len)
{
	int fd = open(PORT_FILE, O_WRONLY);
	int err = fd < 0 ? -errno : 0;

	for (size_t i = 0; !err && i < len; i++)
		if (pwrite(fd, line + i, 1, DEBUG_PORT) != 1)
			err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int debug_line(const char *line)
{
	const char *out = getenv("PVGUEST_OUT");
	char buf[512];
	size_t len;

	len = snprintf(buf, sizeof(buf), "%s\n", line);
	if (len >= sizeof(buf)) {
		len = sizeof(buf);
		buf[len - 1] = '\n';
	}
	if (out && *out)
		return strcmp(out, PORT_FILE) ? write_line(out, buf, len) : write_port(buf, len);
	if (ioperm(DEBUG_PORT, 1, 1))
		return -errno;
	/* One string instruction: KVM hands the whole line over in one exit. */
	outsb(DEBUG_PORT, buf, len);
	return 0;
}

static int cmd_mark(int argc, char **argv)
{
	char line[128];

	if (argc != 2)
		return -EINVAL;
	snprintf(line, sizeof(line), "paravane-mark: %s", argv[1]);
	return debug_line(line);
}

static int cmd_say(int argc, char **argv)
{
	char line[512] = "";
	size_t used = 0;

	for (int i = 1; i < argc && used < sizeof(line); i++)
		used += snprintf(line + used, sizeof(line) - used, "%s%s", i > 1 ? " " : "",
				 argv[i]);
	return debug_line(line);
}

/* xorshift64*: cheap enough not to be what is measured, and different for every block and seed */
static void seeded_chunk(uint64_t *buf, uint64_t *state)
{
	for (size_t i = 0; i < CHUNK / sizeof(*buf); i++) {
		*state ^= *state >> 12;
		*state ^= *state << 25;
		*state ^= *state >> 27;
		buf[i] = *state * 0x2545f4914f6cdd1dULL;
	}
}

static int write_all(int fd, const void *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		buf = (const char *)buf + n;
		len -= n;
	}
	return 0;
}

static int seeded_write(int fd, const char *mib_arg, const char *seed_arg)
{
	unsigned long mib = strtoul(mib_arg, NULL, 0);
	uint64_t state = strtoull(seed_arg, NULL, 0) * 0x9e3779b97f4a7c15ULL + 1;
	uint64_t *buf = malloc(CHUNK);
	int ret = buf ? 0 : -ENOMEM;

	while (!ret && mib--) {
		seeded_chunk(buf, &state);
		ret = write_all(fd, buf, CHUNK);
	}
	free(buf);
	return ret;
}

static int cmd_fill(int argc, char **argv)
{
	int fd, ret;

	if (argc != 4)
		return -EINVAL;
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		return -errno;
	ret = seeded_write(fd, argv[2], argv[3]);
	if (!ret && fsync(fd))
		ret = -errno;
	if (close(fd) && !ret)
		ret = -errno;
	return ret;
}

static int cmd_stream(int argc, char **argv)
{
	return argc == 3 ? seeded_write(STDOUT_FILENO, argv[1], argv[2]) : -EINVAL;
}

static int put_file(int sock, int file)
{
	char line[128];
	struct stat st;
	ssize_t n;
	int ret;

	if (fstat(file, &st))
		return -errno;
	n = snprintf(line, sizeof(line), "PUT /upload HTTP/1.0\r\nContent-Length: %lld\r\n\r\n",
		     (long long)st.st_size);
	ret = write_all(sock, line, n);
	for (off_t left = st.st_size; !ret && left; left -= n) {
		n = sendfile(sock, file, NULL, left);
		if (n <= 0)
			ret = n ? -errno : -EIO;
	}
	if (ret)
		return ret;
	n = read(sock, line, sizeof(line) - 1);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	return strncmp(line, "HTTP/1.0 201", 12) ? -EPROTO : 0;
}

static int cmd_put(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int file, sock, ret;

	if (argc != 4 || !inet_pton(AF_INET, argv[1], &to.sin_addr))
		return -EINVAL;
	to.sin_port = htons(atoi(argv[2]));
	file = open(argv[3], O_RDONLY);
	if (file < 0)
		return -errno;
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&to, sizeof(to)))
		ret = -errno;
	else
		ret = put_file(sock, file);
	if (sock >= 0)
		close(sock);
	close(file);
	return ret;
}

#define BLOCK 4096u
#define BURST 16u

/* What a block holds after it was written for the @seq'th time. */
static void churn_pattern(uint64_t *buf, uint64_t block, uint32_t seq)
{
	uint64_t state = (block << 32 | seq) * 0x9e3779b97f4a7c15ULL + 1;

	for (size_t i = 0; i < BLOCK / sizeof(*buf); i++) {
		state ^= state >> 12;
		state ^= state << 25;
		state ^= state >> 27;
		buf[i] = state;
	}
}

/**
 * struct churn - a part of a disk, and what is known of it
 * @buf: BURST blocks
 * @seq: how often each block was written; nothing is known of one that never was
 */
struct churn {
	int fd;
	off_t offset;
	uint32_t blocks;
	char *buf;
	uint32_t *seq;
	unsigned long written, checked;
};

static int churn_write(struct churn *c, uint32_t block, uint32_t count)
{
	ssize_t n;

	for (uint32_t i = 0; i < count; i++)
		churn_pattern((void *)(c->buf + i * BLOCK), block + i, ++c->seq[block + i]);
	n = pwrite(c->fd, c->buf, count * BLOCK, c->offset + (off_t)block * BLOCK);
	c->written += count;
	return n == (ssize_t)(count * BLOCK) ? 0 : -EIO;
}

static int churn_check(struct churn *c, uint32_t block, uint32_t count)
{
	uint64_t expected[BLOCK / sizeof(uint64_t)];

	if (pread(c->fd, c->buf, count * BLOCK, c->offset + (off_t)block * BLOCK) !=
	    (ssize_t)(count * BLOCK))
		return -EIO;
	for (uint32_t i = 0; i < count; i++) {
		churn_pattern(expected, block + i, c->seq[block + i]);
		if (!c->seq[block + i] || !memcmp(expected, c->buf + i * BLOCK, BLOCK))
			continue;
		fprintf(stderr, "block %u is not as it was written last (%u times)\n", block + i,
			c->seq[block + i]);
		return -EILSEQ;
	}
	c->checked += count;
	return 0;
}

static int churn_step(struct churn *c)
{
	uint32_t count = 1 + random() % BURST;
	uint32_t block = random() % (c->blocks - count);
	int what = random() % 20;

	if (!what)
		return fdatasync(c->fd) ? -errno : 0;
	return what < 12 ? churn_write(c, block, count) : churn_check(c, block, count);
}

static int cmd_churn(int argc, char **argv)
{
	struct churn c = { .fd = -1 };
	uint32_t block;
	int ret = 0;

	if (argc != 5)
		return -EINVAL;
	c.offset = strtol(argv[2], NULL, 0) << 20;
	c.blocks = (strtoul(argv[3], NULL, 0) << 20) / BLOCK;
	c.seq = calloc(c.blocks, sizeof(*c.seq));
	c.fd = open(argv[1], O_RDWR | O_DIRECT);
	if (c.fd < 0 || !c.seq || posix_memalign((void **)&c.buf, BLOCK, BURST * BLOCK))
		return c.fd < 0 ? -errno : -ENOMEM;
	srandom(c.offset + 1);
	while (!ret && access(argv[4], F_OK))
		ret = churn_step(&c);
	for (block = 0; !ret && block + BURST <= c.blocks; block += BURST)
		ret = churn_check(&c, block, BURST);
	printf("%lu blocks written, %lu checked\n", c.written, c.checked);
	if (!ret && !c.written)
		ret = -ENODATA;
	close(c.fd);
	return ret;
}

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "mark", cmd_mark },	  { "say", cmd_say }, { "fill", cmd_fill },
	{ "stream", cmd_stream }, { "put", cmd_put }, { "churn", cmd_churn },
};

int main(int argc, char **argv)
{
	if (getpid() == 1) {
		debug_line("paravane-mark: init");
		reboot(RB_POWER_OFF);
		return 1;
	}

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(argv[1], commands[i].name)) {
			int ret = commands[i].run(argc - 1, argv + 1);

			if (ret)
				fprintf(stderr, "pvguest %s: %s\n", argv[1], strerror(-ret));
			return ret ? 1 : 0;
		}
	}
	fprintf(stderr, "usage: pvguest mark NAME | say TEXT... | fill FILE MIB SEED | "
			"stream MIB SEED | put ADDRESS PORT FILE | churn FILE OFFSET MIB STOP\n");
	return 2;
}
