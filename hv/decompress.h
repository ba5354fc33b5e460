/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_DECOMPRESS_H
#define HV_DECOMPRESS_H

#include <stddef.h>

/**
 * decompress - unpack the payload of a kernel, whatever the format its first bytes announce
 * @out_len: exact size of the result
 * @name: set to the format's name, or NULL if it is unknown
 *
 * Return: 0, -ENOTSUP for a format that is not supported (or unknown), -EILSEQ if the data is
 * corrupt or of another size, -ENOMEM.
 */
int decompress(const void *in, size_t in_len, void *out, size_t out_len, const char **name);

/** decompress_formats - the names of the supported formats, for messages */
const char *decompress_formats(void);

#endif /* HV_DECOMPRESS_H */
