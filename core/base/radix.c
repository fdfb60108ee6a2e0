// A number of up to 288 digits (a piece) is converted in groups of 9 digits. A longer one is split into
// high * 10^(piece * 2^i) + low, and both halves are converted the same way. Each power is the square of the
// one before.
#include "core/base/radix.h"

#include <openssl/bn.h>

#include "core/base/memory.h"

enum {
    GROUP_DIGITS = 9,  // 10^9 fits into 32 bits
    GROUP = 1000000000,
    PIECE_DIGITS_MAX = 288,
    PIECE_WORDS = 30,  // 288 digits are 957 bits
    PIECE_BYTES = PIECE_WORDS * 4,
    POWERS_MAX = 24,
};

struct powers {
    BIGNUM *items[POWERS_MAX];  // 10^(piece * 2^i)
    size_t count;               // how many times a number is split
    size_t piece;               // digits of the smallest part, at most PIECE_DIGITS_MAX
    BN_CTX *context;
};

static void powers_clear(struct powers *p)
{
    for (size_t i = 0; i < p->count; i++) {
        BN_free(p->items[i]);
    }
    BN_CTX_free(p->context);
}

static BIGNUM *first_power(size_t piece)
{
    char text[PIECE_DIGITS_MAX + 2] = "1";
    memset(text + 1, '0', piece);
    BIGNUM *power = NULL;
    INVARIANT(BN_dec2bn(&power, text) > 0);
    return power;
}

static void powers_make(struct powers *p, size_t digits)
{
    p->context = BN_CTX_new();
    INVARIANT(p->context != NULL);
    p->piece = digits;
    size_t levels = 0;
    for (; p->piece > PIECE_DIGITS_MAX; levels++) {
        p->piece = (p->piece + 1) / 2;
    }
    INVARIANT(levels <= POWERS_MAX);
    while (p->count < levels) {
        BIGNUM *power = p->count == 0 ? first_power(p->piece) : BN_new();
        INVARIANT(power != NULL);
        INVARIANT(p->count == 0 || BN_sqr(power, p->items[p->count - 1], p->context) == 1);
        p->items[p->count++] = power;
    }
}

// The most significant word is first; `words` is overwritten. The number has at most `count` digits.
static void words_to_digits(uint32_t *words, size_t word_count, uint8_t *ret_digits, size_t count)
{
    uint8_t *at = ret_digits + count;
    size_t first = 0;
    while (at > ret_digits) {
        while (first < word_count && words[first] == 0) {
            first++;
        }
        uint64_t rest = 0;
        for (size_t i = first; i < word_count; i++) {
            uint64_t part = (rest << 32) | words[i];
            words[i] = (uint32_t)(part / GROUP);
            rest = part % GROUP;
        }
        for (int i = 0; i < GROUP_DIGITS && at > ret_digits; i++) {
            *--at = (uint8_t)('0' + rest % 10);
            rest /= 10;
        }
    }
}

static void piece_to_digits(struct slice number, uint8_t *ret_digits, size_t count)
{
    uint32_t words[PIECE_WORDS];
    size_t word_count = (number.size + 3) / 4;
    size_t missing = word_count * 4 - number.size;
    for (size_t i = 0; i < word_count; i++) {
        words[i] = 0;
        for (size_t at = i * 4; at < i * 4 + 4; at++) {
            words[i] = (words[i] << 8) | (at < missing ? 0 : number.data[at - missing]);
        }
    }
    words_to_digits(words, word_count, ret_digits, count);
}

// Fills piece * 2^level digits at `ret_digits`; the number has at most as many.
static void halves_to_digits(const struct powers *p, const BIGNUM *number, size_t level, uint8_t *ret_digits)
{
    size_t count = p->piece << level;
    if (BN_is_zero(number)) {
        memset(ret_digits, '0', count);
        return;
    }
    if (level == 0) {
        uint8_t image[PIECE_BYTES];
        INVARIANT(BN_bn2binpad(number, image, sizeof(image)) == sizeof(image));
        piece_to_digits(slice_make(image, sizeof(image)), ret_digits, count);
        return;
    }
    BN_CTX_start(p->context);
    BIGNUM *high = BN_CTX_get(p->context);
    BIGNUM *low = BN_CTX_get(p->context);
    INVARIANT(low != NULL && BN_div(high, low, number, p->items[level - 1], p->context) == 1);
    halves_to_digits(p, high, level - 1, ret_digits);
    halves_to_digits(p, low, level - 1, ret_digits + count / 2);
    BN_CTX_end(p->context);
}

