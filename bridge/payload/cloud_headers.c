#include "bridge/payload/cloud_headers.h"

#include "schemas/json/json_text.h"

static const char PREFIX[] = "ce_";
enum { PREFIX_SIZE = sizeof(PREFIX) - 1, NAME_SIZE_MAX = 64 };

static bool is_text(struct slice value)
{
    const uint8_t *at = value.data;
    const uint8_t *end = at + value.size;
    while (at < end) {
        size_t size = json_text_character(at, end);
        bool is_control = *at < 0x20 || *at == 0x7f;
        if (size == 0 || is_control) {
            return false;
        }
        at += size;
    }
    return value.size > 0;
}

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return name.size > 0 && name.size <= NAME_SIZE_MAX;
}

/** Those that are written by themselves, and names that an event's data has. */
static bool is_special(struct slice name)
{
    static const char *const NAMES[] = {"specversion", "id", "datacontenttype", "data", "database64"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        if (slice_equal(name, slice_of(NAMES[i]))) {
            return true;
        }
    }
    return false;
}

/** The header's attribute, if it is one and no later header has the same name. */
static bool read_header(const struct record *r, size_t at, struct cloud_header *ret)
{
    const char *name;
    const void *value;
    const void *last;
    size_t size;
    if (rd_kafka_header_get_all(r->headers, at, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        strncmp(name, PREFIX, PREFIX_SIZE) != 0) {
        return false;
    }
    *ret = (struct cloud_header){slice_of(name + PREFIX_SIZE), slice_make(value, size)};
    return is_name(ret->name) && !is_special(ret->name) && is_text(ret->value) &&
           rd_kafka_header_get_last(r->headers, name, &last, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           last == value;
}

struct slice cloud_headers_id(const struct record *r)
{
    const void *value;
    size_t size;
    bool has_id =
        rd_kafka_header_get_last(r->headers, "ce_id", &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        is_text(slice_make(value, size));
    return has_id ? slice_make(value, size) : r->id;
}

bool cloud_headers_next(const struct record *r, size_t *at, struct cloud_header *ret)
{
    size_t count = rd_kafka_header_cnt(r->headers);
    while (*at < count) {
        if (read_header(r, (*at)++, ret)) {
            return true;
        }
    }
    return false;
}

bool cloud_headers_has(const struct record *r, const char *name)
{
    struct cloud_header header;
    for (size_t at = 0; cloud_headers_next(r, &at, &header);) {
        if (slice_equal(header.name, slice_of(name))) {
            return true;
        }
    }
    return false;
}
