#include "core/config/settings.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "core/base/ip_network.h"
#include "core/base/memory.h"
#include "core/config/config_value.h"
#include "core/config/kafka_properties.h"
#include "core/config/tracing_rules.h"

enum { LIMIT_NUMBER_MAX = 1000000 };

// The names of librdkafka's properties, to suggest one: the first column of rd_kafka_conf_properties_show.
static void list_property_names(struct text_list *names)
{
    CLEANUP(memory_free_pointer) char *table = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&table, &size);
    INVARIANT(file != NULL);
    rd_kafka_conf_properties_show(file);
    INVARIANT(fclose(file) == 0);
    for (const char *line = table; *line != '\0';) {
        size_t length = strcspn(line, " \n");
        if (length > 0 && line[0] >= 'a' && line[0] <= 'z') {
            CLEANUP(memory_free_pointer) char *name = slice_to_string(slice_make(line, length));
            text_list_add(names, name);
        }
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
}

static void refuse_unknown_property(const char *property, struct fault *f)
{
    CLEANUP(text_list_clear) struct text_list names = {0};
    list_property_names(&names);
    const char **words = memory_zeroed(names.count + 1, sizeof(*words));
    for (size_t i = 0; i < names.count; i++) {
        words[i] = names.items[i];
    }
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(property, &quoted);
    const char *near = text_nearest(property, words);
    if (near == NULL) {
        (void)fault_set(f, FAULT_CONFIG, "librdkafka has no property %s", bytes_text(&quoted));
    } else {
        (void)fault_set(f, FAULT_CONFIG, "librdkafka has no property %s; did you mean \"%s\"?",
                        bytes_text(&quoted), near);
    }
    free(words);
}

static void free_conf(rd_kafka_conf_t **conf)
{
    rd_kafka_conf_destroy(*conf);
}

static enum config_verdict check_property(const char *property, const char *value, struct fault *f)
{
    const char *refusal = kafka_properties_refusal(property);
    if (refusal != NULL) {
        (void)fault_set(f, FAULT_CONFIG, "%s can't be set: %s", property, refusal);
        return CONFIG_BAD_KEY;
    }
    CLEANUP(free_conf) rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[300];
    rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, property, value == NULL ? "" : value, why, sizeof(why));
    if (result == RD_KAFKA_CONF_UNKNOWN) {
        refuse_unknown_property(property, f);
        return CONFIG_BAD_KEY;
    }
    if (result == RD_KAFKA_CONF_OK || value == NULL) {
        return CONFIG_GOOD;
    }
    (void)fault_set(f, FAULT_CONFIG, "%s",
                    kafka_properties_is_secret(property) ? "not a value librdkafka takes" : why);
    return CONFIG_BAD_VALUE;
}

static const struct config_rules settings_kafka_rules = {
    .check_pair = check_property,
    .is_secret = kafka_properties_is_secret,
};
static const struct config_rules settings_url_rules = {.check = config_value_check_url,
                                                       .redact = config_value_redact_url};

static const struct config_option settings_registry_auth[] = {
    {.key = "username",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct settings, registry.username),
     .doc = "Name for basic authentication."},
    {.key = "password",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct settings, registry.password),
     .doc = "Its password."},
    {.key = "token",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct settings, registry.token),
     .doc = "Bearer token, in place of name and password."},
    {.key = NULL},
};

static const struct config_option settings_registry_tls[] = {
    {.key = "ca",
     .type = CONFIG_FILE,
     .otherwise = "the system's authorities",
     .offset = offsetof(struct settings, registry.ca),
     .doc = "Certificates of the authorities to trust (PEM)."},
    {.key = "certificate",
     .type = CONFIG_FILE,
     .offset = offsetof(struct settings, registry.certificate),
     .doc = "The client's certificate, then those between it and its authority (PEM)."},
    {.key = "key",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct settings, registry.key),
     .doc = "Private key of the certificate (PEM, without a passphrase)."},
    {.key = NULL},
};

static const struct config_choice settings_subject_names[] = {{"topic", SUBJECT_NAMES_TOPIC},
                                                              {"record", SUBJECT_NAMES_RECORD},
                                                              {"topic_record", SUBJECT_NAMES_TOPIC_RECORD},
                                                              {NULL, 0}};

