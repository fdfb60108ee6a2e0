// Source: org.apache.avro.SchemaCompatibility's kinds of incompatibility; Confluent's registry for the
// messages, which its clients show.
#include "schemas/avro/avro_complaint.h"

#include "core/base/memory.h"

static void append_place(struct bytes *out, const struct avro_place *place)
{
    if (place == NULL) {
        return;
    }
    append_place(out, place->outer);
    bytes_append_byte(out, '/');
    if (place->name != NULL) {
        bytes_append_string(out, place->name);
    } else {
        bytes_format(out, "%zu", place->index);
    }
}

char *avro_place_text(const struct avro_place *place)
{
    struct bytes text = {0};
    append_place(&text, place);
    if (text.size == 0) {
        bytes_append_byte(&text, '/');
    }
    char *copy = memory_string(bytes_text(&text));
    bytes_clear(&text);
    return copy;
}

static void upper_kind(enum avro_kind kind, char *out, size_t size)
{
    const char *name = avro_parsed_kind_name(kind);
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < size; i++) {
        out[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
    }
    out[i] = '\0';
}

bool avro_complaint_add(struct text_list *messages, const char *type, const char *description,
                        const char *more)
{
    if (messages->count < AVRO_COMPLAINTS_MAX) {
        CLEANUP(memory_free_pointer)
        char *text =
            memory_format("{errorType:'%s', description:'%s', additionalInfo:'%s'}", type, description, more);
        text_list_add(messages, text);
    }
    return false;
}

bool avro_complaint_type(const struct avro_words *words, const struct avro_parsed *reader,
                         const struct avro_parsed *writer, const struct avro_place *place,
                         struct text_list *messages)
{
    char kinds[2][16];
    upper_kind(reader->kind, kinds[0], sizeof kinds[0]);
    upper_kind(writer->kind, kinds[1], sizeof kinds[1]);
    CLEANUP(memory_free_pointer) char *at = avro_place_text(place);
    CLEANUP(memory_free_pointer)
    char *description =
        memory_format("The type (path '%s') of a field in the %s schema does not match with the %s schema",
                      at, words->reader, words->writer);
    CLEANUP(memory_free_pointer)
    char *more = memory_format("reader type: %s not compatible with writer type: %s", kinds[0], kinds[1]);
    return avro_complaint_add(messages, "TYPE_MISMATCH", description, more);
}

bool avro_complaint_branch(const struct avro_words *words, const struct avro_parsed *writer,
                           const struct avro_place *place, struct text_list *messages)
{
    char kind[16];
    upper_kind(writer->kind, kind, sizeof kind);
    CLEANUP(memory_free_pointer) char *at = avro_place_text(place);
    CLEANUP(memory_free_pointer)
    char *description =
        memory_format("The %s schema is missing a type inside a union field at path '%s' in the %s schema",
                      words->reader, at, words->writer);
    CLEANUP(memory_free_pointer) char *more = memory_format("reader union lacking writer type: %s", kind);
    return avro_complaint_add(messages, "MISSING_UNION_BRANCH", description, more);
}
