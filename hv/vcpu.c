// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv/vcpu.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen-public/sched.h>

#include "hv/cpuid.h"
#include "hv/domain.h"
#include "hv/log.h"

#define KICK_SIGNAL SIGUSR1
/* The host's machine checks are not passed on: a guest need not set up 32 banks, which costs 100 exits. */
#define MCE_BANKS 1
#define SYNCED_REGS (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS)

/** struct vcpu_call - one vcpu_call() in progress, on the caller's stack */
struct vcpu_call {
	struct vcpu_call *next;
	long (*fn)(struct vcpu *v, void *arg);
	void *arg;
	long ret;
	bool done;
};

/* The signal itself ends KVM_RUN; there is nothing to do in the handler. */
static void vcpu_kicked(int sig)
{
	(void)sig;
}

int vcpu_process_init(void)
{
	struct sigaction sa = { .sa_handler = vcpu_kicked };

	return sigaction(KICK_SIGNAL, &sa, NULL) ? -errno : 0;
}

static int vcpu_setup(struct vcpu *v)
{
	struct kvm *kvm = &v->domain->kvm;
	uint64_t mcg_cap = MCE_BANKS;
	int ret;

	ret = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);
	if (ret < 0)
		return -errno;
	if (ret)
		kvm->tsc_khz = ret;
	ret = cpuid_setup(v);
	if (ret)
		return ret;
	if (ioctl(v->fd, KVM_X86_SETUP_MCE, &mcg_cap))
		return -errno;
	/* Before the vCPU runs: vCPU ioctls wait for KVM_RUN to end. */
	v->stats_fd = ioctl(v->fd, KVM_GET_STATS_FD, NULL);
	v->run->kvm_valid_regs = SYNCED_REGS;
	return 0;
}

int vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v = calloc(1, sizeof(*v));
	int ret;

	if (!v)
		return -ENOMEM;
	v->domain = d;
	v->id = id;
	v->apic_id = id;
	v->stats_fd = -1;
	v->fd = ioctl(d->kvm.vm_fd, KVM_CREATE_VCPU, (unsigned long)v->apic_id);
	if (v->fd < 0) {
		ret = -errno;
		goto err_free;
	}
	v->run = mmap(NULL, d->kvm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED) {
		ret = -errno;
		goto err_close;
	}
	ret = vcpu_setup(v);
	if (ret)
		goto err_unmap;
	d->vcpu[id] = v;
	return 0;

err_unmap:
	munmap(v->run, d->kvm.run_size);
err_close:
	close(v->fd);
err_free:
	free(v);
	return ret;
}

void vcpu_destroy(struct vcpu *v)
{
	if (!v)
		return;
	if (v->stats_fd >= 0)
		close(v->stats_fd);
	munmap(v->run, v->domain->kvm.run_size);
	close(v->fd);
	v->domain->vcpu[v->id] = NULL;
	free(v);
}

/* Whose thread this is; NULL on threads that run no vCPU */
static __thread struct vcpu *vcpu_self;

/* The call lock is held; dropped while a call runs. */
static void vcpu_do_calls(struct vcpu *v)
{
	struct domain *d = v->domain;

	while (v->calls) {
		struct vcpu_call *call = v->calls;

		__atomic_store_n(&v->calls, call->next, __ATOMIC_RELAXED);
		pthread_mutex_unlock(&d->call_lock);
		call->ret = call->fn(v, call->arg);
		pthread_mutex_lock(&d->call_lock);
		call->done = true;
		pthread_cond_broadcast(&d->call_cond);
	}
}

