// One function's file, DIR/functions/NAME.yaml, as a struct.
#ifndef BRIDGE_CONFIG_FUNCTION_CONFIG_H
#define BRIDGE_CONFIG_FUNCTION_CONFIG_H

#include "bridge/config/auth_config.h"
#include "bridge/config/aws_config.h"
#include "bridge/config/payload_config.h"
#include "bridge/config/process_config.h"
#include "bridge/config/start_position.h"
#include "bridge/config/status_table.h"
#include "bridge/config/template_config.h"
#include "bridge/filter/pattern.h"
#include "core/config/config_rate.h"
#include "core/config/settings.h"
#include "core/http/http_client_params.h"

enum function_operation {  // bits
    FUNCTION_CREATE = 1,
    FUNCTION_READ = 2,
    FUNCTION_UPDATE = 4,
    FUNCTION_DELETE = 8,
    FUNCTION_TRUNCATE = 16,
    FUNCTION_MESSAGE = 32,
};
enum function_endpoint {
    FUNCTION_ENDPOINT_HTTP,
    FUNCTION_ENDPOINT_LAMBDA,
    FUNCTION_ENDPOINT_LAMBDA_EVENT,
    FUNCTION_ENDPOINT_PROCESS,
};
enum function_order { FUNCTION_ORDER_KEY, FUNCTION_ORDER_PARTITION, FUNCTION_ORDER_NONE };

enum function_method { FUNCTION_POST, FUNCTION_PUT, FUNCTION_PATCH, FUNCTION_DELETE_METHOD };

/** How connections over TLS are made. */
struct tls_config {
    struct config_text ca;           // path NULL: the system's authorities are trusted
    struct config_text certificate;  // of the client; path NULL: none
    char *key;                       // of the certificate; PEM
    char *server_name;               // checked in place of the URL's host; NULL: the URL's host
};

struct function_config {
    const struct http_policy *policy;  // which addresses its URLs may lead to; lent; NULL: all
    char *name;                        // the file's name without .yaml
    struct {
        struct text_list topics;    // names or globs
        uint32_t operations;        // enum function_operation bits; default create, read, update, delete
        char *start_text;           // as in the file
        enum function_start start;  // not OFFSET
        int64_t start_value;        // struct start_position
    } source;
    struct {
        struct config_tree tree;  // json NULL: every event passes
        struct pattern *pattern;  // NULL: none
    } filter;
    struct config_tree tests;  // function_test.h reads it
    enum function_payload payload;
    struct lambda_kafka_config lambda_kafka;
    struct dynamodb_stream_config dynamodb_stream;
    struct debezium_config debezium;
    struct template_config template;  // the URL and the headers, too
    struct columns_config columns;
    enum function_endpoint endpoint;
    struct {
        char *url;
        enum function_method method;
        struct text_pairs headers;
        enum http_version version;
        int64_t gzip_bytes;  // bodies from this size on are compressed; 0: none are
        struct tls_config tls;
        struct proxy_config proxy;
        int64_t redirects;
        struct auth_config auth;
    } http;
    struct lambda_config lambda;
    struct process_config process;
    struct {
        enum function_order order;
        int64_t concurrency;
        int64_t target_latency_us;  // 0: latency changes nothing
        char *rate_text;            // as in the file; NULL: no limit
        struct config_rate rate;    // count 0: no limit
        int64_t burst;
        int64_t coalesce_us;  // 0: every event is sent
        char *limit;          // name of a shared limit; NULL: none
        struct {
            int64_t failures;  // lanes in a row; 0: never opens because of failures
        } breaker;
        struct {
            int64_t events;
            int64_t bytes;
            int64_t window_us;
            bool by_key;            // of one key only
            bool partial_failures;  // responses may name the events that failed
        } batch;
        int64_t timeout_us;
        struct {
            int64_t attempts;  // the first included
            int64_t max_age_us;
            struct text_pairs status_texts;  // as in the file
            struct status_table statuses;
            struct {
                int64_t initial_us;
                int64_t max_us;
            } backoff;
        } retry;
        struct {
            char *dead_letter;  // topic; default millrace.dlq.<function>
            bool hold_key;
            bool bisect;  // a batch that fails is halved until the event is found
        } on_failure;
    } delivery;
    struct {
        char *topic;  // NULL: responses are no replies
        int64_t max_hops;
        int64_t max_bytes;
    } reply;
    bool int64_as_string;
    bool paused;  // it stays in its group and starts no calls
};

/** The table of functions/NAME.yaml; reads into a struct function_config. */
extern const struct config_kind function_config_kind;

/** Whether the bits of enum function_operation have an envelope's op. */
bool function_config_wants(uint32_t operations, char op);

/** The method of its HTTP requests: "POST". */
const char *function_config_method(const struct function_config *c);

/** How its HTTP endpoint is called. The texts are the configuration's. */
struct http_client_params function_config_http_params(const struct function_config *c);

/** The names of a function's consumer group and of its default dead-letter topic; the caller frees them. */
char *function_config_group(const char *function);
char *function_config_dead_letter(const char *function);

/** Accepts NULL. */
void function_config_clear(struct function_config *c);

#endif
