// What makes two Avro schemas incompatible, in the words of Confluent's registry.
#ifndef SCHEMAS_AVRO_AVRO_COMPLAINT_H
#define SCHEMAS_AVRO_AVRO_COMPLAINT_H

#include "core/base/text.h"
#include "schemas/avro/avro_parsed.h"

enum { AVRO_COMPLAINTS_MAX = 200 };  // in one list

// Where in the reader's schema: a JSON pointer's parts, innermost first, on the stack.
struct avro_place {
    const struct avro_place *outer;
    const char *name;  // NULL: the index
    size_t index;
};

/** What the messages call the two schemas: "new", "old". */
struct avro_words {
    const char *reader;
    const char *writer;
};

/** As a JSON pointer; the root is "/". The caller frees it. */
char *avro_place_text(const struct avro_place *place);

/** These add a message and return false. */
bool avro_complaint_add(struct text_list *messages, const char *type, const char *description,
                        const char *more);
bool avro_complaint_type(const struct avro_words *words, const struct avro_parsed *reader,
                         const struct avro_parsed *writer, const struct avro_place *place,
                         struct text_list *messages);
bool avro_complaint_branch(const struct avro_words *words, const struct avro_parsed *writer,
                           const struct avro_place *place, struct text_list *messages);

#endif
