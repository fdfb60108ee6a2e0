// Values of masked columns: a fixed text, a hash or the beginning of the text, whatever the column's type.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_MASK_H
#define CONNECTORS_POSTGRES_VALUES_PG_MASK_H

#include <openssl/evp.h>

#include "schemas/avro/value_type.h"

enum pg_mask_kind {
    PG_MASK_TEXT,      // `text` instead of the value
    PG_MASK_HASH,      // hex digits of the hash of `text` and the value
    PG_MASK_TRUNCATE,  // the first `limit` characters
};

/** One mask. It outlives the types that have it. */
struct pg_mask {
    enum pg_mask_kind kind;
    const char *text;  // lent: the mask, or the salt
    size_t limit;      // in UTF-16 units, as Java counts; a character is never cut
    const EVP_MD *algorithm;
    EVP_MD_CTX *digest;  // owned, reused; HASH
};

/** Makes the type a string whose values are masked; it keeps what it was for its binary form. */
void pg_mask_apply(struct value_type *io, const struct pg_mask *mask);

/** Whether the type's values are masked: its real ones must not be shown. */
bool pg_mask_is_on(const struct value_type *t);

#endif
