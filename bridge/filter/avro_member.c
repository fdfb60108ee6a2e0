#include "bridge/filter/avro_member.h"

#include <string.h>

static bool take_slot(struct avro_event *e, uint32_t slot, struct filter_value *ret)
{
    *ret = (struct filter_value){e, slot};
    return e->slots[slot].kind != AVRO_SLOT_ABSENT && e->slots[slot].kind != AVRO_SLOT_UNCHANGED;
}

struct avro_slot avro_member_header(struct slice bytes)
{
    return (struct avro_slot){.kind = bytes.data == NULL ? AVRO_SLOT_NULL : AVRO_SLOT_TEXT, .bytes = bytes};
}

/** Whether a header's name is this one, a dot and more. */
static bool has_longer_header(const rd_kafka_headers_t *headers, const char *name)
{
    size_t length = strlen(name);
    const char *other = NULL;
    const void *data = NULL;
    size_t size = 0;
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &other, &data, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        if (strncmp(other, name, length) == 0 && other[length] == '.') {
            return true;
        }
    }
    return false;
}

/** A header's name may have dots: those below `headers` are joined again. */
static bool find_header(struct avro_event *e, uint32_t step, struct filter_value *ret)
{
    const struct plan_step *known = &e->plan->steps[step];
    const rd_kafka_headers_t *headers = e->source.headers;
    const void *data = NULL;
    size_t size = 0;
    if (headers == NULL) {
        return false;
    }
    bool is_there =
        rd_kafka_header_get_last(headers, known->header, &data, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
    bool has_longer = known->has_longer && has_longer_header(headers, known->header);
    struct avro_slot slot = avro_member_header(slice_make(data, size));
    if (has_longer) {
        slot.kind = is_there ? AVRO_SLOT_HEADER_PAIR : AVRO_SLOT_HEADERS;
    }
    if (is_there || has_longer) {
        *ret = avro_event_value(e, slot);
    }
    return is_there || has_longer;
}

static bool find_field(struct avro_event *e, struct avro_slot record, struct slice name,
                       struct filter_value *ret)
{
    struct cursor c = cursor_over(record.bytes);
    for (size_t i = 0; i < record.type->count && !c.is_short; i++) {
        const struct avro_field *field = &record.type->fields[i];
        if (slice_equal(avro_field_name(field), name)) {
            struct avro_slot found = avro_slot_at(&c, field->type);
            if (c.is_short) {
                break;
            }
            *ret = avro_event_value(e, found);
            return found.kind != AVRO_SLOT_UNCHANGED;
        }
        avro_read_skip(&c, field->type);
    }
    if (c.is_short) {
        avro_event_fail(e);
    }
    return false;
}

/** Of equal names the last one counts. */
static bool find_in_map(struct avro_event *e, struct avro_slot map, struct slice name,
                        struct filter_value *ret)
{
    struct cursor c = cursor_over(map.bytes);
    struct avro_slot found = {.kind = AVRO_SLOT_ABSENT};
    for (uint64_t left = avro_read_block(&c); left > 0; left = avro_read_block(&c)) {
        for (; left > 0 && !c.is_short; left--) {
            bool is_it = slice_equal(avro_read_bytes(&c), name);
            struct cursor value = c;
            avro_read_skip(&c, map.type->items);
            if (is_it && !c.is_short) {
                found = avro_slot_at(&value, map.type->items);
            }
        }
    }
    if (c.is_short) {
        avro_event_fail(e);
    }
    if (c.is_short || found.kind == AVRO_SLOT_ABSENT) {
        return false;
    }
    *ret = avro_event_value(e, found);
    return true;
}

static bool find_in_json(struct avro_event *e, struct avro_slot slot, const struct filter_step *step,
                         struct filter_value *ret)
{
    struct filter_value member;
    if (!JSON_TREE_OPS.member(avro_event_json(&slot), step, &member)) {
        return false;
    }
    *ret =
        avro_event_value(e, (struct avro_slot){.kind = AVRO_SLOT_JSON, .tree = slot.tree, .node = member.at});
    return true;
}

bool avro_member_find(struct filter_value object, const struct filter_step *step, struct filter_value *ret)
{
    struct avro_event *e = avro_event_of(object);
    const struct plan_step *known = &e->plan->steps[step->id];
    if (avro_event_is_root(object)) {
        return take_slot(e, known->member == PLAN_MEMBER_OP ? e->plan->op_slot : step->id, ret);
    }
    const struct avro_slot slot = *avro_event_slot(object);
    if (slot.kind == AVRO_SLOT_HEADERS) {
        return find_header(e, step->id, ret);
    }
    if (slot.kind == AVRO_SLOT_JSON) {
        return find_in_json(e, slot, step, ret);
    }
    if (slot.kind != AVRO_SLOT_VALUE) {
        return false;
    }
    if (known->is_static) {
        return take_slot(e, step->id, ret);
    }
    return slot.type->kind == AVRO_KIND_MAP      ? find_in_map(e, slot, step->name, ret)
           : slot.type->kind == AVRO_KIND_RECORD ? find_field(e, slot, step->name, ret)
                                                 : false;
}

bool avro_member_is_left_out(struct filter_value object, const struct filter_step *step)
{
    struct filter_value found = {0};
    return !avro_event_is_root(object) && !avro_member_find(object, step, &found) && found.data != NULL &&
           avro_event_slot(found)->kind == AVRO_SLOT_UNCHANGED;
}
