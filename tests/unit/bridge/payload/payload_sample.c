#include "payload_sample.h"

#include "connectors/postgres/values/pg_number.h"
#include "connectors/postgres/values/pg_string.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/avro/framing.h"

static struct column columns[] = {
    {.name = (char *)"id", .type = {.ops = &PG_NUMBER_INT64}, .is_key = true},
    {.name = (char *)"note", .type = {.ops = &PG_STRING_TEXT}, .is_nullable = true},
};
static size_t key_columns[] = {0};
struct table orders = {
    .prefix = (char *)"shop",
    .schema = (char *)"public",
    .name = (char *)"orders",
    .topic = (char *)"shop.public.orders",
    .columns = columns,
    .column_count = 2,
    .key_columns = key_columns,
    .key_count = 1,
};

static struct avro_type *parse(void (*write)(struct bytes *out, const struct table *t))
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    struct avro_type *type = NULL;
    struct fault f;
    write(&text, &orders);
    assert_true(avro_type_parse(bytes_slice(&text), &type, &f));
    return type;
}

void sample_init(struct sample *s, char op, const char *note)
{
    *s = (struct sample){0};
    s->key_type = parse(avro_schema_key);
    s->value_type = parse(avro_schema_envelope);
    CLEANUP(bytes_clear) struct bytes row = {0};
    avro_encode_long(&row, 7);
    avro_encode_long(&row, 1);
    avro_encode_string(&row, slice_of(note));
    framing_put(&s->key, 1);
    avro_encode_long(&s->key, 7);
    framing_put(&s->value, 2);
    struct slice none = {NULL, 0};
    struct avro_envelope e = {
        .version = "0",
        .connector = "postgresql",
        .table = &orders,
        .database = "shop",
        .snapshot = "false",
        .op = op,
        .commit_time_us = INT64_C(1704164645678901),
        .lsn = 1,
        .before = op == 'd' ? bytes_slice(&row) : none,
        .after = op == 'd' ? none : bytes_slice(&row),
    };
    avro_encode_envelope(&s->value, &e);
    s->record = (struct record){
        .topic = "shop.public.orders",
        .id = slice_of("0000000000000010-00000001"),
        .has_key = true,
        .key = bytes_slice(&s->key),
        .value = bytes_slice(&s->value),
        .key_type = s->key_type,
        .value_type = s->value_type,
    };
}

void sample_clear(struct sample *s)
{
    avro_type_free(s->key_type);
    avro_type_free(s->value_type);
    bytes_clear(&s->key);
    bytes_clear(&s->value);
}

struct payload_options options_of(enum function_payload kind)
{
    return (struct payload_options){
        .kind = kind,
        .operations = FUNCTION_CREATE | FUNCTION_READ | FUNCTION_UPDATE | FUNCTION_DELETE,
        .bytes_max = 1 << 20,
        .view = FUNCTION_IMAGES_NEW_AND_OLD,
    };
}

char *body_of(struct payload *p, const struct payload_options *options, struct sample *s)
{
    struct fault f;
    payload_begin(p, options);
    assert_int_equal(payload_add(p, &s->record, &f), PAYLOAD_ADDED);
    payload_finish(p);
    return slice_to_string(bytes_slice(&p->body));
}