static const struct config_option settings_registry[] = {
    {.key = "url",
     .type = CONFIG_TEXT,
     .otherwise = "the embedded registry",
     .offset = offsetof(struct settings, registry.url),
     .rules = &settings_url_rules,
     .doc = "Address of a registry with Confluent's REST API."},
    {.key = "urls",
     .type = CONFIG_LIST,
     .offset = offsetof(struct settings, registry.urls),
     .rules = &settings_url_rules,
     .doc = "Further addresses of the same registry: when one does not respond, or responds with 5xx or 429, "
            "the next is asked."},
    {.key = "public_url",
     .type = CONFIG_TEXT,
     .otherwise = "`url`",
     .offset = offsetof(struct settings, registry.public_url),
     .rules = &settings_url_rules,
     .doc = "Address under which functions reach the registry, the embedded one too "
            "(`https://millrace.example/registry`): the `dataschema` of events begins with it. Without any "
            "address events have no `dataschema`."},
    {.key = "auth",
     .type = CONFIG_SECTION,
     .section = settings_registry_auth,
     .doc = "Credentials for the registry: username and password, or a token."},
    {.key = "tls",
     .type = CONFIG_SECTION,
     .section = settings_registry_tls,
     .doc = "TLS for https:// addresses of the registry."},
    {.key = "subject_names",
     .type = CONFIG_CHOICE,
     .choices = settings_subject_names,
     .initial = "topic",
     .offset = offsetof(struct settings, registry.subject_names),
     .doc = "Subjects of the connectors' schemas: topic (TOPIC-key, TOPIC-value), record (the record's full "
            "name) or topic_record (TOPIC-, then the record's full name), as Confluent's strategies."},
    {.key = "auto_register",
     .type = CONFIG_BOOL,
     .initial = "true",
     .offset = offsetof(struct settings, registry.auto_register),
     .doc = "Whether connectors register their schemas in the registry at `url`. Without it they look for "
            "them, and a table whose schema is not there stops."},
    {.key = "use_latest",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct settings, registry.use_latest),
     .doc =
         "Whether connectors take the id of the subject's newest version in the registry at `url`, which "
         "may differ from their own schema in documentation, defaults, aliases and other attributes only."},
    {.key = "normalize",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct settings, registry.normalize),
     .doc = "Whether the registry at `url` is asked to register and look for schemas in normal form."},
    {.key = NULL},
};

static const struct config_option settings_admin[] = {
    {.key = "listen",
     .type = CONFIG_ADDRESS,
     .initial = "127.0.0.1:7070",
     .offset = offsetof(struct settings, admin.host),
     .port_offset = offsetof(struct settings, admin.port),
     .word = "off",
     .doc =
         "Address of /metrics, /healthz, /readyz and the registry's REST API; port 0 takes any free one, off "
         "none."},
    {.key = "hosts",
     .type = CONFIG_LIST,
     .offset = offsetof(struct settings, admin.hosts),
     .doc =
         "Host names with dots that clients may use (globs). IP addresses, localhost and names without a dot "
         "are always accepted; any other Host is refused, because a web page could point its own name here."},
    {.key = NULL},
};

static const struct config_choice settings_policies[] = {{"private", ENDPOINT_POLICY_PRIVATE},
                                                         {"public", ENDPOINT_POLICY_PUBLIC},
                                                         {"list", ENDPOINT_POLICY_LIST},
                                                         {NULL, 0}};

/** A range of addresses, or a glob of host names. */
static bool check_allowed(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    struct ip_network network;
    if (ip_network_read(value, &network, f)) {
        return true;
    }
    bool is_name =
        value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*?")] == '\0';
    bool has_letter = strcspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") < strlen(value);
    return (is_name && has_letter) ||
           fault_context(f, "neither a host name such as *.svc.internal, nor a range of addresses");
}

static const struct config_rules settings_allow_rules = {.check = check_allowed};

static const struct config_option settings_bridge[] = {
    {.key = "processes",
     .type = CONFIG_INTEGER,
     .initial = "1",
     .min = 1,
     .max = 64,
     .offset = offsetof(struct settings, bridge.processes),
     .doc = "How many processes share the functions' work on this machine."},
    {.key = NULL},
};

static const struct config_choice settings_log_formats[] = {
    {"json", LOG_FORMAT_JSON}, {"text", LOG_FORMAT_TEXT}, {NULL, 0}};
