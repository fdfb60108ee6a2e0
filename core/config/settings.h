// The shared file DIR/millrace.yaml: settings of all processes.
#ifndef CORE_CONFIG_SETTINGS_H
#define CORE_CONFIG_SETTINGS_H

#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/config/config_rate.h"

/** A limit that functions share. */
struct limit_setting {
    char *name;
    int64_t concurrency;  // 0: no limit
    struct config_rate rate;
    int64_t burst;
};

enum endpoint_policy { ENDPOINT_POLICY_PRIVATE, ENDPOINT_POLICY_PUBLIC, ENDPOINT_POLICY_LIST };

/** What the subject of a record's schema is made of. */
enum subject_names { SUBJECT_NAMES_TOPIC, SUBJECT_NAMES_RECORD, SUBJECT_NAMES_TOPIC_RECORD };

struct settings {
    struct text_pairs
        kafka;  // librdkafka properties as written, with secrets resolved; has bootstrap.servers
    struct {
        char *url;              // NULL: the embedded registry
        char *public_url;       // under which others reach it, as in the file; NULL: `url`
        struct text_list urls;  // further addresses of the same registry
        char *username;         // basic auth; NULL for none
        char *password;
        char *token;  // bearer; NULL for none
        struct config_text ca;
        struct config_text certificate;
        char *key;
        enum subject_names subject_names;
        bool auto_register;
        bool use_latest;
        bool normalize;
        char *listen_host;  // of the embedded registry's own listener; NULL: none
        int listen_port;    // 0: any free port (logged as registry_listening)
    } registry;
    struct {
        char *host;              // NULL: no admin server
        int port;                // 0: any free port (logged as admin_listening)
        struct text_list hosts;  // accepted Host names, globs
    } admin;
    struct {
        int64_t processes;
    } bridge;
    struct {
        enum endpoint_policy policy;
        struct text_list allow;  // ranges of addresses (ip_network.h), globs of host names
    } endpoint;
    struct {
        struct config_tree tree;
        struct limit_setting *items;
        size_t count;
    } limits;
    struct {
        char *url;  // NULL: no spans are made
        struct text_pairs headers;
        char *sample;  // such as 1%
    } tracing;
    struct {
        enum log_format format;
        enum log_level level;
    } log;
    char *state_directory;  // NULL: see settings_state_directory
};

/** Where processes may keep files: the setting, else the unit's StateDirectory, else /var/lib/millrace. Lent.
 */
const char *settings_state_directory(const struct settings *s);

/** The limit of this name; NULL: there is none. */
const struct limit_setting *settings_limit(const struct settings *s, const char *name);

/** The address under which functions reach the registry, without a query; the caller frees it. NULL: it
 * is not known. */
char *settings_registry_address(const struct settings *s);

/** The share of transactions without a trace for which one is begun, from 0 to 1. */
double settings_trace_sample(const struct settings *s);

/** Accepts NULL. */
void settings_clear(struct settings *s);

#endif
