// Reads the values of an avro_event for the filter.
#include "bridge/filter/avro_event.h"
#include "bridge/filter/avro_member.h"
#include "core/base/memory.h"
#include "schemas/json/json_encode.h"
#include "schemas/json/json_text.h"

// The value as its JSON, for all kinds that have no faster way.

/** The bytes of the value alone. */
static struct slice datum_of(struct avro_event *e, const struct avro_slot *slot)
{
    struct cursor c = cursor_over(slot->bytes);
    avro_read_skip(&c, slot->type);
    if (c.is_short) {
        avro_event_fail(e);
        return (struct slice){slot->bytes.data, 0};
    }
    return slice_make(slot->bytes.data, (size_t)(c.at - slot->bytes.data));
}

/** Appends the value as JSON and returns it without quotes. */
static struct slice render(struct avro_event *e, const struct avro_slot *slot, struct bytes *scratch)
{
    struct fault f;
    size_t before = scratch->size;
    if (!json_encode_datum(slot->type, datum_of(e, slot), NULL, scratch, &f)) {
        avro_event_fail(e);
        return (struct slice){NULL, 0};
    }
    struct slice json = slice_make(scratch->data + before, scratch->size - before);
    bool is_quoted = json.size >= 2 && json.data[0] == '"';
    return is_quoted ? slice_make(json.data + 1, json.size - 2) : json;
}

static bool is_ascii(struct slice text)
{
    uint64_t all = 0;
    size_t i = 0;
    for (; i + sizeof all <= text.size; i += sizeof all) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof word);
        all |= word;
    }
    for (; i < text.size; i++) {
        all |= text.data[i];
    }
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

/** The text with U+FFFD for what is not UTF-8, as JSON has it. */
static struct slice valid_text(struct slice text, struct bytes *scratch)
{
    if (is_ascii(text)) {
        return text;
    }
    size_t before = scratch->size;
    const uint8_t *end = text.data + text.size;
    for (const uint8_t *at = text.data; at < end;) {
        size_t size = json_text_character(at, end);
        if (size == 0) {
            bytes_append_string(scratch, "\xef\xbf\xbd");
        } else {
            bytes_append(scratch, at, size);
        }
        at += size == 0 ? 1 : size;
    }
    return slice_make(scratch->data + before, scratch->size - before);
}

static struct slice string_of(struct avro_event *e, const struct avro_slot *slot)
{
    struct cursor c = cursor_over(slot->bytes);
    struct slice text = avro_read_bytes(&c);
    if (c.is_short) {
        avro_event_fail(e);
    }
    return text;
}

static struct json_tree *new_tree(struct avro_event *e)
{
    if (e->tree_count == e->tree_capacity) {
        e->trees = memory_resize(e->trees, (e->tree_capacity + 1) * sizeof(struct json_tree *));
        e->trees[e->tree_capacity++] = memory_zeroed(1, sizeof(struct json_tree));
    }
    *e->trees[e->tree_count] = (struct json_tree){0};
    return e->trees[e->tree_count];
}

/** A column of JSON is its value, unless the text is no JSON. */
static void open_json(struct avro_event *e, uint64_t at)
{
    struct fault f;
    struct json_tree *tree = new_tree(e);
    struct avro_slot *slot = &e->slots[at];
    if (json_tree_parse(string_of(e, slot), (struct json_place){1, 1}, tree, &f)) {
        e->tree_count++;
        *slot = (struct avro_slot){.kind = AVRO_SLOT_JSON, .tree = tree, .node = 0};
    } else {
        slot->is_plain = true;
    }
}

static bool is_json_text(const struct avro_slot *slot)
{
    return slot->kind == AVRO_SLOT_VALUE && slot->type->kind == AVRO_KIND_STRING &&
           slot->type->meaning == AVRO_MEANING_JSON && !slot->is_plain;
}

/** A time of day is a string in JSON, unless it is beyond the day. */
static enum filter_kind kind_of_rendered(struct avro_event *e, const struct avro_slot *slot)
{
    CLEANUP(bytes_clear) struct bytes json = {0};
    struct fault f;
    if (!json_encode_datum(slot->type, datum_of(e, slot), NULL, &json, &f)) {
        avro_event_fail(e);
        return FILTER_NULL;
    }
    return json.data[0] == '"' ? FILTER_TEXT : FILTER_NUMBER;
}

