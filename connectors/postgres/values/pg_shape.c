// The text forms: (x,y) {a,b,c} [(x,y),(x,y)] (x,y),(x,y) [(x,y),…] ((x,y),…) <(x,y),r>. The binary forms are
// doubles, behind a byte for a closed path, and behind an int32 count of points for a path and a polygon.
//
// Debezium publishes line segments, boxes, paths and polygons as well-known binary (WKB), little-endian, and
// in `extensions` what that does not say.
#include "connectors/postgres/values/pg_shape.h"

#include <math.h>

#include "connectors/postgres/values/pg_float.h"
#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"
#include "schemas/avro/avro_encode.h"

enum {
    WKB_LINE_STRING = 2,
    WKB_POLYGON = 3,
    WKB_POINT_SIZE = 21,
    POINT_SIZE = 16,
};

// Reads one value's numbers in either form.
struct shape_reader {
    struct slice data;
    size_t at;  // text
    struct cursor cursor;
    bool is_binary;
    bool is_bad;
};

static struct shape_reader read_text(struct slice text)
{
    return (struct shape_reader){.data = text};
}

static struct shape_reader read_binary(struct slice data)
{
    return (struct shape_reader){.data = data, .cursor = cursor_over(data), .is_binary = true};
}

// Expects a punctuation mark in the text form.
static void expect(struct shape_reader *r, char mark)
{
    if (r->is_binary || r->is_bad) {
        return;
    }
    r->is_bad = r->at >= r->data.size || r->data.data[r->at] != (uint8_t)mark;
    r->at++;
}

static double take_double(struct shape_reader *r)
{
    double value = 0;
    if (!r->is_binary) {
        r->is_bad = r->is_bad || !pg_float_take(r->data, &r->at, &value);
        return value;
    }
    uint64_t bits = cursor_u64(&r->cursor);
    memcpy(&value, &bits, sizeof(value));
    return isnan(value) ? (double)NAN : value;  // as the text form: one NaN
}

static bool is_read(const struct shape_reader *r)
{
    return !r->is_bad &&
           (r->is_binary ? !r->cursor.is_short && cursor_left(&r->cursor) == 0 : r->at == r->data.size);
}

static void append_little(struct bytes *out, uint64_t number, int size)
{
    for (int i = 0; i < size; i++) {
        bytes_append_byte(out, (uint8_t)(number >> (8 * i)));
    }
}

static void append_double(struct bytes *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    append_little(out, bits, sizeof(bits));
}

static void append_point_record(struct bytes *out, double x, double y)
{
    append_double(out, x);
    append_double(out, y);
    avro_encode_long(out, 1);  // the union's branch
    avro_encode_long(out, WKB_POINT_SIZE);
    append_little(out, 1, 1);
    append_little(out, 1, 4);
    append_double(out, x);
    append_double(out, y);
    avro_encode_long(out, 0);  // srid: null
}

static void append_point(struct bytes *out, struct shape_reader *r)
{
    expect(r, '(');
    double x = take_double(r);
    expect(r, ',');
    double y = take_double(r);
    expect(r, ')');
    append_point_record(out, x, y);
}

static void append_line(struct bytes *out, struct shape_reader *r)
{
    static const char marks[] = "{,,";
    for (int i = 0; i < 3; i++) {
        expect(r, marks[i]);
        append_double(out, take_double(r));
    }
    expect(r, '}');
}

static void append_circle(struct bytes *out, struct shape_reader *r)
{
    expect(r, '<');
    append_point(out, r);
    expect(r, ',');
    append_double(out, take_double(r));
    expect(r, '>');
}

struct point {
    double x;
    double y;
};

static struct point take_point(struct shape_reader *r)
{
    struct point p;
    expect(r, '(');
    p.x = take_double(r);
    expect(r, ',');
    p.y = take_double(r);
    expect(r, ')');
    return p;
}

static void append_wkb_point(struct bytes *out, struct point p)
{
    append_double(out, p.x);
    append_double(out, p.y);
}

