// Numbers of any length between decimal digits and bytes, big-endian. Both directions cut a long number in
// halves, so their work is that of multiplying and dividing long numbers, not n * n steps for n digits.
#ifndef CORE_BASE_RADIX_H
#define CORE_BASE_RADIX_H

#include "core/base/bytes.h"

/** How many digits hold every number of that many bytes. */
static inline size_t radix_digits_max(size_t size)
{
    return (size + 3) / 4 * 10;  // 32 bits are 9.63 digits
}

/** How many bytes hold every number of that many digits. */
static inline size_t radix_bytes_max(size_t digits)
{
    return digits * 5 / 12 + 1;  // a digit is 3.33 bits
}

/** Fills all of `ret_digits` with '0' to '9', zeros first. @param count  at least what the number has */
void radix_to_digits(struct slice number, uint8_t *ret_digits, size_t count);

/** Fills all of `ret` with the number, zero bytes first. @param digits  '0' to '9' only @param size  at least
 * what the number has */
void radix_to_bytes(struct slice digits, uint8_t *ret, size_t size);

#endif
