// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hv/log.h"

#define DOMID_LAST 0x7fef

/* The base directory, made if it is missing. Only its owner may write there. */
static int rundir_base(struct rundir *dir)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	int n;

	if (!geteuid())
		n = snprintf(dir->base, sizeof(dir->base), "/run/paravane");
	else if (runtime && *runtime == '/')
		n = snprintf(dir->base, sizeof(dir->base), "%s/paravane", runtime);
	else
		n = snprintf(dir->base, sizeof(dir->base), "/tmp/paravane-%u", geteuid());
	if (n >= (int)sizeof(dir->base))
		return -ENAMETOOLONG;
	if (mkdir(dir->base, 0700) && errno != EEXIST)
		return -errno;
	if (lstat(dir->base, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	return 0;
}

/*
 * Held while directories come and go, so that "make, lock, fill" and "look, remove" never mix. The
 * directory itself is locked: a lock file would have to outlive everything.
 */
static int rundir_lock_base(const struct rundir *dir)
{
	int fd = open(dir->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static void rundir_clean(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(path);
}

/* True if the domain that made @path lives: its lock is taken. */
static bool rundir_alive(const char *path)
{
	char lock[256];
	bool alive;
	int fd;

	snprintf(lock, sizeof(lock), "%s/lock", path);
	fd = open(lock, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	alive = flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return alive;
}

static long rundir_read_number(const char *path, const char *file)
{
	char name[256], text[16] = "";
	ssize_t n = -1;
	int fd;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return n > 0 ? strtol(text, NULL, 10) : -1;
}

static int rundir_write_number(const char *path, const char *file, long number)
{
	char name[256], text[16];
	int fd, n, ret = 0;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	n = snprintf(text, sizeof(text), "%ld\n", number);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, text, n) != n)
		ret = -EIO;
	close(fd);
	return ret;
}

/* The lowest id that no living domain has; dead ones are removed on the way. */
static int rundir_choose_domid(const struct rundir *dir, domid_t *domid)
{
	static uint8_t used[DOMID_LAST / 8 + 1];
	DIR *base = opendir(dir->base);
	struct dirent *e;

	if (!base)
		return -errno;
	memset(used, 0, sizeof(used));
	while ((e = readdir(base))) {
		char path[512];
		long id;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir->base, e->d_name);
		if (!rundir_alive(path)) {
			rundir_clean(path);
			continue;
		}
		id = rundir_read_number(path, "domid");
		if (id > 0 && id <= DOMID_LAST)
			used[id / 8] |= 1 << id % 8;
	}
	closedir(base);
	for (unsigned int id = 1; id <= DOMID_LAST; id++) {
		if (!(used[id / 8] & 1 << id % 8)) {
			*domid = id;
			return 0;
		}
	}
	return -ENOSPC;
}

static int rundir_fill(struct rundir *dir, domid_t domid)
{
	char lock[160];
	int ret;

	if (mkdir(dir->path, 0700))
		return -errno;
	snprintf(lock, sizeof(lock), "%s/lock", dir->path);
	dir->lock_fd = open(lock, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (dir->lock_fd < 0 || flock(dir->lock_fd, LOCK_EX | LOCK_NB))
		ret = -errno;
	else
		ret = rundir_write_number(dir->path, "pid", getpid());
	return ret ? ret : rundir_write_number(dir->path, "domid", domid);
}

int rundir_create(struct rundir *dir, const char *name, domid_t *domid)
{
	int base_fd, ret;

	*dir = (struct rundir){ .lock_fd = -1 };
	ret = rundir_base(dir);
	if (ret) {
		pr_err("run directory %s: %s", dir->base, strerror(-ret));
		return ret;
	}
	if (snprintf(dir->path, sizeof(dir->path), "%s/%s", dir->base, name) >=
	    (int)sizeof(dir->path)) {
		pr_err("run directory %s/%s: name too long", dir->base, name);
		dir->path[0] = '\0';
		return -ENAMETOOLONG;
	}
	base_fd = rundir_lock_base(dir);
	if (base_fd < 0) {
		pr_err("run directory %s: %s", dir->base, strerror(-base_fd));
		dir->path[0] = '\0';
		return base_fd;
	}
	ret = rundir_choose_domid(dir, domid);
	if (!ret && rundir_alive(dir->path)) {
		pr_err("the name %s is in use: a domain of that name is running (process %ld)",
		       name, rundir_read_number(dir->path, "pid"));
		dir->path[0] = '\0';
		close(base_fd);
		return -EBUSY;
	}
	if (!ret)
		ret = rundir_fill(dir, *domid);
	close(base_fd);
	if (ret) {
		pr_err("run directory %s: %s", dir->path, strerror(-ret));
		rundir_remove(dir);
	}
	return ret;
}

void rundir_remove(struct rundir *dir)
{
	int base_fd;

	if (!dir->path[0])
		return;
	base_fd = rundir_lock_base(dir);
	rundir_clean(dir->path);
	if (dir->lock_fd >= 0)
		close(dir->lock_fd);
	if (base_fd >= 0)
		close(base_fd);
	dir->path[0] = '\0';
	dir->lock_fd = -1;
}