static const struct config_choice settings_log_levels[] = {{"debug", LOG_LEVEL_DEBUG},
                                                           {"info", LOG_LEVEL_INFO},
                                                           {"warn", LOG_LEVEL_WARN},
                                                           {"error", LOG_LEVEL_ERROR},
                                                           {NULL, 0}};

static const struct config_option settings_log[] = {
    {.key = "format",
     .type = CONFIG_CHOICE,
     .choices = settings_log_formats,
     .initial = "json",
     .offset = offsetof(struct settings, log.format),
     .doc = "One JSON object on each line, or plain text."},
    {.key = "level",
     .type = CONFIG_CHOICE,
     .choices = settings_log_levels,
     .initial = "info",
     .offset = offsetof(struct settings, log.level),
     .doc = "The lowest level that is written."},
    {.key = NULL},
};

static const struct config_option settings_otlp[] = {
    {.key = "url",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct settings, tracing.url),
     .rules = &tracing_url_rules,
     .doc = "Address of the collector's OTLP/HTTP receiver, such as http://127.0.0.1:4318; `/v1/traces` is "
            "appended."},
    {.key = "headers",
     .type = CONFIG_PAIRS,
     .offset = offsetof(struct settings, tracing.headers),
     .rules = &tracing_header_rules,
     .doc = "Headers to send along, such as an API key; a value may be a secret, none is shown."},
    {.key = NULL},
};

static const struct config_option settings_tracing[] = {
    {.key = "otlp",
     .type = CONFIG_SECTION,
     .is_required = true,
     .section = settings_otlp,
     .doc = "Where spans are sent, as protobuf."},
    {.key = "sample",
     .type = CONFIG_TEXT,
     .initial = "0",
     .offset = offsetof(struct settings, tracing.sample),
     .rules = &tracing_sample_rules,
     .doc = "Share of the transactions for which a trace is begun, of their rows without one, such as 1%."},
    {.key = NULL},
};

static const struct config_option settings_options[] = {
    {.key = "kafka",
     .type = CONFIG_PAIRS,
     .is_required = true,
     .offset = offsetof(struct settings, kafka),
     .rules = &settings_kafka_rules,
     .doc =
         "Any property of librdkafka; bootstrap.servers is required. The properties that the delivery "
         "guarantees depend on (acks, idempotence, partitioner, auto commit, isolation, groups, assignment) "
         "can't be set."},
    {.key = "registry",
     .type = CONFIG_SECTION,
     .section = settings_registry,
     .word = "embedded",
     .doc = "Where Avro schemas are kept: in Kafka, by millrace itself, or in a registry of yours."},
    {.key = "admin", .type = CONFIG_SECTION, .section = settings_admin, .doc = "The admin port."},
    {.key = "bridge",
     .type = CONFIG_SECTION,
     .section = settings_bridge,
     .doc = "The half that calls functions."},
    {.key = "endpoint_policy",
     .type = CONFIG_CHOICE,
     .choices = settings_policies,
     .initial = "private",
     .offset = offsetof(struct settings, endpoint.policy),
     .doc = "Which addresses the URLs in functions' files may lead to: private (all but link-local "
            "addresses, those "
            "of metadata services, multicast), public (only globally reachable ones) or list (only "
            "endpoint_allow)."},
    {.key = "endpoint_allow",
     .type = CONFIG_LIST,
     .offset = offsetof(struct settings, endpoint.allow),
     .rules = &settings_allow_rules,
     .doc = "What functions may call besides: ranges of addresses such as 10.0.0.0/8, and host names such as "
            "*.svc.internal, which may lead to any address that private permits."},
    {.key = "limits",
     .type = CONFIG_TREE,
     .offset = offsetof(struct settings, limits.tree),
     .doc =
         "Limits that functions share, by name: each has `concurrency` (most calls at once), `rate` "
         "(`100/s`, `/m` or `/h`) and `burst`, or some of these. A function names one in `delivery.limit`; "
         "each bridge process counts for itself."},
    {.key = "tracing",
     .type = CONFIG_SECTION,
     .section = settings_tracing,
     .doc = "Spans of traced changes, from commit to call (docs/tracing.md)."},
    {.key = "log", .type = CONFIG_SECTION, .section = settings_log, .doc = "The log, on standard error."},
    {.key = NULL},
};

static bool has_servers(const struct yaml_node *kafka)
{
    static const char *const wanted[] = {"bootstrap.servers", NULL};
    for (size_t i = 0; i < kafka->count; i++) {
        // A misspelt bootstrap.servers has a complaint already.
        if (text_nearest(kafka->keys[i]->text, wanted) != NULL && kafka->items[i]->kind != YAML_NULL) {
            return true;
        }
    }
    return false;
}

