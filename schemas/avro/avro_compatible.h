// Whether values written with one schema can be read with another: Avro's schema resolution.
#ifndef SCHEMAS_AVRO_AVRO_COMPATIBLE_H
#define SCHEMAS_AVRO_AVRO_COMPATIBLE_H

#include "core/base/text.h"
#include "schemas/avro/avro_parsed.h"

/**
 * True when a reader with `reader` can read all that is written with `writer`. Otherwise adds what is in the
 * way, in the words of Confluent's registry, which name the two schemas `reader_word` and `writer_word`
 * ("new", "old"). Schemas too large to compare are incompatible.
 */
bool avro_compatible_check(const struct avro_parsed_schema *reader, const struct avro_parsed_schema *writer,
                           const char *reader_word, const char *writer_word, struct text_list *messages);

#endif
