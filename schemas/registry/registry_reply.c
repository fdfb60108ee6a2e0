// Source: Confluent Schema Registry API reference; its error codes.
#include "schemas/registry/registry_reply.h"

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "schemas/avro/avro_parsed.h"

enum {
    REGISTRY_REPLY_NO_SUBJECT = 40401,
    REGISTRY_REPLY_NO_VERSION = 40402,
    REGISTRY_REPLY_NO_SCHEMA = 40403,
};

// What to do about it, where that is not clear from the message.
static const char *advice(enum registry_ask ask, int status, json_int_t code)
{
    if (status == 401) {
        return "; check registry.auth: the registry does not accept the credentials";
    }
    if (status == 403) {
        return "; the credentials of registry.auth may not do this: ask for the right on the subject";
    }
    if (status >= 300 && status < 400) {
        return "; registry.url leads to another address, which is not followed: set it to the registry's own";
    }
    if (status == 404 && code < REGISTRY_REPLY_NO_SUBJECT) {
        return "; is registry.url the address of a registry, with its path?";
    }
    bool is_missing = code == REGISTRY_REPLY_NO_SUBJECT || code == REGISTRY_REPLY_NO_SCHEMA;
    if (ask == REGISTRY_ASK_FIND && is_missing) {
        return "; register it, or set registry.auto_register: true";
    }
    return ask == REGISTRY_ASK_LATEST && (is_missing || code == REGISTRY_REPLY_NO_VERSION)
               ? "; register it, or set registry.use_latest: false"
               : "";
}

// Fills the fault for a response that is not 2xx.
static bool fill_fault(enum registry_ask ask, const char *url, const struct http_response *response,
                       const json_t *json, struct fault *f)
{
    int status = response->status;
    const char *message = json_string_value(json_object_get(json, "message"));
    json_int_t code = json_integer_value(json_object_get(json, "error_code"));
    enum fault_kind kind = FAULT_CONFIG;
    if (status == 404 && code == REGISTRY_REPLY_NO_SCHEMA && ask == REGISTRY_ASK_ID) {
        kind = FAULT_REJECT;
    } else if (status == 408 || status == 429 || status >= 500) {
        kind = FAULT_RETRY;
    }
    CLEANUP(memory_free_pointer)
    char *wait =
        response->retry_after_us <= 0
            ? memory_string("")
            : memory_format("; Retry-After: %lld s", (long long)(response->retry_after_us / CLOCK_US_PER_S));
    return fault_from(f, kind, "registry", code != 0 ? (int)code : status,
                      "registry: %s: HTTP %d: %.250s%s%s", url, status,
                      message != NULL ? message : "no message", advice(ask, status, code), wait);
}

bool registry_reply_check(enum registry_ask ask, const char *url, const struct http_response *response,
                          const json_t *json, struct fault *f)
{
    if (response->transport.kind != FAULT_NONE) {
        *f = response->transport;
        f->kind = FAULT_RETRY;
        return fault_context(f, "registry: %s", url);
    }
    if (response->status < 200 || response->status > 299) {
        return fill_fault(ask, url, response, json, f);
    }
    if (response->is_cut) {
        return fault_set(f, FAULT_RETRY, "registry: %s: the response is too large for a schema registry's",
                         url);
    }
    const json_t *id = json_object_get(json, "id");
    bool is_id = json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) <= INT32_MAX;
    bool is_schema = json_is_string(json_object_get(json, "schema"));
    bool is_good = ask == REGISTRY_ASK_ID       ? is_schema
                   : ask == REGISTRY_ASK_LATEST ? is_id && is_schema
                                                : is_id;
    return is_good || fault_set(f, FAULT_RETRY, "registry: %s: the response is not a schema registry's", url);
}

static bool append_layout(struct bytes *out, const char *text, struct fault *f)
{
    struct avro_parsed_schema *schema = NULL;
    struct slice slice = slice_of(text);
    // What the registry's schema refers to is not here, so its names stay names.
    if (!avro_parsed_read(&slice, 1, AVRO_PARSED_OPEN, &schema, f)) {
        return false;
    }
    avro_parsed_write_layout(out, schema);
    avro_parsed_free(schema);
    return true;
}

bool registry_reply_check_latest(const char *subject, const char *text, const json_t *json, struct fault *f)
{
    struct bytes own CLEANUP(bytes_clear) = {0};
    struct bytes latest CLEANUP(bytes_clear) = {0};
    struct fault why;
    bool is_read = append_layout(&own, text, &why) &&
                   append_layout(&latest, json_string_value(json_object_get(json, "schema")), &why);
    if (!is_read || !slice_equal(bytes_slice(&own), bytes_slice(&latest))) {
        return fault_set(f, FAULT_CONFIG,
                         "registry: subject %s: its newest version %lld is not the table's schema, and with "
                         "registry.use_latest no other is registered: register the table's schema, or set "
                         "registry.use_latest: false",
                         subject, (long long)json_integer_value(json_object_get(json, "version")));
    }
    return true;
}
