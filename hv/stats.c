// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/stats.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hv/domain.h"
#include "hv/vcpu.h"

#define STATS_MAX 256

/** struct stats_counter - where one of KVM's counters is in the data block */
struct stats_counter {
	char name[48];
	uint32_t offset; /* from the start of the data block, bytes */
};

/**
 * struct stats - see hv/stats.h
 * @data_offset: of the data block in a stats descriptor
 * @data_words: its size in 64-bit words, at most STATS_MAX
 * @lock: protects @mark, @nr_marks
 */
struct stats {
	struct stats_counter *counter;
	unsigned int nr_counters;
	uint32_t data_offset, data_words;
	pthread_mutex_t lock;
	struct stats_mark mark[STATS_MARKS];
	unsigned int nr_marks;
};

static struct timespec process_start;

void stats_process_started(void)
{
	clock_gettime(CLOCK_MONOTONIC, &process_start);
}

uint64_t stats_elapsed_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - process_start.tv_sec) * 1000000000LL + now.tv_nsec -
	       process_start.tv_nsec;
}

/* Simple counters only: histograms take several words and are no exits. */
static int stats_read_layout(struct stats *stats, int fd)
{
	struct kvm_stats_header head;
	size_t desc_size, len;
	uint8_t *descs;
	int ret = 0;

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head) || !head.num_desc ||
	    head.num_desc > STATS_MAX || head.name_size > 256)
		return -ENODATA;
	desc_size = sizeof(struct kvm_stats_desc) + head.name_size;
	len = desc_size * head.num_desc;
	descs = malloc(len);
	stats->counter = calloc(head.num_desc, sizeof(*stats->counter));
	if (!descs || !stats->counter)
		ret = -ENOMEM;
	else if (pread(fd, descs, len, head.desc_offset) != (ssize_t)len)
		ret = -ENODATA;
	for (unsigned int i = 0; i < head.num_desc && !ret; i++) {
		const struct kvm_stats_desc *desc = (void *)(descs + i * desc_size);
		uint32_t end = desc->offset / sizeof(uint64_t) + desc->size;
		struct stats_counter *c = &stats->counter[stats->nr_counters];

		if (desc->size != 1 || end > STATS_MAX)
			continue;
		snprintf(c->name, sizeof(c->name), "%.*s", (int)head.name_size, desc->name);
		c->offset = desc->offset;
		stats->nr_counters++;
		if (stats->data_words < end)
			stats->data_words = end;
	}
	stats->data_offset = head.data_offset;
	free(descs);
	return ret;
}

int stats_create(struct domain *d)
{
	d->stats = calloc(1, sizeof(*d->stats));
	if (!d->stats)
		return -ENOMEM;
	pthread_mutex_init(&d->stats->lock, NULL);
	if (stats_read_layout(d->stats, d->vcpu[0]->stats_fd))
		d->stats->nr_counters = 0;
	return 0;
}

void stats_destroy(struct domain *d)
{
	if (!d->stats)
		return;
	pthread_mutex_destroy(&d->stats->lock);
	free(d->stats->counter);
	free(d->stats);
	d->stats = NULL;
}

void stats_kvm(const struct domain *d, stats_kvm_fn fn, void *opaque)
{
	const struct stats *stats = d->stats;
	size_t len = stats->data_words * sizeof(uint64_t);
	uint64_t data[STATS_MAX], sum[STATS_MAX] = { 0 };

	if (!stats->nr_counters)
		return;
	for (unsigned int i = 0; i < d->nr_vcpus; i++) {
		if (pread(d->vcpu[i]->stats_fd, data, len, stats->data_offset) != (ssize_t)len)
			return;
		for (unsigned int w = 0; w < stats->data_words; w++)
			sum[w] += data[w];
	}
	for (unsigned int i = 0; i < stats->nr_counters; i++)
		fn(stats->counter[i].name, sum[stats->counter[i].offset / sizeof(uint64_t)],
		   opaque);
}

static void stats_find_exits(const char *name, uint64_t value, void *opaque)
{
	if (!strcmp(name, "exits"))
		*(uint64_t *)opaque = value;
}

uint64_t stats_user_exits(const struct domain *d)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < d->nr_vcpus; i++)
		sum += __atomic_load_n(&d->vcpu[i]->stats.user_exits, __ATOMIC_RELAXED);
	return sum;
}

void stats_sample(const struct domain *d, struct stats_mark *mark)
{
	*mark = (struct stats_mark){ .ns = stats_elapsed_ns(), .user_exits = stats_user_exits(d) };
	stats_kvm(d, stats_find_exits, &mark->exits);
}

bool stats_add_mark(struct domain *d, const struct stats_mark *mark)
{
	struct stats *stats = d->stats;
	bool room;

	pthread_mutex_lock(&stats->lock);
	room = stats->nr_marks < STATS_MARKS;
	if (room)
		stats->mark[stats->nr_marks++] = *mark;
	pthread_mutex_unlock(&stats->lock);
	return room;
}

unsigned int stats_marks(const struct domain *d, const struct stats_mark **mark)
{
	*mark = d->stats->mark;
	return d->stats->nr_marks;
}
