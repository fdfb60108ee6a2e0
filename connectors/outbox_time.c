#include "connectors/outbox_time.h"

#include <ctype.h>
#include <time.h>

#include "schemas/avro/avro_read.h"

static int64_t ms_of(int64_t time, int64_t per_ms)
{
    return time >= 0 ? time / per_ms : -1;
}

// timestamptz has the form of io.debezium.time.ZonedTimestamp, in UTC: 2026-01-02T03:04:05.678Z.
static int64_t zoned_ms(struct slice text)
{
    char copy[sizeof("2026-01-02T03:04:05.678")] = {0};
    struct tm utc = {0};
    memcpy(copy, text.data, text.size < sizeof(copy) - 1 ? text.size : sizeof(copy) - 1);
    const char *rest = strptime(copy, "%Y-%m-%dT%H:%M:%S", &utc);
    if (rest == NULL) {
        return -1;
    }
    int64_t ms = (int64_t)timegm(&utc) * 1000;
    int64_t digit = 100;
    for (rest += *rest == '.' ? 1 : 0; isdigit((unsigned char)*rest); rest++, digit /= 10) {
        ms += digit * (*rest - '0');
    }
    return ms < 0 ? -1 : ms;
}

int64_t outbox_time_ms(const struct avro_type *type, struct slice avro)
{
    struct cursor c = cursor_over(avro);
    switch (type->meaning) {
    case AVRO_MEANING_LOCAL_MS:
    case AVRO_MEANING_INSTANT_MS:
        return ms_of(avro_read_long(&c), 1);
    case AVRO_MEANING_LOCAL_US:
    case AVRO_MEANING_INSTANT_US:
        return ms_of(avro_read_long(&c), 1000);
    case AVRO_MEANING_LOCAL_NS:
    case AVRO_MEANING_INSTANT_NS:
        return ms_of(avro_read_long(&c), 1000000);
    case AVRO_MEANING_NONE:
    case AVRO_MEANING_DATE:
    case AVRO_MEANING_TIME_MS:
    case AVRO_MEANING_TIME_US:
    case AVRO_MEANING_TIME_NS:
    case AVRO_MEANING_DECIMAL:
    case AVRO_MEANING_VARIABLE_DECIMAL:
    case AVRO_MEANING_JSON:
        break;
    }
    return type->kind == AVRO_KIND_STRING ? zoned_ms(avro_read_bytes(&c)) : -1;
}
