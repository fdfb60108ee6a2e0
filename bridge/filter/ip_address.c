#include "bridge/filter/ip_address.h"

#include <arpa/inet.h>

#include "core/base/memory.h"

enum { V4_TEXT_MAX = 15, V6_TEXT_MAX = 45 };

/** Four decimal numbers up to 255; leading zeros stay decimal, as in Java. */
static bool read_v4(struct slice text, struct ip_address *ret)
{
    unsigned part = 0;
    unsigned digits = 0;
    size_t count = 0;
    if (text.size > V4_TEXT_MAX) {
        return false;
    }
    for (size_t i = 0; i <= text.size; i++) {
        uint8_t byte = i < text.size ? text.data[i] : '.';
        if (byte >= '0' && byte <= '9') {
            part = part * 10 + (byte - '0');
            digits++;
        } else if (byte == '.' && digits > 0 && part <= UINT8_MAX && count < 4) {
            ret->bytes[count++] = (uint8_t)part;
            part = 0;
            digits = 0;
        } else {
            return false;
        }
        if (part > UINT8_MAX) {
            return false;
        }
    }
    ret->size = 4;
    return count == 4;
}

static bool read_v6(struct slice text, struct ip_address *ret)
{
    static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};
    char copy[V6_TEXT_MAX + 1];
    if (text.size > V6_TEXT_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        copy[i] = (char)text.data[i];
        if (strchr("0123456789abcdefABCDEF:", copy[i]) == NULL || copy[i] == '\0') {
            return false;
        }
    }
    copy[text.size] = '\0';
    if (inet_pton(AF_INET6, copy, ret->bytes) != 1) {
        return false;
    }
    ret->size = 16;
    if (memcmp(ret->bytes, MAPPED, sizeof MAPPED) == 0) {
        memmove(ret->bytes, ret->bytes + sizeof MAPPED, 4);
        ret->size = 4;
    }
    return true;
}

bool ip_address_read(struct slice text, struct ip_address *ret)
{
    struct ip_address address = {0};
    if (text.size == 0 || (!read_v4(text, &address) && !read_v6(text, &address))) {
        return false;
    }
    *ret = address;
    return true;
}

const char *ip_address_read_range(struct slice text, struct ip_range *ret)
{
    const uint8_t *slash = text.size == 0 ? NULL : memchr(text.data, '/', text.size);
    struct ip_range range = {0};
    if (slash == NULL) {
        return "must be ADDRESS/BITS";
    }
    size_t before = (size_t)(slash - text.data);
    if (!ip_address_read(slice_make(text.data, before), &range.address)) {
        return "has no IPv4 or IPv6 address before the \"/\"";
    }
    struct slice bits = slice_make(slash + 1, text.size - before - 1);
    unsigned count = 0;
    for (size_t i = 0; i < bits.size && i < 4; i++) {
        if (bits.data[i] < '0' || bits.data[i] > '9') {
            return "must have a number of bits behind the \"/\"";
        }
        count = count * 10 + (bits.data[i] - '0');
    }
    if (bits.size == 0 || bits.size > 3) {
        return "must have a number of bits behind the \"/\"";
    }
    if (count >= range.address.size * 8U) {
        return range.address.size == 4 ? "must have fewer than 32 bits" : "must have fewer than 128 bits";
    }
    range.bits = (uint8_t)count;
    *ret = range;
    return NULL;
}

bool ip_address_is_in(const struct ip_address *address, const struct ip_range *range)
{
    size_t whole = range->bits / 8U;
    unsigned rest = range->bits % 8U;
    if (address->size != range->address.size || memcmp(address->bytes, range->address.bytes, whole) != 0) {
        return false;
    }
    return rest == 0 || (address->bytes[whole] ^ range->address.bytes[whole]) >> (8 - rest) == 0;
}
