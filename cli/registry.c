// millrace registry: the embedded registry's REST API on a port of its own, for clients that expect it at the
// root.
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_dir.h"
#include "cli/options.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/config/config_value.h"
#include "core/http/admin.h"
#include "schemas/registry/registry.h"

enum { SIGNAL_COUNT = 2 };

static const char DEFAULT_ADDRESS[] = "127.0.0.1:8081";

static const char USAGE[] = "usage: millrace registry [-c DIR] [--listen HOST:PORT]\n"
                            "\n"
                            "Serves Confluent's schema registry API from the topic millrace.schemas.\n"
                            "The default address is registry.listen of millrace.yaml, else 127.0.0.1:8081.\n";

static const struct option OPTIONS[] = {
    {"config", required_argument, NULL, 'c'},
    {"listen", required_argument, NULL, 'l'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct registry_options {
    const char *dir;     // NULL: config_dir_choose's result
    const char *listen;  // HOST:PORT; NULL: as the settings say
};

struct registry_server {
    uv_loop_t loop;
    uv_signal_t signals[SIGNAL_COUNT];
    struct registry *registry;
    struct admin *admin;
};

static bool take_option(void *self, int option, const char *value)
{
    (void)option;  // --listen is the only one
    ((struct registry_options *)self)->listen = value;
    return true;
}

/** False, with the exit code, for --help and wrong command lines. */
static bool read_options(int argc, char **argv, struct registry_options *ret, int *ret_exit)
{
    *ret = (struct registry_options){NULL, NULL};
    const struct options options = {"registry", USAGE, OPTIONS, take_option, ret};
    if (!options_read(argc, argv, &options, &ret->dir, ret_exit)) {
        return false;
    }
    if (optind < argc) {
        *ret_exit = options_refuse("registry", USAGE, "unexpected argument", argv[optind]);
    }
    return optind == argc;
}

static void on_signal(uv_signal_t *signal, int number)
{
    (void)number;
    uv_stop(signal->loop);
}

// Where to listen: what the option says, else the settings.
static bool choose_address(const struct settings *settings, const char *listen, struct admin_params *io,
                           char **ret_host, struct fault *f)
{
    if (listen != NULL || settings->registry.listen_host == NULL) {
        io->key = "--listen";
        return config_value_address(listen != NULL ? listen : DEFAULT_ADDRESS, ret_host, &io->port, f) ||
               fault_context(f, "--listen");
    }
    io->key = "registry.listen";
    io->port = settings->registry.listen_port;
    *ret_host = memory_string(settings->registry.listen_host);
    return true;
}

static bool open_server(struct registry_server *s, const struct settings *settings, const char *listen,
                        struct fault *f)
{
    CLEANUP(memory_free_pointer) char *host = NULL;
    struct admin_params params = {.loop = &s->loop, .hosts = &settings->admin.hosts};
    if (!choose_address(settings, listen, &params, &host, f)) {
        return false;
    }
    params.host = host;
    if (!registry_open(&s->loop, settings, &s->registry, f) || !admin_start(&params, &s->admin, f)) {
        return false;
    }
    registry_serve(s->registry, s->admin, "");
    log_info("registry", "registry_listening",
             LOG_WITH(LOG_TEXT("host", host), LOG_NUMBER("port", admin_port(s->admin))),
             "serving on http://%s:%d", host, admin_port(s->admin));
    return true;
}

static int serve(const struct settings *settings, const char *listen)
{
    static const int ENDING[SIGNAL_COUNT] = {SIGTERM, SIGINT};
    struct registry_server s = {0};
    struct fault f;
    (void)uv_loop_init(&s.loop);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        (void)uv_signal_init(&s.loop, &s.signals[i]);
        (void)uv_signal_start(&s.signals[i], on_signal, ENDING[i]);
    }
    bool is_open = open_server(&s, settings, listen, &f);
    if (is_open) {
        (void)uv_run(&s.loop, UV_RUN_DEFAULT);  // until a signal stops it
    } else {
        log_error("registry", "registry_failed", NULL, "%s", f.text);
    }
    admin_stop(s.admin);
    registry_close(s.registry);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&s.signals[i], NULL);
    }
    (void)uv_run(&s.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&s.loop);
    return is_open ? CLI_DONE : f.kind == FAULT_CONFIG ? CLI_CONFIG : CLI_FAILED;
}

int registry_command(int argc, char **argv)
{
    struct registry_options options;
    int code = CLI_DONE;
    if (!read_options(argc, argv, &options, &code)) {
        return code;
    }
    CLEANUP(config_set_clear) struct config_set set = {0};
    static const struct config_scope only_settings = {0};
    if (!config_dir_load_scope(config_dir_choose(options.dir), &only_settings, &set)) {
        (void)fputs(bytes_text(&set.complaints), stderr);
        return CLI_CONFIG;
    }
    log_start(set.settings->log.format, set.settings->log.level);
    return serve(set.settings, options.listen);
}
