// A line of COPY … TO STDOUT as a snapshot gets it. Input: one byte, how many columns; then the line.
#include <stdint.h>
#include <stdlib.h>

#include "connectors/postgres/snapshot/pg_copy_text.h"
#include "core/base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pgoutput_tuple tuple;
    if (size == 0) {
        return 0;
    }
    size_t count = data[0];
    size_t line_size = size - 1;
    char *line = memory_new(line_size == 0 ? 1 : line_size);
    memcpy(line, data + 1, line_size);
    struct fault f;
    if (pg_copy_text_split(line, line_size, count, &tuple, &f)) {
        INVARIANT(tuple.count == count);
        size_t text_size = 0;
        for (size_t i = 0; i < count; i++) {
            const struct pgoutput_value *value = &tuple.values[i];
            INVARIANT(value->kind == PGOUTPUT_VALUE_TEXT || value->kind == PGOUTPUT_VALUE_NULL);
            text_size += value->size;
            for (size_t at = 0; at < value->size; at++) {
                line[0] ^= (char)value->data[at];  // each byte of it may be read
            }
        }
        INVARIANT(text_size <= line_size);
    } else {
        INVARIANT(f.kind == FAULT_FATAL);
    }
    free(line);
    return 0;
}
