#include "cli/status.h"

#include <jansson.h>

#include "core/base/memory.h"

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text == NULL ? "" : text;
}

/** Appends the number, or "-" when it is missing. */
static void append_cell(struct bytes *out, const json_t *entry, const char *key, int width)
{
    const json_t *value = json_object_get(entry, key);
    if (json_is_integer(value)) {
        bytes_format(out, " %*lld", width, (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        bytes_format(out, " %*.3f", width, json_real_value(value));
    } else {
        bytes_format(out, " %*s", width, "-");
    }
}

/** Appends the text without control characters, which a server's message may contain. */
static void append_plain(struct bytes *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool is_control = (unsigned char)*c < ' ' || *c == 0x7f;
        bool is_c1 = (unsigned char)c[0] == 0xc2 && ((unsigned char)c[1] & 0xe0) == 0x80;  // U+0080 to U+009F
        if (is_control || is_c1) {
            bytes_append_byte(out, '?');
            c += is_c1 ? 1 : 0;
        } else {
            bytes_append_byte(out, (uint8_t)*c);
        }
    }
}

/** Appends the current error and since when it lasts, else the state's detail. */
static void append_detail(struct bytes *out, const json_t *entry)
{
    const char *error = text_of(entry, "last_error");
    const char *since = text_of(entry, "since");
    append_plain(out, error[0] != '\0' ? error : text_of(entry, "detail"));
    if (error[0] != '\0' && since[0] != '\0') {
        bytes_append_string(out, " (since ");
        append_plain(out, since);
        bytes_append_byte(out, ')');
    }
    long long parked = (long long)json_integer_value(json_object_get(entry, "parked_keys"));
    if (parked > 0) {
        bytes_format(out, "; %lld parked key%s for `millrace dlq`", parked,
                     parked == 1 ? " waits" : "s wait");
    }
}

static int name_width(const json_t *list)
{
    size_t width = 9;
    size_t index;
    const json_t *entry;
    json_array_foreach(list, index, entry)
    {
        size_t size = strlen(text_of(entry, "name"));
        width = size > width ? size : width;
    }
    return (int)width;
}

static void print_list(const json_t *list, const char *title, const char *const *columns, struct bytes *out)
{
    int width = name_width(list);
    bytes_format(out, "%-*s  %-16s", width, title, "STATE");
    for (size_t i = 0; columns[i] != NULL; i += 2) {
        bytes_format(out, " %14s", columns[i]);
    }
    bytes_append_string(out, "  DETAIL\n");
    size_t index;
    const json_t *entry;
    json_array_foreach(list, index, entry)
    {
        CLEANUP(bytes_clear) struct bytes name = {0};
        CLEANUP(bytes_clear) struct bytes entered = {0};
        append_plain(&name, text_of(entry, "name"));
        append_plain(&entered, text_of(entry, "state"));
        bytes_format(out, "%-*s  %-16s", width, bytes_text(&name), bytes_text(&entered));
        for (size_t i = 0; columns[i] != NULL; i += 2) {
            append_cell(out, entry, columns[i + 1], 14);
        }
        bytes_append_string(out, "  ");
        append_detail(out, entry);
        bytes_append_byte(out, '\n');
    }
    if (json_array_size(list) == 0) {
        bytes_append_string(out, "(none)\n");
    }
}

/** Appends the complaints about rejected files, one a line. */
static void print_rejected(const json_t *list, struct bytes *out)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(list, index, entry)
    {
        bytes_append_string(out, index == 0 ? "\nREJECTED FILES\n" : "");
        const char *text = text_of(entry, "error");
        while (*text != '\0') {
            size_t size = strcspn(text, "\n");
            CLEANUP(memory_free_pointer) char *line = slice_to_string(slice_make(text, size));
            append_plain(out, line);
            bytes_append_byte(out, '\n');
            text += size + (text[size] == '\n' ? 1 : 0);
        }
    }
}

bool status_print(struct slice json, struct bytes *out, struct fault *f)
{
    static const char *const connector_columns[] = {"LAG BYTES",   "slot_lag_bytes", "LAG SECONDS",
                                                    "lag_seconds", "IN FLIGHT",      "in_flight",
                                                    "DEAD",        "dead_letters",   NULL};
    static const char *const function_columns[] = {"LAG RECORDS", "lag_records",  "IN FLIGHT", "in_flight",
                                                   "DEAD",        "dead_letters", NULL};
    json_error_t error;
    json_t *root = json_loadb((const char *)json.data, json.size, 0, &error);
    const json_t *connectors = json_object_get(root, "connectors");
    const json_t *functions = json_object_get(root, "functions");
    if (!json_is_array(connectors) || !json_is_array(functions)) {
        json_decref(root);
        return fault_set(f, FAULT_REJECT, "the response is not millrace's");
    }
    print_list(connectors, "CONNECTOR", connector_columns, out);
    bytes_append_byte(out, '\n');
    print_list(functions, "FUNCTION", function_columns, out);
    print_rejected(json_object_get(root, "rejected"), out);
    json_decref(root);
    return true;
}
