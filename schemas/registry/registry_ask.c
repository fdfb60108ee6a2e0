//   POST /subjects/S/versions {"schema":"…"}  ->  {"id":N}      register or find
//   POST /subjects/S {"schema":"…"}           ->  {"id":N}      find; 404: not registered
//   GET  /subjects/S/versions/latest          ->  {"id":N,"schema":"…"}
//   GET  /schemas/ids/N                       ->  {"schema":"…"}; 404 with error_code 40403: no such id
//
// Source: Confluent Schema Registry API reference.
#include "schemas/registry/registry_ask.h"

#include "core/base/memory.h"
#include "core/base/text.h"

const char *registry_ask_method(enum registry_ask ask)
{
    return ask == REGISTRY_ASK_REGISTER || ask == REGISTRY_ASK_FIND ? "POST" : "GET";
}

static void append_segment(struct bytes *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        if (is_letter || strchr("-._~", *c) != NULL) {
            bytes_append_byte(out, (uint8_t)*c);
        } else {
            bytes_format(out, "%%%02X", (uint8_t)*c);
        }
    }
}

char *registry_ask_path(enum registry_ask ask, const char *subject, bool is_normal)
{
    struct bytes path CLEANUP(bytes_clear) = {0};
    bytes_append_string(&path, "/subjects/");
    append_segment(&path, subject);
    bytes_append_string(&path, ask == REGISTRY_ASK_REGISTER ? "/versions"
                               : ask == REGISTRY_ASK_LATEST ? "/versions/latest"
                                                            : "");
    bytes_append_string(&path, is_normal && ask != REGISTRY_ASK_LATEST ? "?normalize=true" : "");
    return memory_string(bytes_text(&path));
}

char *registry_ask_id_path(int32_t id)
{
    return memory_format("/schemas/ids/%d?format=resolved", id);
}

void registry_ask_append_body(enum registry_ask ask, const char *text, struct bytes *out)
{
    if (ask == REGISTRY_ASK_REGISTER || ask == REGISTRY_ASK_FIND) {
        bytes_append_string(out, "{\"schema\":");
        text_append_json(out, slice_of(text));
        bytes_append_byte(out, '}');
    }
}
