// The shared file DIR/millrace.yaml: settings of all processes.
#ifndef CORE_CONFIG_SETTINGS_H
#define CORE_CONFIG_SETTINGS_H

#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/config/config.h"

struct settings {
    struct text_pairs
        kafka;  // librdkafka properties as written, with secrets resolved; has bootstrap.servers
    struct {
        char *url;       // NULL: the embedded registry
        char *username;  // basic auth; NULL for none
        char *password;
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
        enum log_format format;
        enum log_level level;
    } log;
};

/** The table of millrace.yaml; reads into a struct settings. */
extern const struct config_kind settings_kind;

/** Accepts NULL. */
void settings_clear(struct settings *s);

#endif