static enum filter_kind kind_of_number(struct avro_event *e, const struct avro_slot *slot)
{
    switch (slot->type->meaning) {
    case AVRO_MEANING_NONE:
    case AVRO_MEANING_DECIMAL:
    case AVRO_MEANING_VARIABLE_DECIMAL:
    case AVRO_MEANING_JSON:
        return FILTER_NUMBER;
    case AVRO_MEANING_TIME_MS:
    case AVRO_MEANING_TIME_US:
    case AVRO_MEANING_TIME_NS:
        return kind_of_rendered(e, slot);
    case AVRO_MEANING_DATE:
    case AVRO_MEANING_LOCAL_MS:
    case AVRO_MEANING_LOCAL_US:
    case AVRO_MEANING_LOCAL_NS:
    case AVRO_MEANING_INSTANT_MS:
    case AVRO_MEANING_INSTANT_US:
    case AVRO_MEANING_INSTANT_NS:
        break;
    }
    return FILTER_TEXT;
}

/** NaN and the infinities, which are strings in JSON: the last bytes of a little-endian IEEE 754 number. */
static bool has_exponent_of_ones(struct slice bytes, size_t last, uint8_t high, uint8_t low)
{
    return bytes.size > last && (bytes.data[last] & high) == high && (bytes.data[last - 1] & low) == low;
}

static enum filter_kind kind_of_avro(struct avro_event *e, const struct avro_slot *slot)
{
    switch (slot->type->kind) {
    case AVRO_KIND_BOOLEAN:
        return slot->bytes.size > 0 && slot->bytes.data[0] == 1 ? FILTER_TRUE : FILTER_FALSE;
    case AVRO_KIND_INT:
    case AVRO_KIND_LONG:
        return kind_of_number(e, slot);
    case AVRO_KIND_FLOAT:
        return has_exponent_of_ones(slot->bytes, 3, 0x7f, 0x80) ? FILTER_TEXT : FILTER_NUMBER;
    case AVRO_KIND_DOUBLE:
        return has_exponent_of_ones(slot->bytes, 7, 0x7f, 0xf0) ? FILTER_TEXT : FILTER_NUMBER;
    case AVRO_KIND_BYTES:
    case AVRO_KIND_STRING:
    case AVRO_KIND_FIXED:
    case AVRO_KIND_ENUM:
        return FILTER_TEXT;
    case AVRO_KIND_ARRAY:
        return FILTER_ARRAY;
    case AVRO_KIND_MAP:
        return FILTER_OBJECT;
    case AVRO_KIND_RECORD:
        return slot->type->meaning == AVRO_MEANING_VARIABLE_DECIMAL ? FILTER_TEXT : FILTER_OBJECT;
    case AVRO_KIND_NULL:
    case AVRO_KIND_UNION:
        break;
    }
    return FILTER_NULL;
}

static enum filter_kind value_kind(struct filter_value value)
{
    struct avro_event *e = avro_event_of(value);
    if (avro_event_is_root(value)) {
        return FILTER_OBJECT;
    }
    if (is_json_text(avro_event_slot(value))) {
        open_json(e, value.at);
    }
    const struct avro_slot *slot = avro_event_slot(value);
    switch (slot->kind) {
    case AVRO_SLOT_VALUE:
        return kind_of_avro(e, slot);
    case AVRO_SLOT_TEXT:
        return FILTER_TEXT;
    case AVRO_SLOT_HEADERS:
        return FILTER_OBJECT;
    case AVRO_SLOT_HEADER_PAIR:
        return FILTER_ARRAY;
    case AVRO_SLOT_JSON:
        return JSON_TREE_OPS.kind(avro_event_json(slot));
    case AVRO_SLOT_ABSENT:
    case AVRO_SLOT_UNCHANGED:
    case AVRO_SLOT_NULL:
        break;
    }
    return FILTER_NULL;
}

/** The next element of an Avro array; the loop's slot keeps what is left. */
static bool next_item(struct avro_event *e, uint64_t loop, struct filter_value *ret)
{
    struct avro_slot *slot = &e->slots[loop];
    struct cursor c = cursor_over(slot->bytes);
    if (slot->left == 0) {
        slot->left = avro_read_block(&c);
    }
    if (slot->left == 0 || c.is_short) {
        if (c.is_short) {
            avro_event_fail(e);
        }
        return false;
    }
    struct cursor start = c;
    const struct avro_slot item = avro_slot_at(&start, slot->type->items);
    avro_read_skip(&c, slot->type->items);
    if (c.is_short) {
        avro_event_fail(e);
        return false;
    }
    slot->left--;
    slot->bytes = slice_make(c.at, cursor_left(&c));
    *ret = avro_event_value(e, item);
    return true;
}

