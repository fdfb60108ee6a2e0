#include "bridge/payload/sequence_number.h"

enum {
    LSN_DIGITS = 20,
    INDEX_DIGITS = 10,
    POSITION_DIGITS = LSN_DIGITS + INDEX_DIGITS,
    POSITION_SIZE = 16 + 1 + 8,  // `<LSN>-<index>` in hex
    HASH_DIGITS = 20,
    OFFSET_DIGITS = 19,
};

/** Hex digits; false: others are among them. */
static bool read_hex(const uint8_t *at, size_t size, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t letter = at[i] | 0x20;
        bool is_digit = at[i] >= '0' && at[i] <= '9';
        if (!is_digit && (letter < 'a' || letter > 'f')) {
            return false;
        }
        value = value << 4 | (uint64_t)(is_digit ? at[i] - '0' : letter - 'a' + 10);
    }
    *ret = value;
    return true;
}

static char *put(char *at, uint64_t value, size_t width)
{
    for (size_t i = width; i > 0; i--) {
        at[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

/** The number behind the last dash, at most 19 digits; *ret_size is what is before it. */
static uint64_t split_offset(struct slice id, size_t *ret_size)
{
    uint64_t value = 0;
    uint64_t unit = 1;
    size_t at = id.size;
    for (; at > 0 && id.size - at < OFFSET_DIGITS && id.data[at - 1] >= '0' && id.data[at - 1] <= '9'; at--) {
        value += (uint64_t)(id.data[at - 1] - '0') * unit;
        unit *= 10;
    }
    bool is_offset = at > 0 && at < id.size && id.data[at - 1] == '-';
    *ret_size = is_offset ? at - 1 : id.size;
    return is_offset ? value : 0;
}

// FNV-1a: the same in every version, so that an event keeps its number.
static uint64_t hash(struct slice text)
{
    uint64_t value = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.size; i++) {
        value = (value ^ text.data[i]) * UINT64_C(1099511628211);
    }
    return value;
}

size_t sequence_number_of(struct slice id, char *ret)
{
    uint64_t lsn;
    uint64_t index;
    char *at = ret;
    if (id.size == POSITION_SIZE && id.data[16] == '-' && read_hex(id.data, 16, &lsn) &&
        read_hex(id.data + 17, 8, &index)) {
        at = put(at, lsn, LSN_DIGITS);
        at = put(at, index, INDEX_DIGITS);
        return (size_t)(at - ret);
    }
    size_t size;
    uint64_t offset = split_offset(id, &size);
    *at++ = '1';
    at = put(at, hash(slice_make(id.data, size)), HASH_DIGITS);
    at = put(at, offset, OFFSET_DIGITS);
    return (size_t)(at - ret);
}

bool sequence_number_is(struct slice text)
{
    bool is_number = text.size == POSITION_DIGITS || text.size == SEQUENCE_NUMBER_DIGITS_MAX;
    for (size_t i = 0; i < text.size && is_number; i++) {
        is_number = text.data[i] >= '0' && text.data[i] <= '9';
    }
    return is_number;
}