static void append_wkb_head(struct bytes *out, int kind, uint32_t points)
{
    append_little(out, 1, 1);
    append_little(out, (uint64_t)kind, 4);
    if (kind == WKB_POLYGON) {
        append_little(out, 1, 4);  // rings
    }
    append_little(out, points, 4);
}

// The fields behind `wkb`: the SRID, and the extensions with the shape's name.
static void append_wkb_tail(struct bytes *out, size_t begin, const char *name, const char *closed)
{
    pg_write_length(out, begin);
    avro_encode_long(out, 0);  // srid: null
    avro_encode_long(out, 1);  // the union's branch
    avro_encode_long(out, closed != NULL ? 2 : 1);
    if (closed != NULL) {
        avro_encode_string(out, slice_of("closed"));
        avro_encode_string(out, slice_of(closed));
    }
    avro_encode_string(out, slice_of("type"));
    avro_encode_string(out, slice_of(name));
    avro_encode_long(out, 0);
}

static void append_lseg(struct bytes *out, struct shape_reader *r)
{
    size_t begin = out->size;
    append_wkb_head(out, WKB_LINE_STRING, 2);
    expect(r, '[');
    append_wkb_point(out, take_point(r));
    expect(r, ',');
    append_wkb_point(out, take_point(r));
    expect(r, ']');
    append_wkb_tail(out, begin, "lseg", NULL);
}

static void append_box(struct bytes *out, struct shape_reader *r)
{
    size_t begin = out->size;
    struct point a = take_point(r);
    expect(r, ',');
    struct point b = take_point(r);
    append_wkb_head(out, WKB_POLYGON, 5);
    append_wkb_point(out, a);
    append_wkb_point(out, (struct point){a.x, b.y});
    append_wkb_point(out, b);
    append_wkb_point(out, (struct point){b.x, a.y});
    append_wkb_point(out, a);
    append_wkb_tail(out, begin, "box", NULL);
}

static uint32_t count_points(struct shape_reader *r)
{
    if (r->is_binary) {
        uint32_t count = cursor_u32(&r->cursor);
        r->is_bad = r->is_bad || cursor_left(&r->cursor) / POINT_SIZE < count;
        return r->is_bad ? 0 : count;
    }
    uint32_t count = 0;
    for (size_t i = r->at; i < r->data.size; i++) {
        count += r->data.data[i] == '(' ? 1 : 0;
    }
    return count;
}

static void append_path(struct bytes *out, struct shape_reader *r)
{
    size_t begin = out->size;
    bool is_closed;
    if (r->is_binary) {
        is_closed = cursor_u8(&r->cursor) != 0;
    } else {
        is_closed = r->data.size > 0 && r->data.data[0] == '(';
        expect(r, is_closed ? '(' : '[');
    }
    uint32_t count = count_points(r);
    append_wkb_head(out, WKB_LINE_STRING, count);
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        if (i > 0) {
            expect(r, ',');
        }
        append_wkb_point(out, take_point(r));
    }
    expect(r, is_closed ? ')' : ']');
    append_wkb_tail(out, begin, "path", is_closed ? "true" : "false");
}

// The ring is closed by its first point, if it has not that point at its end.
static void append_polygon(struct bytes *out, struct shape_reader *r)
{
    size_t begin = out->size;
    expect(r, '(');
    uint32_t count = count_points(r);
    append_wkb_head(out, WKB_POLYGON, count);
    size_t count_at = out->size - sizeof(count);
    struct point first = {0, 0};
    struct point last = {0, 0};
    for (uint32_t i = 0; i < count && !r->is_bad; i++) {
        if (i > 0) {
            expect(r, ',');
        }
        last = take_point(r);
        first = i == 0 ? last : first;
        append_wkb_point(out, last);
    }
    expect(r, ')');
    if (count >= 2 && (first.x != last.x || first.y != last.y)) {
        append_wkb_point(out, first);
        for (size_t i = 0; i < sizeof(count); i++) {
            out->data[count_at + i] = (uint8_t)((count + 1) >> (8 * i));
        }
    }
    append_wkb_tail(out, begin, "polygon", NULL);
}

typedef void shape_append(struct bytes *out, struct shape_reader *r);

