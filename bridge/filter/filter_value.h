// What a filter reads an event through, so that the same program runs over JSON, Avro or anything with
// members.
#ifndef BRIDGE_FILTER_FILTER_VALUE_H
#define BRIDGE_FILTER_FILTER_VALUE_H

#include "core/base/bytes.h"

enum filter_kind {
    FILTER_NULL,
    FILTER_FALSE,
    FILTER_TRUE,
    FILTER_NUMBER,
    FILTER_TEXT,
    FILTER_OBJECT,
    FILTER_ARRAY,
};

/** One value of an event; only its reader knows what the two members mean. */
struct filter_value {
    const void *data;
    uint64_t at;
};

/** One name of a path. Equal paths of a pattern have equal ids, counted from 0: a reader may remember by id.
 */
struct filter_step {
    struct slice name;
    uint32_t id;
};

/** How one kind of event is read. All results are borrowed from the event or from `scratch`. */
struct filter_value_ops {
    enum filter_kind (*kind)(struct filter_value value);
    /** The member of an object; false when it has none of that name. */
    bool (*member)(struct filter_value object, const struct filter_step *step, struct filter_value *ret);
    /** The next element of an array; `state` is 0 before the first one and then the reader's. False at the
     * end. */
    bool (*next)(struct filter_value array, uint64_t *state, struct filter_value *ret);
    /** The UTF-8 text of a FILTER_TEXT. */
    struct slice (*text)(struct filter_value value, struct bytes *scratch);
    /** The exact decimal text of a FILTER_NUMBER, as decimal_read takes it. */
    struct slice (*number)(struct filter_value value, struct bytes *scratch);
    /** Whether two values are equal, members in any order. */
    bool (*same)(struct filter_value a, struct filter_value b);
    /** Whether the object lacks the member because the value did not change and was not sent; NULL: never. */
    bool (*is_left_out)(struct filter_value object, const struct filter_step *step);
    /** A text such as "12.50" is compared with numbers too: functions get decimals as strings. */
    bool has_decimal_texts;
};

#endif
