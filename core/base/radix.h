// Converts natural numbers of any length between decimal digits and big-endian bytes. Divide and conquer: the
// time for n digits is that of multiplying or dividing n-digit numbers, not n * n single steps.
#ifndef CORE_BASE_RADIX_H
#define CORE_BASE_RADIX_H

#include "core/base/bytes.h"

/** Enough digits for every number of `size` bytes. */
static inline size_t radix_digits_max(size_t size)
{
    return (size + 3) / 4 * 10;  // 32 bits are 9.63 digits
}

/** Enough bytes for every number of `digits` digits. */
static inline size_t radix_bytes_max(size_t digits)
{
    return digits * 5 / 12 + 1;  // a digit is 3.33 bits
}

/**
 * Fills all of `ret_digits` with '0' to '9'; leading zeros fill the rest.
 *
 * @param count  size of `ret_digits`; at least as many as the number has digits
 */
void radix_to_digits(struct slice number, uint8_t *ret_digits, size_t count);

/**
 * Fills all of `ret` with the number; leading zero bytes fill the rest.
 *
 * @param digits  '0' to '9' only
 * @param size    size of `ret`; at least as many as the number has bytes
 */
void radix_to_bytes(struct slice digits, uint8_t *ret, size_t size);

#endif
