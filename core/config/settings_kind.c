#include "core/config/settings_kind.h"

#include "core/base/ip_network.h"
#include "core/base/memory.h"
#include "core/config/config_value.h"
#include "core/config/settings_kafka.h"
#include "core/config/settings_limits.h"
#include "core/config/settings_registry.h"
#include "core/config/tracing_rules.h"

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

static bool check_directory(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    return value[0] == '/' || fault_set(f, FAULT_CONFIG, "must be an absolute path");
}

static const struct config_rules settings_directory_rules = {.check = check_directory};

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
     .section = settings_registry_options,
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
    {.key = "state_directory",
     .type = CONFIG_TEXT,
     .otherwise = "`$STATE_DIRECTORY`, else /var/lib/millrace",
     .offset = offsetof(struct settings, state_directory),
     .rules = &settings_directory_rules,
     .doc = "Where connectors with `toast: complete` keep values; no other file is written."},
    {.key = NULL},
};

static void finish_settings(const struct config_file *file, void *config)
{
    settings_kafka_check(file);
    settings_registry_check(file, config);
    settings_limits_read(file, config);
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
