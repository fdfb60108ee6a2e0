#include "schemas/registry/schema_identity.h"

#include <openssl/sha.h>

#include "core/base/memory.h"
#include "schemas/avro/avro_parsed.h"

#define SCHEMA_IDENTITY_ID_MAX (INT32_C(1) << 30)

static void append_part(struct bytes *out, json_t *part)
{
    bytes_append_byte(out, '\n');
    if (part != NULL) {
        avro_parsed_write_json(out, part);
    }
}

// In hex, as texts are compared and hashed as strings.
static char *digest_of(const struct bytes *text)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    CLEANUP(bytes_clear) struct bytes hex = {0};
    (void)SHA256(text->data, text->size, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        bytes_format(&hex, "%02x", digest[i]);
    }
    return memory_string(bytes_text(&hex));
}

char *schema_identity_make(const struct schema_parts *parts)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    struct avro_parsed_schema *schema = NULL;
    struct fault f;
    struct slice text = slice_of(parts->text);
    bool is_avro = parts->type == NULL || strcmp(parts->type, "AVRO") == 0;
    // What a schema refers to is in its references, so unknown names may stay names.
    if (is_avro && avro_parsed_read(&text, 1, AVRO_PARSED_OPEN, &schema, &f)) {
        avro_parsed_write(&out, schema);
        avro_parsed_free(schema);
    } else {
        bytes_append_slice(&out, text);
    }
    append_part(&out, parts->references);
    append_part(&out, parts->metadata);
    append_part(&out, parts->rules);
    if (!is_avro) {
        bytes_append_string(&out, parts->type);
    }
    return digest_of(&out);
}

void schema_identity_minify(struct bytes *out, struct slice text)
{
    bool is_inside = false;
    uint8_t *place = bytes_reserve(out, text.size + 1);
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool is_space = byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
        if (is_space && !is_inside) {
            continue;
        }
        *place++ = byte;
        out->size++;
        if (byte == '"') {
            is_inside = !is_inside;
        } else if (byte == '\\' && is_inside && i + 1 < text.size) {
            *place++ = text.data[++i];
            out->size++;
        }
    }
}

int32_t schema_identity_content_id(const char *text)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    (void)SHA256((const uint8_t *)text, strlen(text), digest);
    uint32_t top = 0;
    memcpy(&top, digest, sizeof top);
    return (int32_t)(__builtin_bswap32(top) >> 2) + 1;
}

int32_t schema_identity_next_id(int32_t id)
{
    return id >= SCHEMA_IDENTITY_ID_MAX ? 1 : id + 1;
}
