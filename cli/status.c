// millrace status: shows the state of connectors and functions, from the admin port of a running millrace.
#include "cli/status.h"

#include <curl/curl.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/config_dir.h"
#include "cli/run_options.h"

static const char USAGE[] =
    "usage: millrace status [-c DIR] [--json]\n"
    "\n"
    "Queries the millrace that runs DIR, at its admin address (admin.listen). Exits with 1 when it\n"
    "does not respond, with 78 when its address is not known.\n";

enum { ANSWER_MAX_BYTES = 16 * 1024 * 1024, TIMEOUT_SECONDS = 10 };

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
    struct bytes *body = self;
    if (body->size + size * count > ANSWER_MAX_BYTES) {
        return 0;
    }
    bytes_append(body, data, size * count);
    return size * count;
}

static bool fetch_status(const char *url, struct bytes *body, struct fault *f)
{
    CURL *curl = curl_easy_init();
    INVARIANT(curl != NULL);
    long status = 0;
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    CURLcode code = curl_easy_perform(curl);  // ALLOW-BANNED: this command has no loop
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK) {
        return fault_from(f, FAULT_RETRY, "libcurl", (int)code, "%s: %s; is millrace running?", url,
                          curl_easy_strerror(code));
    }
    return status == 200 || fault_set(f, FAULT_RETRY, "%s: HTTP status %ld", url, status);
}

/** "http://127.0.0.1:7070/api/status"; uses the loopback address when the server listens on all addresses. */
static char *url_of(const struct settings *settings)
{
    const char *host = settings->admin.host;
    if (strcmp(host, "0.0.0.0") == 0) {
        host = "127.0.0.1";
    } else if (strcmp(host, "::") == 0) {
        host = "::1";
    }
    bool is_v6 = strchr(host, ':') != NULL;
    return memory_format("http://%s%s%s:%d/api/status", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                         settings->admin.port);
}

static int print_status(const struct settings *settings, bool is_json)
{
    if (settings->admin.host == NULL || settings->admin.port == 0) {
        (void)fputs("millrace status: admin.listen in millrace.yaml is off or has no fixed port\n", stderr);
        return CLI_CONFIG;
    }
    CLEANUP(memory_free_pointer) char *url = url_of(settings);
    CLEANUP(bytes_clear) struct bytes body = {0};
    CLEANUP(bytes_clear) struct bytes text = {0};
    struct fault f;
    if (!fetch_status(url, &body, &f) || (!is_json && !status_print(bytes_slice(&body), &text, &f))) {
        (void)fprintf(stderr, "millrace status: %s\n", f.text);
        return CLI_FAILED;
    }
    (void)printf("%s%s", bytes_text(is_json ? &body : &text), is_json ? "\n" : "");
    return fflush(stdout) == 0 ? CLI_DONE : CLI_FAILED;
}

int status_command(int argc, char **argv)
{
    struct run_options options;
    int code;
    if (!run_options_read(argc, argv, USAGE, RUN_OPTIONS_JSON, &options, &code)) {
        return code;
    }
    CLEANUP(config_set_clear) struct config_set set = {0};
    static const struct config_scope only_settings = {0};
    // Errors do not matter here, as long as a millrace responds; admin.listen may be the default because of
    // them.
    bool is_good = config_dir_load_scope(options.dir, &only_settings, &set);
    bool is_known = set.settings != NULL && (is_good || set.settings->admin.host != NULL);
    code = is_known ? print_status(set.settings, options.is_json) : CLI_CONFIG;
    if (!is_good && code != CLI_DONE) {
        (void)fputs(bytes_text(&set.complaints), stderr);
        code = CLI_CONFIG;
    }
    return code;
}
