// Which columns of a row functions see. A view of an event is made into one whose rows have only these: all
// that is written from it has only these, whatever form it has.
#ifndef SCHEMAS_JSON_EVENT_COLUMNS_H
#define SCHEMAS_JSON_EVENT_COLUMNS_H

#include "core/base/text.h"
#include "schemas/json/event_view.h"

struct event_columns;

/** @param include    names or globs of columns; none: all; lent
 *  @param exclude    of those; lent
 *  @param component  of log lines: a name that a table does not have is logged once for each table; lent;
 *                    NULL: nothing is logged */
struct event_columns *event_columns_new(const struct text_list *include, const struct text_list *exclude,
                                        const char *component);
void event_columns_free(struct event_columns *c);

/**
 * Removes what was not chosen from `before` and `after`, and so from the whole event. Key and source stay.
 *
 * @param memory  lent to `ret` until it is used again
 * @param f       FAULT_REJECT: the bytes do not match their schema
 */
bool event_columns_apply(struct event_columns *c, const struct event_view *e, struct bytes *memory,
                         struct event_view *ret, struct fault *f) MUST_USE;

#endif