/* Once per return from KVM_RUN without an exit to serve, that is after a kick */
static void vcpu_interrupted(struct vcpu *v)
{
	/* Pairs with vcpu_kick(): what was changed before the kick is seen after this. */
	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	/* Upcalls kick, too: they must not meet at a lock of the whole domain. */
	if (!__atomic_load_n(&v->calls, __ATOMIC_SEQ_CST))
		return;
	pthread_mutex_lock(&v->domain->call_lock);
	vcpu_do_calls(v);
	pthread_mutex_unlock(&v->domain->call_lock);
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *v = arg;
	struct domain *d = v->domain;
	char name[16];
	sigset_t set;

	vcpu_self = v;
	snprintf(name, sizeof(name), "vcpu%u", v->id);
	pthread_setname_np(pthread_self(), name);
	sigemptyset(&set);
	sigaddset(&set, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	__atomic_store_n(&v->tid, gettid(), __ATOMIC_RELEASE);

	/* After a shutdown no vCPU goes on, first of all the one that asked for it. */
	while (!__atomic_load_n(&v->stop, __ATOMIC_ACQUIRE) && !domain_stopping(d)) {
		if (!ioctl(v->fd, KVM_RUN, NULL)) {
			vcpu_exit(v);
		} else if (errno == EINTR) {
			vcpu_interrupted(v);
		} else if (errno != EAGAIN) {
			pr_err("vCPU %u: KVM_RUN: %s", v->id, strerror(errno));
			domain_shutdown(d, SHUTDOWN_crash);
			break;
		}
	}
	pr_debug("vCPU %u stopped at rip %#llx", v->id, v->run->s.regs.regs.rip);
	pthread_mutex_lock(&d->call_lock);
	v->running = false;
	vcpu_do_calls(v);
	pthread_mutex_unlock(&d->call_lock);
	return NULL;
}

int vcpu_start(struct vcpu *v)
{
	int ret;

	pthread_mutex_lock(&v->domain->call_lock);
	ret = pthread_create(&v->thread, NULL, vcpu_thread, v);
	v->started = v->running = !ret;
	pthread_mutex_unlock(&v->domain->call_lock);
	return -ret;
}

void vcpu_stop(struct vcpu *v)
{
	if (!v || !v->started)
		return;
	__atomic_store_n(&v->stop, true, __ATOMIC_RELEASE);
	vcpu_kick(v);
	pthread_join(v->thread, NULL);
	v->started = false;
}

void vcpu_kick(struct vcpu *v)
{
	pid_t tid;

	/* First the flag, then the signal: one of them ends KVM_RUN whether or not it was entered yet. */
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	tid = __atomic_load_n(&v->tid, __ATOMIC_ACQUIRE);
	/* By thread id: unlike a pthread_t it may be that of a thread that has ended. */
	if (tid)
		tgkill(getpid(), tid, KICK_SIGNAL);
}

long vcpu_call(struct vcpu *v, long (*fn)(struct vcpu *v, void *arg), void *arg)
{
	struct vcpu_call call = { .fn = fn, .arg = arg };
	struct domain *d = v->domain;

	if (v == vcpu_self)
		return fn(v, arg);
	pthread_mutex_lock(&d->call_lock);
	if (!v->running) {
		pthread_mutex_unlock(&d->call_lock);
		return fn(v, arg);
	}
	call.next = v->calls;
	/* Pairs with vcpu_interrupted(), which looks without the lock. */
	__atomic_store_n(&v->calls, &call, __ATOMIC_SEQ_CST);
	vcpu_kick(v);
	/* A vCPU that waits here is not in KVM_RUN, where the kick would find it. */
	pthread_cond_broadcast(&d->call_cond);
	while (!call.done) {
		/* Two vCPUs may be calling each other. */
		if (vcpu_self && vcpu_self->calls)
			vcpu_do_calls(vcpu_self);
		else
			pthread_cond_wait(&d->call_cond, &d->call_lock);
	}
	pthread_mutex_unlock(&d->call_lock);
	return call.ret;
}

unsigned int vcpu_cpl(const struct vcpu *v)
{
	return v->run->s.regs.sregs.ss.dpl;
}

bool vcpu_long_mode(const struct vcpu *v)
{
	return v->run->s.regs.sregs.cs.l;
}
