// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "hv/log.h"

#define DOMID_LAST 0x7fef

/* The base directory's name */
static int rundir_name_base(char base[RUNDIR_BASE_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int n;

	if (!geteuid())
		n = snprintf(base, RUNDIR_BASE_MAX, "/run/paravane");
	else if (runtime && *runtime == '/')
		n = snprintf(base, RUNDIR_BASE_MAX, "%s/paravane", runtime);
	else
		n = snprintf(base, RUNDIR_BASE_MAX, "/tmp/paravane-%u", geteuid());
	return n < RUNDIR_BASE_MAX ? 0 : -ENAMETOOLONG;
}

/* Only its owner may write to the base directory. */
static int rundir_check_base(const char *base)
{
	struct stat st;

	if (lstat(base, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return -EPERM;
	return 0;
}

/* Why the base directory cannot be used */
static const char *rundir_why(int err)
{
	return err == -EPERM ? "no directory to which only this user may write" : strerror(-err);
}

/* The base directory, made if it is missing */
static int rundir_base(struct rundir *dir)
{
	int ret = rundir_name_base(dir->base);

	if (ret)
		return ret;
	if (mkdir(dir->base, 0700) && errno != EEXIST)
		return -errno;
	return rundir_check_base(dir->base);
}

/*
 * Held while directories come and go (LOCK_EX) or are looked at (LOCK_SH), so that "make, lock,
 * fill" and "look, remove" never mix. The directory itself is locked: a lock file would have to
 * outlive everything.
 */
static int rundir_lock_base(const char *base, int how)
{
	int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	if (!flock(fd, how))
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

/* It has the lock, and who looks does not keep others from looking. */
bool rundir_alive(const char *path)
{
	char lock[256];
	bool alive;
	int fd;

	snprintf(lock, sizeof(lock), "%s/lock", path);
	fd = open(lock, O_RDWR | O_CLOEXEC);
	/* What cannot be looked at (for want of descriptors, say) may live. */
	if (fd < 0)
		return errno != ENOENT && errno != ENOTDIR;
	alive = flock(fd, LOCK_SH | LOCK_NB);
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
		if (id <= 0 || id > DOMID_LAST) {
			closedir(base);
			return -EIO;
		}
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
		pr_err("run directory %s: %s", dir->base, rundir_why(ret));
		return ret;
	}
	if (snprintf(dir->path, sizeof(dir->path), "%s/%s", dir->base, name) >=
	    (int)sizeof(dir->path)) {
		pr_err("run directory %s/%s: name too long", dir->base, name);
		dir->path[0] = '\0';
		return -ENAMETOOLONG;
	}
	base_fd = rundir_lock_base(dir->base, LOCK_EX);
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
	base_fd = rundir_lock_base(dir->base, LOCK_EX);
	rundir_clean(dir->path);
	if (dir->lock_fd >= 0)
		close(dir->lock_fd);
	if (base_fd >= 0)
		close(base_fd);
	dir->path[0] = '\0';
	dir->lock_fd = -1;
}

static int rundir_by_domid(const void *a, const void *b)
{
	const struct rundir_entry *x = a, *y = b;

	return x->domid - y->domid;
}

/* What stands in the base directory and lives; its lock is held */
static int rundir_read_base(const char *base, struct rundir_entry **list, size_t *count)
{
	DIR *d = opendir(base);
	struct dirent *e;

	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		struct rundir_entry *grown, *entry;
		char path[sizeof(entry->path)];

		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(entry->name) ||
		    snprintf(path, sizeof(path), "%s/%s", base, e->d_name) >= (int)sizeof(path) ||
		    !rundir_alive(path))
			continue;
		grown = realloc(*list, (*count + 1) * sizeof(*grown));
		if (!grown) {
			closedir(d);
			return -ENOMEM;
		}
		*list = grown;
		entry = &grown[(*count)++];
		strcpy(entry->name, e->d_name);
		strcpy(entry->path, path);
		entry->domid = rundir_read_number(path, "domid");
		entry->pid = rundir_read_number(path, "pid");
	}
	closedir(d);
	if (*count)
		qsort(*list, *count, sizeof(**list), rundir_by_domid);
	return 0;
}

int rundir_list(struct rundir_entry **list, size_t *count)
{
	char base[RUNDIR_BASE_MAX];
	int ret, base_fd;

	*list = NULL;
	*count = 0;
	ret = rundir_name_base(base);
	if (!ret)
		ret = rundir_check_base(base);
	if (ret == -ENOENT)
		return 0;
	base_fd = ret ? ret : rundir_lock_base(base, LOCK_SH);
	if (base_fd >= 0) {
		ret = rundir_read_base(base, list, count);
		close(base_fd);
	} else {
		ret = base_fd;
	}
	if (ret) {
		pr_err("run directory %s: %s", base, rundir_why(ret));
		free(*list);
		*list = NULL;
		*count = 0;
	}
	return ret;
}

int rundir_listen(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, ret;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Linux makes the socket file with the mode of the descriptor. */
	if ((lstat(path, &st) || !S_ISSOCK(st.st_mode) || !unlink(path)) && !fchmod(fd, 0600) &&
	    !bind(fd, (struct sockaddr *)&addr, sizeof(addr)) && !listen(fd, 16))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}
