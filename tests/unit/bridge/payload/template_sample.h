// Records of a table `orders` with a column of each family, and functions that say what is made of them.
#ifndef TESTS_UNIT_BRIDGE_PAYLOAD_TEMPLATE_SAMPLE_H
#define TESTS_UNIT_BRIDGE_PAYLOAD_TEMPLATE_SAMPLE_H

#include "tests/unit/config_case.h"

#include "bridge/config/function_config.h"
#include "bridge/payload/payload.h"

/** The row of an order; NULL: the column is null. */
struct order {
    int64_t id;
    struct slice name;
    bool has_name;
    const char *data;  // of the json column
    struct slice blob;
};

/** An order of that name. */
struct order order_of(struct slice name);

/** A record and the memory that it borrows. */
struct order_record {
    struct record record;
    struct bytes key;
    struct bytes value;
    struct avro_type *key_type;
    struct avro_type *value_type;
};

/** A delete has the order as `before`, an update has it as both. */
void order_record_init(struct order_record *r, char op, const struct order *order);
void order_record_clear(struct order_record *r);

/** A function, from what its file has besides its topic. */
struct template_function {
    struct config_case file;
    struct function_config config;
    struct payload_options options;
    struct payload payload;
};

void template_function_init(struct template_function *t, const char *text);
void template_function_clear(struct template_function *t);

/** The body of the order's update; the caller frees it. A rejected event: `reason: message`. */
char *template_function_body(struct template_function *t, const struct order *order);

#endif