static const struct {
    const char *name;
    shape_append *append;
    const char *zero;  // as Debezium's for a NOT NULL column without a value: the least that is valid
} SHAPES[] = {
    [PG_SHAPE_POINT] = {"a point", append_point, "(0,0)"},
    [PG_SHAPE_LINE] = {"a line", append_line, "{0,1,0}"},
    [PG_SHAPE_CIRCLE] = {"a circle", append_circle, "<(0,0),0>"},
    [PG_SHAPE_LSEG] = {"an lseg", append_lseg, "[(0,0),(1,0)]"},
    [PG_SHAPE_BOX] = {"a box", append_box, "(0,0),(1,1)"},
    [PG_SHAPE_PATH] = {"a path", append_path, NULL},
    [PG_SHAPE_POLYGON] = {"a polygon", append_polygon, "((0,0),(1,0),(0,1))"},
};

enum value_step pg_shape_append_text(struct bytes *out, enum pg_shape shape, struct slice text,
                                     struct fault *f)
{
    struct shape_reader r = read_text(text);
    SHAPES[shape].append(out, &r);
    return is_read(&r) ? VALUE_DONE : pg_write_refuse(SHAPES[shape].name, text, f);
}

enum value_step pg_shape_append_binary(struct bytes *out, enum pg_shape shape, struct slice data,
                                       struct fault *f)
{
    struct shape_reader r = read_binary(data);
    SHAPES[shape].append(out, &r);
    return is_read(&r) ? VALUE_DONE : pg_write_refuse_binary(SHAPES[shape].name, data, f);
}

void pg_shape_append_zero(struct bytes *out, enum pg_shape shape)
{
    if (shape == PG_SHAPE_PATH) {  // Debezium's does not say whether it is closed
        size_t begin = out->size;
        append_wkb_head(out, WKB_LINE_STRING, 2);
        append_wkb_point(out, (struct point){0, 0});
        append_wkb_point(out, (struct point){1, 0});
        append_wkb_tail(out, begin, "path", NULL);
        return;
    }
    struct fault f;
    (void)pg_shape_append_text(out, shape, slice_of(SHAPES[shape].zero), &f);
}

// The marks around points and numbers in the text form: `p` is a point, `n` a number, `*` points with commas.
static const char *const FORMATS[] = {
    [PG_SHAPE_POINT] = "p",     [PG_SHAPE_LINE] = "{n,n,n}", [PG_SHAPE_CIRCLE] = "<p,n>",
    [PG_SHAPE_LSEG] = "[p,p]",  [PG_SHAPE_BOX] = "p,p",      [PG_SHAPE_PATH] = "[*]",
    [PG_SHAPE_POLYGON] = "(*)",
};

static void write_point(struct bytes *out, struct shape_reader *r)
{
    struct point p = take_point(r);
    bytes_append_byte(out, '(');
    pg_float_write_double(out, p.x);
    bytes_append_byte(out, ',');
    pg_float_write_double(out, p.y);
    bytes_append_byte(out, ')');
}

static void write_points(struct bytes *out, struct shape_reader *r)
{
    uint32_t count = count_points(r);
    for (uint32_t i = 0; i < count; i++) {
        bytes_append_string(out, i > 0 ? "," : "");
        write_point(out, r);
    }
}

enum value_step pg_shape_write_text(struct bytes *out, enum pg_shape shape, struct slice data,
                                    struct fault *f)
{
    struct shape_reader r = read_binary(data);
    const char *format = FORMATS[shape];
    if (shape == PG_SHAPE_PATH && cursor_u8(&r.cursor) != 0) {
        format = "(*)";
    }
    for (; *format != '\0'; format++) {
        if (*format == 'p') {
            write_point(out, &r);
        } else if (*format == 'n') {
            pg_float_write_double(out, take_double(&r));
        } else if (*format == '*') {
            write_points(out, &r);
        } else {
            bytes_append_byte(out, (uint8_t)*format);
        }
    }
    return is_read(&r) ? VALUE_DONE : pg_write_refuse_binary(SHAPES[shape].name, data, f);
}