void radix_to_digits(struct slice number, uint8_t *ret_digits, size_t count)
{
    if (number.size <= PIECE_BYTES) {
        piece_to_digits(number, ret_digits, count);
        return;
    }
    struct powers powers CLEANUP(powers_clear) = {0};
    BIGNUM *whole = BN_bin2bn(number.data, (int)number.size, NULL);
    INVARIANT(whole != NULL);
    powers_make(&powers, (size_t)((uint64_t)BN_num_bits(whole) * 30103 / 100000) + 1);  // log10(2) is 0.30103
    size_t made = powers.piece << powers.count;
    uint8_t *digits CLEANUP(memory_free_pointer) = memory_new(made);
    halves_to_digits(&powers, whole, powers.count, digits);
    BN_free(whole);
    size_t used = made < count ? made : count;  // the rest is zeros
    memset(ret_digits, '0', count - used);
    memcpy(ret_digits + (count - used), digits + (made - used), used);
}

// The least significant word is first. Returns how many words are used.
static size_t piece_to_words(struct slice digits, uint32_t *words)
{
    size_t used = 0;
    for (size_t at = 0; at < digits.size;) {
        // The first group may be shorter, so that all others multiply by the same base.
        size_t group = at == 0 ? (digits.size - 1) % GROUP_DIGITS + 1 : GROUP_DIGITS;
        uint64_t carry = 0;
        for (size_t end = at + group; at < end; at++) {
            carry = carry * 10 + (uint64_t)(digits.data[at] - '0');
        }
        for (size_t i = 0; i < used; i++) {
            carry += (uint64_t)words[i] * GROUP;
            words[i] = (uint32_t)carry;
            carry >>= 32;
        }
        if (carry != 0) {
            words[used++] = (uint32_t)carry;
        }
    }
    return used;
}

static void piece_to_bytes(struct slice digits, uint8_t *ret, size_t size)
{
    uint32_t words[PIECE_WORDS];
    size_t used = piece_to_words(digits, words);
    for (size_t i = 0; i < size; i++) {
        ret[size - 1 - i] = i / 4 < used ? (uint8_t)(words[i / 4] >> (8 * (i % 4))) : 0;
    }
}

static void digits_to_number(const struct powers *p, struct slice digits, size_t level, BIGNUM *ret)
{
    if (level == 0) {
        uint8_t image[PIECE_BYTES];
        piece_to_bytes(digits, image, sizeof(image));
        INVARIANT(BN_bin2bn(image, sizeof(image), ret) != NULL);
        return;
    }
    size_t low_size = p->piece << (level - 1);
    if (digits.size <= low_size) {
        digits_to_number(p, digits, level - 1, ret);
        return;
    }
    size_t high_size = digits.size - low_size;
    BN_CTX_start(p->context);
    BIGNUM *high = BN_CTX_get(p->context);
    BIGNUM *low = BN_CTX_get(p->context);
    INVARIANT(low != NULL);
    digits_to_number(p, slice_make(digits.data, high_size), level - 1, high);
    digits_to_number(p, slice_make(digits.data + high_size, low_size), level - 1, low);
    INVARIANT(BN_mul(ret, high, p->items[level - 1], p->context) == 1 && BN_add(ret, ret, low) == 1);
    BN_CTX_end(p->context);
}

void radix_to_bytes(struct slice digits, uint8_t *ret, size_t size)
{
    if (digits.size <= PIECE_DIGITS_MAX) {
        piece_to_bytes(digits, ret, size);
        return;
    }
    struct powers powers CLEANUP(powers_clear) = {0};
    powers_make(&powers, digits.size);
    BIGNUM *number = BN_new();
    INVARIANT(number != NULL);
    digits_to_number(&powers, digits, powers.count, number);
    INVARIANT(BN_bn2binpad(number, ret, (int)size) == (int)size);
    BN_free(number);
}
