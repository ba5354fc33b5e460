/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_LOG_H
#define HV_LOG_H

/*
 * Messages to the person who started us: one line each on stderr, "paravane: [NAME: ]text".
 * pr_err() is for what stops something, pr_warn() for what the guest did wrong or what is degraded,
 * pr_debug() only with --verbose. Nobody ever waits for whoever reads stderr: a line there is no room
 * for is counted instead, and the next one that fits tells how many went before it.
 */
enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/**
 * log_open - open stderr once more, so that not to wait is our decision alone
 *
 * O_NONBLOCK belongs to the open file, which others share. Once, before there are threads.
 */
void log_open(void);
void log_set_level(enum log_level level);
/** log_set_domain - prefix later lines with a domain's name; NULL for none (not thread-safe, start-up only) */
void log_set_domain(const char *name);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define pr_err(...) log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define pr_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define pr_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define pr_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/**
 * pr_once - log a line only the first time this place is reached
 *
 * For anything a guest can repeat at will.
 */
#define pr_once(level, ...)                                            \
	do {                                                           \
		static int said_;                                      \
		if (!__atomic_exchange_n(&said_, 1, __ATOMIC_RELAXED)) \
			log_line(level, __VA_ARGS__);                  \
	} while (0)

#endif /* HV_LOG_H */
