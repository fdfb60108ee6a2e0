// Orders as a connector writes them: an envelope with columns of every kind, and its bytes.
#ifndef TESTS_UNIT_BRIDGE_FILTER_ORDER_EVENT_H
#define TESTS_UNIT_BRIDGE_FILTER_ORDER_EVENT_H

#include "core/base/bytes.h"
#include "tests/unit/bridge/filter/order_schema.h"

struct order_row {
    int64_t id;
    const char *status;  // NULL: null
    int64_t cents;
    bool paid;
    double ratio;
    const char *doc;  // NULL: null
    const char *tag;
    const char *sku;
};

static inline void put_long(struct bytes *out, int64_t value)
{
    uint64_t n = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    for (; n >= 0x80; n >>= 7) {
        bytes_append_byte(out, (uint8_t)(n | 0x80));
    }
    bytes_append_byte(out, (uint8_t)n);
}

static inline void put_text(struct bytes *out, const char *text)
{
    put_long(out, (int64_t)strlen(text));
    bytes_append_string(out, text);
}

static inline void put_nullable_text(struct bytes *out, const char *text)
{
    put_long(out, text == NULL ? 0 : 1);
    if (text != NULL) {
        put_text(out, text);
    }
}

/** A decimal's unscaled value. */
static inline void put_unscaled(struct bytes *out, int64_t value)
{
    put_long(out, 8);
    for (int shift = 56; shift >= 0; shift -= 8) {
        bytes_append_byte(out, (uint8_t)((uint64_t)value >> shift));
    }
}

static inline void put_row(struct bytes *out, const struct order_row *row)
{
    float weight = 1.5F;
    put_long(out, row->id);
    put_nullable_text(out, row->status);
    put_long(out, 1);
    put_unscaled(out, row->cents);
    put_long(out, 1);
    put_long(out, 3);
    put_unscaled(out, 12500);
    bytes_append_byte(out, row->paid ? 1 : 0);
    put_long(out, 1);
    bytes_append(out, &row->ratio, sizeof row->ratio);
    bytes_append(out, &weight, sizeof weight);
    put_long(out, 1);
    put_long(out, 19723);  // 2024-01-01
    put_long(out, 1);
    put_long(out, INT64_C(11045500000));  // 03:04:05.5
    put_long(out, INT64_C(1704067200000001));
    put_long(out, 1);
    put_text(out, "\x01\x02\x03");
    put_nullable_text(out, row->doc);
    put_long(out, 1);
    put_long(out, -3);  // a block with its size
    struct bytes tags = {0};
    put_nullable_text(&tags, row->tag);
    put_nullable_text(&tags, NULL);
    put_nullable_text(&tags, "last");
    put_long(out, (int64_t)tags.size);
    bytes_append_slice(out, bytes_slice(&tags));
    bytes_clear(&tags);
    put_long(out, 0);
    put_long(out, 1);
    put_long(out, 2);
    put_text(out, "colour");
    put_text(out, "red");
    put_text(out, "colour");
    put_text(out, "blue");
    put_long(out, 0);
    put_long(out, 1);
    put_text(out, row->sku);
    put_long(out, 2);
    put_long(out, 1);
    put_text(out, "second");
    put_long(out, 7);
    put_long(out, 0);
}

/** NULL: no row. */
static inline void put_order(struct bytes *out, const char *op, const struct order_row *before,
                             const struct order_row *after)
{
    const struct order_row *rows[] = {before, after};
    for (int i = 0; i < 2; i++) {
        put_long(out, rows[i] == NULL ? 0 : 1);
        if (rows[i] != NULL) {
            put_row(out, rows[i]);
        }
    }
    put_text(out, "0.1.0");
    put_text(out, "shop");
    put_long(out, INT64_C(1704067200000));
    put_nullable_text(out, NULL);
    put_text(out, "public");
    put_text(out, "orders");
    put_long(out, 1);
    put_long(out, 771);
    put_long(out, 1);
    put_long(out, INT64_C(23456789));
    put_text(out, op);
    put_long(out, 1);
    put_long(out, INT64_C(1704067200123));
}

#endif
