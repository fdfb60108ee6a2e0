#include "connectors/postgres/values/pg_geometric.h"

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_shape.h"
#include "connectors/postgres/values/pg_write.h"

#define GEOMETRY_SPACE "io.debezium.data.geometry"

static const char SCHEMA_GEOMETRY[] =
    "{\"type\":\"record\",\"name\":\"Geometry\",\"namespace\":\"" GEOMETRY_SPACE "\",\"fields\":["
    "{\"name\":\"wkb\",\"type\":\"bytes\"},"
    "{\"name\":\"srid\",\"type\":[\"null\",\"int\"],\"default\":null},"
    "{\"name\":\"extensions\",\"type\":[\"null\",{\"type\":\"map\",\"values\":\"string\"}],\"default\":null}]"
    ","
    "\"connect.doc\":\"Geometry\",\"connect.version\":2,"
    "\"connect.name\":\"" GEOMETRY_SPACE ".Geometry\"}";

#define POINT_FIELDS                                                                                         \
    "\"fields\":[{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"y\",\"type\":\"double\"},"                 \
    "{\"name\":\"wkb\",\"type\":[\"null\",\"bytes\"],\"default\":null},"                                     \
    "{\"name\":\"srid\",\"type\":[\"null\",\"int\"],\"default\":null}],"                                     \
    "\"connect.doc\":\"Geometry (POINT)\",\"connect.version\":1,"                                            \
    "\"connect.name\":\"" GEOMETRY_SPACE ".Point\"}"

static const char SCHEMA_POINT[] =
    "{\"type\":\"record\",\"name\":\"Point\",\"namespace\":\"" GEOMETRY_SPACE "\"," POINT_FIELDS;

static const char SCHEMA_POINT_INSIDE[] = "{\"type\":\"record\",\"name\":\"Point\"," POINT_FIELDS;

static const char SCHEMA_LINE[] =
    "{\"type\":\"record\",\"name\":\"Line\",\"namespace\":\"" GEOMETRY_SPACE "\",\"fields\":["
    "{\"name\":\"a\",\"type\":\"double\"},{\"name\":\"b\",\"type\":\"double\"},"
    "{\"name\":\"c\",\"type\":\"double\"}],"
    "\"connect.doc\":\"Geometry (LINE)\",\"connect.version\":1,"
    "\"connect.name\":\"" GEOMETRY_SPACE ".Line\"}";

static const char SCHEMA_CIRCLE_BEGIN[] =
    "{\"type\":\"record\",\"name\":\"Circle\",\"namespace\":\"" GEOMETRY_SPACE "\",\"fields\":["
    "{\"name\":\"center\",\"type\":";

static const char SCHEMA_CIRCLE_END[] = "},{\"name\":\"radius\",\"type\":\"double\"}],"
                                        "\"connect.doc\":\"Geometry (CIRCLE)\",\"connect.version\":1,"
                                        "\"connect.name\":\"" GEOMETRY_SPACE ".Circle\"}";

static enum pg_shape shape_of(const struct value_type *t)
{
    switch (t->oid) {
    case 600:
        return PG_SHAPE_POINT;
    case 601:
        return PG_SHAPE_LSEG;
    case 602:
        return PG_SHAPE_PATH;
    case 603:
        return PG_SHAPE_BOX;
    case 604:
        return PG_SHAPE_POLYGON;
    case 628:
        return PG_SHAPE_LINE;
    default:  // 718
        return PG_SHAPE_CIRCLE;
    }
}

static enum value_step append_text(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    return pg_shape_append_text(out, shape_of(t), text, f);
}

static enum value_step append_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    return pg_shape_append_binary(out, shape_of(t), data, f);
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    return pg_shape_write_text(out, shape_of(t), data, f);
}

static void append_zero(struct bytes *out, const struct value_type *t)
{
    pg_shape_append_zero(out, shape_of(t));
}

static void append_circle(struct bytes *out, struct schema_names *io_names)
{
    CLEANUP(bytes_clear) struct bytes circle = {0};
    bytes_append_string(&circle, SCHEMA_CIRCLE_BEGIN);
    pg_write_schema_record(&circle, GEOMETRY_SPACE ".Point", SCHEMA_POINT_INSIDE, GEOMETRY_SPACE, io_names);
    bytes_append_string(&circle, SCHEMA_CIRCLE_END);
    pg_write_schema_record(out, GEOMETRY_SPACE ".Circle", bytes_text(&circle), "", io_names);
}

void pg_geometric_append_geometry(struct bytes *out, struct schema_names *io_names)
{
    pg_write_schema_record(out, GEOMETRY_SPACE ".Geometry", SCHEMA_GEOMETRY, "", io_names);
}

static void append_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                          struct schema_names *io_names)
{
    (void)default_json;
    switch (shape_of(t)) {
    case PG_SHAPE_POINT:
        pg_write_schema_record(out, GEOMETRY_SPACE ".Point", SCHEMA_POINT, "", io_names);
        break;
    case PG_SHAPE_LINE:
        pg_write_schema_record(out, GEOMETRY_SPACE ".Line", SCHEMA_LINE, "", io_names);
        break;
    case PG_SHAPE_CIRCLE:
        append_circle(out, io_names);
        break;
    case PG_SHAPE_LSEG:
    case PG_SHAPE_BOX:
    case PG_SHAPE_PATH:
    case PG_SHAPE_POLYGON:
        pg_geometric_append_geometry(out, io_names);
        break;
    }
}

const struct type_ops PG_GEOMETRIC_POINT = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = write_text,
    .append_zero = append_zero,
    .append_placeholder = NULL,
    .append_schema = append_schema,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};

const struct type_ops PG_GEOMETRIC = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = write_text,
    .append_zero = append_zero,
    .append_placeholder = NULL,
    .append_schema = append_schema,
    .is_optional = true,
    .array = &PG_ARRAY_NO_PLACEHOLDER,
};
