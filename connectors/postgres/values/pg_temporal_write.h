// write_text of dates and times, for all modes in which they are published.
#ifndef CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_WRITE_H
#define CONNECTORS_POSTGRES_VALUES_PG_TEMPORAL_WRITE_H

#include "schemas/avro/value_type.h"

enum value_step pg_temporal_write_date(struct bytes *out, const struct value_type *t, struct slice data,
                                       struct fault *f);
enum value_step pg_temporal_write_time(struct bytes *out, const struct value_type *t, struct slice data,
                                       struct fault *f);
enum value_step pg_temporal_write_zoned_time(struct bytes *out, const struct value_type *t, struct slice data,
                                             struct fault *f);
enum value_step pg_temporal_write_timestamp(struct bytes *out, const struct value_type *t, struct slice data,
                                            struct fault *f);
enum value_step pg_temporal_write_zoned_timestamp(struct bytes *out, const struct value_type *t,
                                                  struct slice data, struct fault *f);

#endif
