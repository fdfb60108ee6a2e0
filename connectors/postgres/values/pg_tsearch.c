// tsvector's binary form, from tsvectorsend: an int32 count of lexemes and, for each, its text with a NUL, an
// int16 count of positions, and positions of 16 bits: two of weight (3 A, 2 B, 1 C, 0 D), 14 of place.
//
// tsquery's, from tsquerysend: an int32 count of items in prefix order, the right operand first; an item is a
// 1, weights, the flag for prefixes and a text with a NUL, or a 2, an operator and, for a phrase, an int16
// distance.
#include "connectors/postgres/values/pg_tsearch.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/type_schema.h"

enum {
    POSITION_MASK = 0x3fff,
    WEIGHT_SHIFT = 14,
    QUERY_DEPTH_MAX = 10000,
};

enum query_item {
    QUERY_VALUE = 1,
    QUERY_OPERATOR = 2,
};

enum query_operator {
    QUERY_NOT = 1,
    QUERY_AND = 2,
    QUERY_OR = 3,
    QUERY_PHRASE = 4,
};

static void write_lexeme(struct bytes *out, struct slice text)
{
    bytes_append_byte(out, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\') {
            bytes_append_byte(out, text.data[i]);
        }
        bytes_append_byte(out, text.data[i]);
    }
    bytes_append_byte(out, '\'');
}

static void write_positions(struct bytes *out, struct cursor *at)
{
    uint16_t count = cursor_u16(at);
    for (uint16_t i = 0; i < count && !at->is_short; i++) {
        uint16_t position = cursor_u16(at);
        bytes_format(out, "%c%d", i == 0 ? ':' : ',', position & POSITION_MASK);
        int weight = position >> WEIGHT_SHIFT;
        if (weight > 0) {
            bytes_append_byte(out, (uint8_t)('D' - weight));
        }
    }
}

static enum value_step write_vector(struct bytes *out, const struct value_type *t, struct slice data,
                                    struct fault *f)
{
    (void)t;
    struct cursor at = cursor_over(data);
    uint32_t count = cursor_u32(&at);
    for (uint32_t i = 0; i < count && !at.is_short; i++) {
        bytes_append_string(out, i > 0 ? " " : "");
        write_lexeme(out, cursor_string(&at));
        write_positions(out, &at);
    }
    return at.is_short || cursor_left(&at) > 0 ? pg_write_refuse_binary("a tsvector", data, f) : VALUE_DONE;
}

// PostgreSQL prints the left operand first and the binary form has the right one first. So the text is
// appended from its end to its beginning in one pass, and turned round when it is complete.
static void reverse(struct bytes *out, size_t begin)
{
    for (size_t i = begin, j = out->size; i + 1 < j; i++) {
        uint8_t byte = out->data[i];
        out->data[i] = out->data[--j];
        out->data[j] = byte;
    }
}

static void append_query_value(struct bytes *out, struct cursor *at)
{
    uint8_t weights = cursor_u8(at);
    bool is_prefix = cursor_u8(at) != 0;
    size_t begin = out->size;
    write_lexeme(out, cursor_string(at));
    bytes_append_string(out, weights != 0 || is_prefix ? ":" : "");
    bytes_append_string(out, is_prefix ? "*" : "");
    for (int i = 3; i >= 0; i--) {
        if ((weights & (1 << i)) != 0) {
            bytes_append_byte(out, (uint8_t)('D' - i));
        }
    }
    reverse(out, begin);
}

static int priority_of(uint8_t operator)
{
    static const int priorities[] = {[QUERY_NOT] = 4, [QUERY_AND] = 2, [QUERY_OR] = 1, [QUERY_PHRASE] = 3};
    return operator>= QUERY_NOT && operator<= QUERY_PHRASE ? priorities[operator] : 0;
}

static void append_operator(struct bytes *out, uint8_t operator, int distance)
{
    size_t begin = out->size;
    if (operator== QUERY_PHRASE && distance != 1) {
        bytes_format(out, " <%d> ", distance);
    } else {
        bytes_append_string(out, operator== QUERY_PHRASE ? " <-> " : operator== QUERY_OR ? " | " : " & ");
    }
    reverse(out, begin);
}

struct query {
    struct cursor at;
    uint32_t left;  // items that are not read
    bool is_bad;
};

// Appends one item with its operands. An operand has parentheses when its operator binds less than the one
// above it, and a phrase also as the right operand of a phrase.
static void append_query(struct bytes *out, struct query *q, int parent, bool is_right_of_phrase, int depth)
{
    if (q->left == 0 || depth > QUERY_DEPTH_MAX) {
        q->is_bad = true;
        return;
    }
    q->left--;
    uint8_t kind = cursor_u8(&q->at);
    if (kind == QUERY_VALUE) {
        append_query_value(out, &q->at);
        return;
    }
    uint8_t operator= cursor_u8(&q->at);
    int priority = priority_of(operator);
    if (kind != QUERY_OPERATOR || priority == 0) {
        q->is_bad = true;
        return;
    }
    int distance = operator== QUERY_PHRASE ? cursor_u16(&q->at) : 0;
    bool is_enclosed = priority < parent || (operator== QUERY_PHRASE && is_right_of_phrase);
    bytes_append_string(out, is_enclosed ? ") " : "");
    append_query(out, q, priority, operator== QUERY_PHRASE, depth + 1);
    if (operator== QUERY_NOT) {
        bytes_append_byte(out, '!');
    } else if (!q->is_bad) {
        append_operator(out, operator, distance);
        append_query(out, q, priority, false, depth + 1);
    }
    bytes_append_string(out, is_enclosed ? " (" : "");
}

static enum value_step write_query(struct bytes *out, const struct value_type *t, struct slice data,
                                   struct fault *f)
{
    (void)t;
    struct query q = {.at = cursor_over(data)};
    q.left = cursor_u32(&q.at);
    size_t begin = out->size;
    if (q.left > 0) {
        append_query(out, &q, -1, false, 0);
        reverse(out, begin);
    }
    bool is_whole = !q.is_bad && q.left == 0 && !q.at.is_short && cursor_left(&q.at) == 0;
    return is_whole ? VALUE_DONE : pg_write_refuse_binary("a tsquery", data, f);
}

static void append_vector_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                 struct schema_names *io_names)
{
    (void)t;
    (void)io_names;
    type_schema_append(out, &(struct type_schema){.type = "string",
                                                  .name = "io.debezium.data.Tsvector",
                                                  .default_json = default_json});
}

const struct type_ops PG_TSEARCH_VECTOR = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_vector,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = append_vector_schema,
    .array = &PG_ARRAY_REQUIRED,
};

const struct type_ops PG_TSEARCH_QUERY = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_query,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
