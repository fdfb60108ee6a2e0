// Two schemas, the reader's and the writer's, with a newline between them: both are parsed, written in
// canonical form, parsed again and compared. The second canonical text must be the first one, and what is
// compared never crashes.
#include <stdint.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_compatible.h"

static struct avro_parsed_schema *parse(struct slice text, enum avro_parsed_names names)
{
    struct avro_parsed_schema *schema = NULL;
    struct fault f;
    return avro_parsed_read(&text, 1, names, &schema, &f) ? schema : NULL;
}

static void check_canonical(const struct avro_parsed_schema *schema)
{
    CLEANUP(bytes_clear) struct bytes once = {0};
    CLEANUP(bytes_clear) struct bytes twice = {0};
    avro_parsed_write(&once, schema);
    struct avro_parsed_schema *again = parse(bytes_slice(&once), AVRO_PARSED_OPEN);
    INVARIANT(again != NULL);
    avro_parsed_write(&twice, again);
    INVARIANT(slice_equal(bytes_slice(&once), bytes_slice(&twice)));
    avro_parsed_free(again);
}

static void check_itself(const struct avro_parsed_schema *schema)
{
    struct text_list messages = {0};
    (void)avro_compatible_check(schema, schema, "new", "old", &messages);
    text_list_clear(&messages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
    if (line == NULL) {
        return 0;
    }
    size_t first = (size_t)(line - data);
    struct avro_parsed_schema *reader = parse(slice_make(data, first), AVRO_PARSED_CLOSED);
    struct avro_parsed_schema *writer = parse(slice_make(line + 1, size - first - 1), AVRO_PARSED_CLOSED);
    if (reader != NULL) {
        check_canonical(reader);
        check_itself(reader);
    }
    if (reader != NULL && writer != NULL) {
        struct text_list messages = {0};
        bool is_good = avro_compatible_check(reader, writer, "new", "old", &messages);
        INVARIANT(is_good == (messages.count == 0));
        text_list_clear(&messages);
    }
    avro_parsed_free(reader);
    avro_parsed_free(writer);
    return 0;
}
