// Texts with references to parts of an event: `orders/${key.id}`. Compiled once for each function; what a
// reference becomes depends on where it stands.
//
//   ${PART}           $${ is ${ itself, a $ without a brace is a $
//   ${PART:-TEXT}     TEXT in place of a value that is absent, null or empty
//
//   PART              key before after row source headers op operation id topic partition offset time
//   PART.NAME.NAME    a column, and what is in it: of key, before, after, row and source; NAME may be in "…"
//   headers.NAME      a header of the record; NAME may have dots
#ifndef BRIDGE_TEMPLATE_TEMPLATE_H
#define BRIDGE_TEMPLATE_TEMPLATE_H

#include "bridge/template/template_reference.h"

/** What a text is. */
enum template_kind {
    TEMPLATE_OF_JSON,    // one JSON value
    TEMPLATE_OF_FORM,    // application/x-www-form-urlencoded
    TEMPLATE_OF_TEXT,    // any other body
    TEMPLATE_OF_TARGET,  // path and query of a URL
    TEMPLATE_OF_HEADER,  // a header's value
};

/** How a value is written where its reference stands. */
enum template_encoding {
    TEMPLATE_AS_JSON,    // a JSON value
    TEMPLATE_IN_STRING,  // inside of a JSON string
    TEMPLATE_IN_PATH,    // percent-encoded; neither absent nor empty
    TEMPLATE_IN_QUERY,   // percent-encoded
    TEMPLATE_IN_HEADER,  // printable ASCII, else percent-encoded
    TEMPLATE_AS_TEXT,
};

/** A literal text, and the reference behind it. */
struct template_part {
    char *literal;  // owned
    size_t literal_size;
    bool has_ref;
    uint32_t ref;  // in the template_refs
    enum template_encoding encoding;
    char *otherwise;  // the default, encoded; NULL: none; owned
};

/** Read-only once it is compiled. */
struct template
{
    enum template_kind kind;
    struct template_part *parts;
    size_t count;
};

/** Counted from 1; columns are characters. */
struct template_place {
    uint32_t line;
    uint32_t column;
};

/** Whether the text has a reference, or an escaped one. */
bool template_is_one(const char *text);

/**
 * Compiles a text.
 *
 * @param refs   gets its references
 * @param place  where in the text a fault is
 * @param f      FAULT_CONFIG: a reference is not known or not complete, or the text would be no JSON
 */
bool template_compile(struct slice text, enum template_kind kind, struct template_refs *refs,
                      struct template **ret, struct template_place *place, struct fault *f) MUST_USE;

/** Accepts NULL. */
void template_free(struct template *t);

/** Appends the text with each reference replaced by an `x`. */
void template_skeleton(const char *text, struct bytes *out);

/** Appends a text as it is written in this encoding, which is not AS_JSON. */
void template_encode(struct bytes *out, enum template_encoding encoding, struct slice text);

#endif
