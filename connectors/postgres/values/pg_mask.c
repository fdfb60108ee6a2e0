// As Debezium's column.mask.with.N.chars, column.truncate.to.N.chars and column.mask.hash.v2: the hash is
// that of the salt's bytes followed by the value's, shortened to the length of varchar(n) and char(n).
// Source: debezium, MaskStrings.java, TruncateColumn.java. Unlike there, columns of all types are masked.
#include "connectors/postgres/values/pg_mask.h"

#include "connectors/postgres/values/pg_oid.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/type_schema.h"

enum {
    PG_MASK_MODIFIER = 4,  // the length in a type's modifier includes the header
};

static const char HEX[] = "0123456789abcdef";

// The length in bytes of the first `limit` UTF-16 units.
static size_t cut(struct slice text, size_t limit)
{
    size_t units = 0;
    for (size_t i = 0; i < text.size; i++) {
        units += (size_t)text_java_units(text.data[i]);
        if (units > limit) {
            return i;
        }
    }
    return text.size;
}

static void append_hash(struct bytes *out, const struct value_type *t, const struct pg_mask *mask,
                        struct slice text)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool is_hashed = EVP_DigestInit_ex(mask->digest, mask->algorithm, NULL) == 1 &&
                     EVP_DigestUpdate(mask->digest, mask->text, strlen(mask->text)) == 1 &&
                     EVP_DigestUpdate(mask->digest, text.data, text.size) == 1 &&
                     EVP_DigestFinal_ex(mask->digest, digest, &size) == 1;
    INVARIANT(is_hashed);
    char digits[2 * EVP_MAX_MD_SIZE];
    for (unsigned i = 0; i < size; i++) {
        digits[2 * i] = HEX[digest[i] >> 4];
        digits[2 * i + 1] = HEX[digest[i] & 15];
    }
    size_t length = 2 * (size_t)size;
    length = t->length > 0 && (size_t)t->length < length ? (size_t)t->length : length;
    avro_encode_string(out, slice_make(digits, length));
}

static enum value_step append_text(struct bytes *out, const struct value_type *t, struct slice text,
                                   struct fault *f)
{
    const struct pg_mask *mask = t->lent;
    (void)f;
    switch (mask->kind) {
    case PG_MASK_TEXT:
        avro_encode_string(out, slice_of(mask->text));
        break;
    case PG_MASK_HASH:
        append_hash(out, t, mask, text);
        break;
    case PG_MASK_TRUNCATE:
        avro_encode_string(out, slice_make(text.data, cut(text, mask->limit)));
        break;
    }
    return VALUE_DONE;
}

// The real text stands in `out` for the time of the call.
static enum value_step append_binary(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    const struct pg_mask *mask = t->lent;
    size_t begin = out->size;
    if (t->element->ops->write_text(out, t->element, data, f) != VALUE_DONE) {
        out->size = begin;
        (void)fault_set(f, FAULT_REJECT, "a value of a masked column is not valid for its type");
        return VALUE_FAULT;
    }
    size_t end = out->size;
    (void)bytes_reserve(out, end - begin + strlen(mask->text) + 2 * EVP_MAX_MD_SIZE + 32);
    struct slice text = slice_make(out->data + begin, end - begin);
    (void)append_text(out, t, text, f);
    memmove(out->data + begin, out->data + end, out->size - end);
    out->size -= end - begin;
    return VALUE_DONE;
}

static enum value_step write_text(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    (void)data;
    (void)f;
    bytes_append_string(out, "***");
    return VALUE_DONE;
}

static void append_zero(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_long(out, 0);
}

static void append_placeholder(struct bytes *out, const struct value_type *t)
{
    (void)t;
    avro_encode_string(out, slice_of(VALUE_PLACEHOLDER));
}

static void append_schema(struct bytes *out, const struct value_type *t, struct slice default_json,
                          struct schema_names *io_names)
{
    const struct pg_mask *mask = t->lent;
    (void)io_names;
    struct type_schema schema = {.type = "string", .default_json = default_json};
    schema.parameters = slice_of(mask->kind == PG_MASK_TRUNCATE ? "" : "{\"masked\":\"true\"}");
    CLEANUP(bytes_clear) struct bytes length = {0};
    if (mask->kind == PG_MASK_TRUNCATE) {
        bytes_format(&length, "{\"truncateLength\":\"%zu\"}", mask->limit);
        schema.parameters = bytes_slice(&length);
    }
    type_schema_append(out, &schema);
}

static const struct type_ops MASKED = {
    .append_text = append_text,
    .append_binary = append_binary,
    .write_text = write_text,
    .append_zero = append_zero,
    .append_placeholder = append_placeholder,
    .append_schema = append_schema,
};

void pg_mask_apply(struct value_type *io, const struct pg_mask *mask)
{
    struct value_type *real = memory_new(sizeof(*real));
    *real = *io;
    bool has_length =
        (real->oid == PG_OID_BPCHAR || real->oid == PG_OID_VARCHAR) && real->modifier > PG_MASK_MODIFIER;
    *io = (struct value_type){
        .ops = &MASKED,
        .oid = real->oid,
        .modifier = real->modifier,
        .precision = -1,
        .length = has_length ? real->modifier - PG_MASK_MODIFIER : -1,
        .element = real,
        .lent = mask,
    };
}

bool pg_mask_is_on(const struct value_type *t)
{
    return t->ops == &MASKED;
}
