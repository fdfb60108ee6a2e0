// The members of an avro_event's values: those that the plan has found, headers, and those of records, maps
// and JSON that are looked for by name.
#ifndef BRIDGE_FILTER_AVRO_MEMBER_H
#define BRIDGE_FILTER_AVRO_MEMBER_H

#include "bridge/filter/avro_event.h"

/** A header's bytes, as text; NULL data: null. */
struct avro_slot avro_member_header(struct slice bytes);

/** As filter_value_ops' `member`. */
bool avro_member_find(struct filter_value object, const struct filter_step *step, struct filter_value *ret);

/** Whether avro_member_find finds nothing because the column's value did not change and was not sent. */
bool avro_member_is_left_out(struct filter_value object, const struct filter_step *step);

#endif
