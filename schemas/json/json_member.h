// The members of a JSON object where they lie, without a tree.
#ifndef SCHEMAS_JSON_JSON_MEMBER_H
#define SCHEMAS_JSON_JSON_MEMBER_H

#include "core/base/bytes.h"

/** Borrowed from the text. */
struct json_member {
    struct slice name;   // as it is written, without its quotes
    struct slice value;  // without blanks around it
};

/** Zero-initialised except for `text` is before the first member. */
struct json_members {
    struct slice text;  // valid JSON; of other text there are fewer members, or none
    size_t at;
};

/** The next member; false: none. A text that is no object has none. */
bool json_members_next(struct json_members *m, struct json_member *ret);

/** The value of the last member of that name; false: none. */
bool json_member_find(struct slice text, struct slice name, struct slice *ret);

#endif
