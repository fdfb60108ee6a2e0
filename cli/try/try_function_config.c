#include "cli/try/try_function_config.h"

#include "core/config/complaints.h"

// Earliest, because the connector may publish before the function is registered. Few attempts, soon after
// each other: a handler that fails is to be seen now.
#define SOURCE "{source: {start: earliest, topics: ["
#define DELIVERY                                                                                             \
    "delivery: {timeout: 10s, retry: {attempts: 2, backoff: {initial: 100ms, max: 500ms}}, breaker: "        \
    "{failures: 0}}}\n"

static void fault_of(struct complaints *complaints, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    complaints_write(complaints, "error", &text);
    const char *first = strstr(bytes_text(&text), "error: ");
    first = first == NULL ? bytes_text(&text) : first + strlen("error: ");
    (void)fault_set(f, FAULT_CONFIG, "%.*s", (int)strcspn(first, "\n"), first);
}

struct function_config *try_function_config_make(const char *name, const char *const *topics,
                                                 const char *members, struct fault *f)
{
    CLEANUP(bytes_clear) struct bytes text = {0};
    CLEANUP(complaints_clear) struct complaints complaints = {0};
    struct config_file file = {
        .path = "function", .name = name, .is_private = true, .complaints = &complaints};
    struct function_config *c = memory_zeroed(1, sizeof *c);
    bytes_append_string(&text, SOURCE);
    for (size_t i = 0; topics[i] != NULL; i++) {
        bytes_format(&text, "%s\"%s\"", i == 0 ? "" : ", ", topics[i]);
    }
    bytes_format(&text, "]}, %s, " DELIVERY, members);
    bool is_good = config_read(&function_config_kind, &file, bytes_slice(&text), c);
    yaml_node_free(file.root);
    if (!is_good) {
        fault_of(&complaints, f);
        try_function_config_free(c);
        return NULL;
    }
    return c;
}

void try_function_config_free(struct function_config *c)
{
    if (c != NULL) {
        function_config_clear(c);
        free(c);
    }
}