/** Reads one number of a limit, from 1 to a million. */
static void read_limit_number(const struct config_file *file, const char *key, struct yaml_node *node,
                              int64_t *ret)
{
    struct fault f;
    if (node->kind != YAML_TEXT) {
        config_complain_at(file, node, "%s: must be a number", key);
    } else if (!config_value_integer(node->text, ret, &f)) {
        config_complain_at(file, node, "%s: %s", key, f.text);
    } else if (*ret < 1 || *ret > LIMIT_NUMBER_MAX) {
        config_complain_at(file, node, "%s: must be between 1 and %d", key, LIMIT_NUMBER_MAX);
    }
}

static void read_limit_rate(const struct config_file *file, struct yaml_node *node, struct config_rate *ret)
{
    struct fault f;
    if (node->kind != YAML_TEXT) {
        config_complain_at(file, node, "rate: must be a rate such as 100/s");
    } else if (!config_rate_parse(node->text, ret, &f)) {
        config_complain_at(file, node, "rate: %s", f.text);
    }
}

static void read_limit_member(const struct config_file *file, struct yaml_node *key, struct yaml_node *value,
                              struct limit_setting *limit)
{
    static const char *const known[] = {"concurrency", "rate", "burst", NULL};
    if (strcmp(key->text, "concurrency") == 0) {
        read_limit_number(file, key->text, value, &limit->concurrency);
    } else if (strcmp(key->text, "burst") == 0) {
        read_limit_number(file, key->text, value, &limit->burst);
    } else if (strcmp(key->text, "rate") == 0) {
        read_limit_rate(file, value, &limit->rate);
    } else {
        CLEANUP(bytes_clear) struct bytes quoted = {0};
        config_value_quote(key->text, &quoted);
        const char *near = text_nearest(key->text, known);
        config_complain_at(file, key, "unknown key %s%s%s%s", bytes_text(&quoted),
                           near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
                           near == NULL ? "" : "\"?");
    }
}

static void read_limit(const struct config_file *file, struct yaml_node *key, struct yaml_node *value,
                       struct limit_setting *limit)
{
    limit->name = memory_string(key->text);
    if (!config_value_is_name(key->text)) {
        config_complain_at(file, key, "a limit's name consists of a-z, 0-9 and -, at most 63 characters");
    }
    if (value->kind != YAML_MAP) {
        config_complain_at(file, value, "%s: must have concurrency, rate or both", key->text);
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        read_limit_member(file, value->keys[i], value->items[i], limit);
    }
    bool has_any = limit->concurrency > 0 || limit->rate.count > 0;
    if (!has_any && yaml_get(value, "concurrency") == NULL && yaml_get(value, "rate") == NULL) {
        config_complain_at(file, key, "%s: must have concurrency, rate or both", key->text);
    }
    if (limit->burst > 0 && yaml_get(value, "rate") == NULL) {
        config_complain_at(file, yaml_get(value, "burst"), "burst: has a meaning only with rate");
    }
    limit->burst = limit->burst > 0 ? limit->burst : config_rate_default_burst(&limit->rate);
}

static void read_limits(const struct config_file *file, struct settings *s)
{
    struct yaml_node *limits = yaml_get(file->root, "limits");
    if (limits == NULL || limits->kind == YAML_NULL) {
        return;
    }
    if (limits->kind != YAML_MAP) {
        config_complain_at(file, limits, "limits: must be NAME: {concurrency: …, rate: …}");
        return;
    }
    s->limits.items = memory_zeroed(limits->count + 1, sizeof(*s->limits.items));
    s->limits.count = limits->count;
    for (size_t i = 0; i < limits->count; i++) {
        read_limit(file, limits->keys[i], limits->items[i], &s->limits.items[i]);
    }
}

const struct limit_setting *settings_limit(const struct settings *s, const char *name)
{
    for (size_t i = 0; i < s->limits.count; i++) {
        if (strcmp(s->limits.items[i].name, name) == 0) {
            return &s->limits.items[i];
        }
    }
    return NULL;
}

static void clear_limits(struct settings *s)
{
    config_tree_clear(&s->limits.tree);
    for (size_t i = 0; i < s->limits.count; i++) {
        free(s->limits.items[i].name);
    }
    free(s->limits.items);
}

