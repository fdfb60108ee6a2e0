// The binary form, from geometry_send, is EWKB; the text form is EWKB in upper-case hex. EWKB begins with a
// byte for the order of bytes (1: little-endian), an int32 of type and flags and, with a flag, an int32 SRID.
#include "connectors/postgres/values/pg_postgis.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_geometric.h"
#include "connectors/postgres/values/pg_write.h"
#include "schemas/avro/avro_encode.h"

enum {
    EWKB_SRID = 0x20000000,
    EWKB_TYPE_AT = 1,
    EWKB_SRID_AT = 5,
    EWKB_SIZE_MIN = 9,
};

// GEOMETRYCOLLECTION EMPTY: Debezium's for a NOT NULL column without a value.
static const uint8_t EMPTY[] = {1, 7, 0, 0, 0, 0, 0, 0, 0};

static const char SCHEMA_GEOGRAPHY[] =
    "{\"type\":\"record\",\"name\":\"Geography\",\"namespace\":\"io.debezium.data.geometry\",\"fields\":["
    "{\"name\":\"wkb\",\"type\":\"bytes\"},"
    "{\"name\":\"srid\",\"type\":[\"null\",\"int\"],\"default\":null}],"
    "\"connect.doc\":\"Geography\",\"connect.version\":1,"
    "\"connect.name\":\"io.debezium.data.geometry.Geography\"}";

static uint32_t read_number(const uint8_t *at, bool is_little)
{
    uint32_t n;
    memcpy(&n, at, sizeof(n));
    return is_little ? n : __builtin_bswap32(n);
}

// `ewkb` may be in `out`.
static void append_srid(struct bytes *out, const uint8_t *ewkb)
{
    bool is_little = ewkb[0] != 0;
    bool has_srid = (read_number(ewkb + EWKB_TYPE_AT, is_little) & EWKB_SRID) != 0;
    int32_t srid = (int32_t)read_number(ewkb + EWKB_SRID_AT, is_little);
    avro_encode_long(out, has_srid ? 1 : 0);  // the union's branch
    if (has_srid) {
        avro_encode_long(out, srid);
    }
}

static enum value_step append_geography_binary(struct bytes *out, const struct value_type *t,
                                               struct slice data, struct fault *f)
{
    if (data.size < EWKB_SIZE_MIN) {
        return pg_write_refuse_binary(t->name, data, f);
    }
    avro_encode_string(out, data);
    append_srid(out, data.data);
    return VALUE_DONE;
}

static enum value_step append_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    enum value_step step = append_geography_binary(out, t, data, f);
    avro_encode_long(out, 0);  // extensions: null
    return step;
}

static int hex_digit(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    uint8_t letter = digit | 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static enum value_step append_geography_text(struct bytes *out, const struct value_type *t, struct slice text,
                                             struct fault *f)
{
    size_t size = text.size / 2;
    if (text.size % 2 != 0 || size < EWKB_SIZE_MIN) {
        return pg_write_refuse(t->name, text, f);
    }
    avro_encode_long(out, (int64_t)size);
    uint8_t *at = bytes_reserve(out, size);
    int bad = 0;
    for (size_t i = 0; i < size; i++) {
        int byte = hex_digit(text.data[2 * i]) * 16 | hex_digit(text.data[2 * i + 1]);
        bad |= byte;
        at[i] = (uint8_t)byte;
    }
    if (bad < 0) {
        return pg_write_refuse(t->name, text, f);
    }
    out->size += size;
    append_srid(out, out->data + out->size - size);
    return VALUE_DONE;
}

static enum value_step append_text(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    enum value_step step = append_geography_text(out, t, text, f);
    avro_encode_long(out, 0);  // extensions: null
    return step;
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    (void)f;
    for (size_t i = 0; i < data.size; i++) {
        bytes_append_byte(out, (uint8_t) "0123456789ABCDEF"[data.data[i] >> 4]);
        bytes_append_byte(out, (uint8_t) "0123456789ABCDEF"[data.data[i] & 15]);
    }
    return VALUE_DONE;
}

static void append_zero(struct bytes *out, const struct value_type *t)
{
    struct fault f;
    (void)append_binary(out, t, slice_make(EMPTY, sizeof(EMPTY)), &f);
}

static void append_geography_zero(struct bytes *out, const struct value_type *t)
{
    struct fault f;
    (void)append_geography_binary(out, t, slice_make(EMPTY, sizeof(EMPTY)), &f);
}

static void append_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                          struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    pg_geometric_append_geometry(out, io_names);
}

static void append_geography_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                                    struct schema_names *io_names)
{
    (void)t;
    (void)default_json;
    pg_write_schema_record(out, "io.debezium.data.geometry.Geography", SCHEMA_GEOGRAPHY, "", io_names);
}

const struct type_ops PG_POSTGIS_GEOMETRY = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = write_text,
    .append_zero = append_zero,
    .append_placeholder = NULL,
    .append_schema = append_schema,
    .is_optional = true,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};

const struct type_ops PG_POSTGIS_GEOGRAPHY = {
    .append_text = append_geography_text,
    .append_binary = append_geography_binary,
    .write_text = write_text,
    .append_zero = append_geography_zero,
    .append_placeholder = NULL,
    .append_schema = append_geography_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
