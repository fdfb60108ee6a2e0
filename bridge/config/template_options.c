#include "bridge/config/template_options.h"

#include "bridge/config/function_config.h"
#include "bridge/config/header_rules.h"
#include "core/config/config_value.h"

static bool check_content_type(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    const char *slash = strchr(value, '/');
    return (slash != NULL && slash > value && slash[1] != '\0' && header_value_is_printable(value)) ||
           fault_set(f, FAULT_CONFIG, "no media type; write it as text/plain or application/json");
}

static const struct config_rules content_type_rules = {.check = check_content_type};

const struct config_option template_options[] = {
    {.key = "content_type",
     .type = CONFIG_TEXT,
     .initial = "application/json",
     .offset = offsetof(struct function_config, template.content_type),
     .rules = &content_type_rules,
     .doc = "Media type of the body. It says how values are written: as JSON, in a form "
            "(application/x-www-form-urlencoded), or as they are."},
    {.key = "body",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct function_config, template.body),
     .doc = "The body, with references such as `${after.id}` ([payloads.md](payloads.md#template))."},
    {.key = NULL},
};

static bool check_column(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    size_t size = strlen(value);
    return size < 2 || value[0] != '/' || value[size - 1] != '/' ||
           fault_set(f, FAULT_CONFIG, "columns are chosen by names or globs, not by regular expressions");
}

static const struct config_rules column_rules = {.check = check_column};

const struct config_option columns_options[] = {
    {.key = "include",
     .type = CONFIG_LIST,
     .otherwise = "all columns",
     .min = 1,
     .rules = &column_rules,
     .offset = offsetof(struct function_config, columns.include),
     .doc = "Columns of `before` and `after` that calls carry: names or globs."},
    {.key = "exclude",
     .type = CONFIG_LIST,
     .rules = &column_rules,
     .offset = offsetof(struct function_config, columns.exclude),
     .doc = "Columns that they do not carry, of those."},
    {.key = NULL},
};

/** Where path and query begin. */
static const char *target_of(const char *url)
{
    const char *host = strstr(url, "://");
    host = host == NULL ? url : host + 3;
    return host + strcspn(host, "/?#");
}

/** Checks the URL with a text in place of each reference. One that can't be read or stands in the host is
 * refused when the template is compiled. */
static bool check_url(const struct config_file *file, const char *value, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes plain = {0};
    template_skeleton(value, &plain);
    const char *first = strstr(value, "${");
    bool is_in_host = first != NULL && strstr(value, "://") != NULL && first < target_of(value);
    return is_in_host || strstr(bytes_text(&plain), "${") != NULL ||
           config_value_check_url(file, bytes_text(&plain), f);
}

const struct config_rules template_url_rules = {.check = check_url, .redact = config_value_redact_url};

/** The place of a mistake in a node's text. */
static void complain(const struct config_file *file, struct yaml_node *node, size_t skipped,
                     struct template_place place, const char *key, const char *why)
{
    uint32_t column = (uint32_t)node->text_column + place.column - 1;
    config_complain_place(file, (uint32_t)node->text_line + place.line - 1,
                          column + (place.line == 1 ? (uint32_t)skipped : 0), "%s: %s", key, why);
    node->is_bad = true;
}

static enum template_kind kind_of(const char *content_type)
{
    size_t size = strcspn(content_type, "; \t");
    struct slice type = slice_make(content_type, size);
    static const char JSON[] = "+json";
    bool has_suffix = size > sizeof(JSON) - 1 &&
                      strncasecmp(content_type + size - sizeof(JSON) + 1, JSON, sizeof(JSON) - 1) == 0;
    static const char APPLICATION[] = "application/json";
    static const char FORM[] = "application/x-www-form-urlencoded";
    if (has_suffix ||
        (type.size == sizeof(APPLICATION) - 1 && strncasecmp(content_type, APPLICATION, size) == 0)) {
        return TEMPLATE_OF_JSON;
    }
    return size == sizeof(FORM) - 1 && strncasecmp(content_type, FORM, size) == 0 ? TEMPLATE_OF_FORM
                                                                                  : TEMPLATE_OF_TEXT;
}

static void compile_body(const struct config_file *file, struct function_config *c)
{
    struct template_place place;
    struct fault f;
    struct template_config *t = &c->template;
    struct yaml_node *node = config_node(file, "template.body");
    if (!config_is_sound(file, "template.content_type") || !config_is_sound(file, "template.body")) {
        return;
    }
    enum template_kind kind = kind_of(t->content_type);
    if (!template_compile(slice_of(t->body), kind, &t->refs, &t->compiled, &place, &f)) {
        complain(file, node, 0, place, "body", f.text);
        return;
    }
    if (kind != TEMPLATE_OF_JSON && c->delivery.batch.events > 1 &&
        config_is_sound(file, "delivery.batch.events")) {
        config_complain(file, "delivery.batch.events",
                        "events: a template carries more than one event a call only as JSON; its "
                        "content_type is another");
    }
}