static void check_registry_auth(const struct config_file *file, const struct settings *s)
{
    bool has_name = s->registry.username != NULL;
    bool has_password = s->registry.password != NULL;
    bool has_token = s->registry.token != NULL;
    if (has_name != has_password || (has_token && has_name)) {
        config_complain(file, "registry.auth", "auth: set username and password, or token");
    }
    if ((s->registry.certificate.text != NULL) != (s->registry.key != NULL)) {
        config_complain(file, "registry.tls", "tls: certificate and key belong together");
    }
}

static void check_registry(const struct config_file *file, const struct settings *s)
{
    const struct yaml_node *registry = yaml_get(file->root, "registry");
    if (registry == NULL || registry->kind != YAML_MAP || !config_is_sound(file, "registry")) {
        return;
    }
    static const char *const REMOTE[] = {"auth", "urls", "tls"};
    for (size_t i = 0; s->registry.url == NULL && i < COUNT_OF(REMOTE); i++) {
        if (yaml_get(registry, REMOTE[i]) != NULL) {
            CLEANUP(memory_free_pointer) char *key = memory_format("registry.%s", REMOTE[i]);
            config_complain(file, key, "%s: the embedded registry has no %s; set url, too", REMOTE[i],
                            i == 0 ? "credentials" : "such setting");
            return;
        }
    }
    bool has_own = s->registry.public_url != NULL || yaml_get(registry, "subject_names") != NULL;
    if (s->registry.url == NULL && !has_own) {
        config_complain(file, "registry", "registry: set url, or public_url for the embedded registry");
    }
    check_registry_auth(file, s);
}

static void finish_settings(const struct config_file *file, void *config)
{
    const struct yaml_node *kafka = yaml_get(file->root, "kafka");
    if (kafka != NULL && kafka->kind == YAML_MAP && !has_servers(kafka)) {
        config_complain(file, "kafka",
                        "required key \"bootstrap.servers\" is missing: HOST:PORT of a broker");
    }
    check_registry(file, config);
    read_limits(file, config);
}

// The URL has no user and password (config_value_check_url); a query may have a key.
char *settings_registry_address(const struct settings *s)
{
    const char *url = s->registry.public_url != NULL ? s->registry.public_url : s->registry.url;
    size_t size = url == NULL ? 0 : strcspn(url, "?#");
    while (size > 0 && url[size - 1] == '/') {
        size--;
    }
    return url == NULL ? NULL : memory_format("%.*s", (int)size, url);
}

double settings_trace_sample(const struct settings *s)
{
    struct fault f;
    double share = 0;
    bool is_read = s->tracing.sample != NULL && tracing_sample_read(s->tracing.sample, &share, &f);
    return is_read ? share : 0;
}

void settings_clear(struct settings *s)
{
    if (s == NULL) {
        return;
    }
    text_pairs_clear(&s->kafka);
    memory_free_secret(s->registry.url);
    memory_free_secret(s->registry.public_url);
    free(s->registry.username);
    memory_free_secret(s->registry.password);
    memory_free_secret(s->registry.token);
    memory_free_secret(s->registry.key);
    config_text_clear(&s->registry.ca);
    config_text_clear(&s->registry.certificate);
    text_list_clear(&s->registry.urls);
    free(s->admin.host);
    text_list_clear(&s->admin.hosts);
    text_list_clear(&s->endpoint.allow);
    memory_free_secret(s->tracing.url);
    text_pairs_clear(&s->tracing.headers);
    free(s->tracing.sample);
    clear_limits(s);
    *s = (struct settings){0};
}

const struct config_kind settings_kind = {
    .name = "millrace",
    .place = "millrace.yaml",
    .doc = "What every process needs: one file, always there.",
    .example = "kafka:\n"
               "  bootstrap.servers: kafka1:9092,kafka2:9092\n"
               "  security.protocol: sasl_ssl\n"
               "  sasl.mechanism: SCRAM-SHA-512\n"
               "  sasl.username: millrace\n"
               "  sasl.password: {env: KAFKA_PASSWORD}\n"
               "registry: embedded\n"
               "admin: {listen: 127.0.0.1:7070}\n"
               "bridge: {processes: 1}\n"
               "log: {format: json, level: info}\n",
    .options = settings_options,
    .size = sizeof(struct settings),
    .finish = finish_settings,
};
