// The two tables of tests/golden/envelope, and their rows in Avro.
#ifndef TESTS_UNIT_SCHEMAS_AVRO_SAMPLE_TABLE_H
#define TESTS_UNIT_SCHEMAS_AVRO_SAMPLE_TABLE_H

#include "core/base/bytes.h"
#include "schemas/avro/table.h"

struct sample_column {
    const char *name;
    const struct type_ops *ops;
    bool is_nullable;
    bool is_array;
    int precision;
    int scale;
    const char *default_json;
};

/** A table bench.public.NAME whose first column is the key; free it with table_free. */
struct table *sample_table_new(const char *name, const struct sample_column *columns, size_t count);

/** bench.public.sample and bench.public.sample_default. */
struct table *sample_table(void);
struct table *sample_table_default(void);

/** Row 1 of `sample`, as in insert.json. */
void sample_table_row(struct bytes *out);

/** A golden file's text; the caller clears it. */
struct bytes sample_table_golden(const char *name);

#endif