static bool next_in_json(struct avro_event *e, uint64_t loop, struct filter_value *ret)
{
    struct avro_slot *slot = &e->slots[loop];
    struct filter_value item;
    if (!JSON_TREE_OPS.next(avro_event_json(slot), &slot->left, &item)) {
        return false;
    }
    const struct avro_slot found = {.kind = AVRO_SLOT_JSON, .tree = slot->tree, .node = item.at};
    *ret = avro_event_value(e, found);
    return true;
}

static bool next_of_pair(struct avro_event *e, uint64_t loop, struct filter_value *ret)
{
    struct avro_slot *slot = &e->slots[loop];
    if (slot->left == 2) {
        return false;
    }
    const struct avro_slot others = {.kind = AVRO_SLOT_HEADERS};
    *ret = avro_event_value(e, slot->left++ == 0 ? avro_member_header(slot->bytes) : others);
    return true;
}

/** The state is the index of a slot: slots and trees added after it belong to the element before. */
static bool value_next(struct filter_value array, uint64_t *state, struct filter_value *ret)
{
    struct avro_event *e = avro_event_of(array);
    if (*state == 0) {
        struct avro_slot loop = *avro_event_slot(array);
        loop.left = 0;
        loop.tree_count = e->tree_count;
        *state = avro_event_add(e, loop);
    }
    e->count = (uint32_t)*state + 1;
    avro_event_close_trees(e, e->slots[*state].tree_count);
    switch (e->slots[*state].kind) {
    case AVRO_SLOT_JSON:
        return next_in_json(e, *state, ret);
    case AVRO_SLOT_HEADER_PAIR:
        return next_of_pair(e, *state, ret);
    case AVRO_SLOT_VALUE:
        return next_item(e, *state, ret);
    case AVRO_SLOT_ABSENT:
    case AVRO_SLOT_UNCHANGED:
    case AVRO_SLOT_NULL:
    case AVRO_SLOT_TEXT:
    case AVRO_SLOT_HEADERS:
        break;
    }
    return false;
}

static struct slice value_text(struct filter_value value, struct bytes *scratch)
{
    struct avro_event *e = avro_event_of(value);
    const struct avro_slot *slot = avro_event_slot(value);
    if (slot->kind == AVRO_SLOT_JSON) {
        return JSON_TREE_OPS.text(avro_event_json(slot), scratch);
    }
    if (slot->kind == AVRO_SLOT_TEXT) {
        return valid_text(slot->bytes, scratch);
    }
    if (slot->type->kind == AVRO_KIND_STRING) {
        return valid_text(string_of(e, slot), scratch);
    }
    return render(e, slot, scratch);
}

static struct slice value_number(struct filter_value value, struct bytes *scratch)
{
    struct avro_event *e = avro_event_of(value);
    const struct avro_slot *slot = avro_event_slot(value);
    if (slot->kind == AVRO_SLOT_JSON) {
        return JSON_TREE_OPS.number(avro_event_json(slot), scratch);
    }
    bool is_whole = slot->type->kind == AVRO_KIND_INT || slot->type->kind == AVRO_KIND_LONG;
    if (!is_whole) {
        return render(e, slot, scratch);
    }
    struct cursor c = cursor_over(slot->bytes);
    size_t before = scratch->size;
    json_text_integer(scratch, avro_read_long(&c));
    return slice_make(scratch->data + before, scratch->size - before);
}

/** Equal bytes are equal values; of others only JSON may differ in how it is written. */
static bool value_same(struct filter_value a, struct filter_value b)
{
    struct avro_event *e = avro_event_of(a);
    const struct avro_slot *x = avro_event_slot(a);
    const struct avro_slot *y = avro_event_slot(b);
    if (x->kind == AVRO_SLOT_VALUE && y->kind == AVRO_SLOT_VALUE && x->type == y->type &&
        slice_equal(datum_of(e, x), datum_of(e, y))) {
        return true;
    }
    if (is_json_text(x)) {
        open_json(e, a.at);
    }
    if (is_json_text(y)) {
        open_json(e, b.at);
    }
    x = avro_event_slot(a);
    y = avro_event_slot(b);
    if (x->kind == AVRO_SLOT_JSON && y->kind == AVRO_SLOT_JSON) {
        return JSON_TREE_OPS.same(avro_event_json(x), avro_event_json(y));
    }
    return x->kind == AVRO_SLOT_NULL && y->kind == AVRO_SLOT_NULL;
}

const struct filter_value_ops AVRO_EVENT_OPS = {
    .kind = value_kind,
    .member = avro_member_find,
    .next = value_next,
    .text = value_text,
    .number = value_number,
    .same = value_same,
    .is_left_out = avro_member_is_left_out,
    .has_decimal_texts = true,
};