static void check_body(const struct config_file *file, struct function_config *c)
{
    if (c->payload != FUNCTION_PAYLOAD_TEMPLATE) {
        if (c->template.body != NULL && config_is_sound(file, "payload")) {
            config_complain(file, "template", "template: has a meaning only with payload template");
        }
        return;
    }
    if (c->template.body == NULL) {
        config_complain(file, "payload", "payload: template needs template: {body: …}");
        return;
    }
    compile_body(file, c);
}

/** Path segments that mean another path. */
static bool has_dot_segment(const char *target)
{
    for (const char *at = target; *at == '/';) {
        size_t size = strcspn(++at, "/?");
        if ((size == 1 && at[0] == '.') || (size == 2 && at[0] == '.' && at[1] == '.')) {
            return true;
        }
        at += size;
    }
    return false;
}

static void compile_url(const struct config_file *file, struct function_config *c)
{
    struct template_place place;
    struct fault f;
    const char *url = c->http.url;
    struct yaml_node *node = config_node(file, "endpoint.http.url");
    if (url == NULL || !template_is_one(url) || !config_is_sound(file, "endpoint.http.url")) {
        return;
    }
    const char *target = target_of(url);
    size_t skipped = (size_t)(target - url);
    const char *first = strstr(url, "${");
    if (first < target) {
        complain(file, node, (size_t)(first - url), (struct template_place){1, 1}, "url",
                 "a template can only be in the path and the query, never in scheme, host and port");
        return;
    }
    if (!template_compile(slice_of(target), TEMPLATE_OF_TARGET, &c->template.refs, &c->template.target,
                          &place, &f)) {
        complain(file, node, skipped, place, "url", f.text);
        return;
    }
    CLEANUP(bytes_clear) struct bytes plain = {0};
    template_skeleton(target, &plain);
    if (strchr(bytes_text(&plain), '#') != NULL || has_dot_segment(bytes_text(&plain))) {
        complain(file, node, skipped, (struct template_place){1, 1}, "url",
                 "with templates it can't have a fragment (#) or the segments . and ..");
    }
}

static void compile_header(const struct config_file *file, struct function_config *c,
                           const struct text_pair *header)
{
    struct template_place place;
    struct fault f;
    struct template_config *t = &c->template;
    struct template *made;
    if (!template_compile(slice_of(header->value), TEMPLATE_OF_HEADER, &t->refs, &made, &place, &f)) {
        struct yaml_node *node = yaml_get(config_node(file, "endpoint.http.headers"), header->key);
        if (node != NULL) {
            complain(file, node, 0, place, header->key, f.text);
        }
        return;
    }
    t->headers = memory_resize(t->headers, (t->header_count + 1) * sizeof(*t->headers));
    t->headers[t->header_count++] = (struct header_template){header->key, made};
}

/** A credential is sent as it is. Written plainly with a reference, it was meant to be filled in. */
static void check_credential(const struct config_file *file, const struct text_pair *header)
{
    struct yaml_node *node = yaml_get(config_node(file, "endpoint.http.headers"), header->key);
    if (node != NULL && node->kind == YAML_TEXT && header->value != NULL && template_is_one(header->value)) {
        config_complain_at(file, node,
                           "%s: a credential can't have references, it is sent as it is; if ${ is part of "
                           "it, use {file: PATH} or {env: NAME}",
                           header->key);
    }
}

/** The bytes of the record have all columns. */
static void check_columns(const struct config_file *file, const struct function_config *c)
{
    bool is_cut = c->columns.include.count + c->columns.exclude.count > 0;
    bool is_record = c->payload == FUNCTION_PAYLOAD_LAMBDA_KAFKA &&
                     c->lambda_kafka.encoding == FUNCTION_KAFKA_BASE64 &&
                     c->lambda_kafka.format != FUNCTION_KAFKA_JSON;
    if (is_cut && is_record && config_is_sound(file, "payload")) {
        config_complain(file, "columns",
                        "columns: lambda-kafka sends the record's bytes, with all columns; set "
                        "lambda_kafka: {format: json} or {encoding: json}");
    }
}

void template_options_finish(const struct config_file *file, struct function_config *c)
{
    check_body(file, c);
    compile_url(file, c);
    for (size_t i = 0; i < c->http.headers.count; i++) {
        if (template_config_is_header(&c->http.headers.items[i])) {
            compile_header(file, c, &c->http.headers.items[i]);
        } else {
            check_credential(file, &c->http.headers.items[i]);
        }
    }
    check_columns(file, c);
}
