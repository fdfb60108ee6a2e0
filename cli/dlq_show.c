// millrace dlq show: one letter, decoded.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/dlq.h"

struct showing {
    struct job_setup *setup;
    struct bytes text;  // JSON
    bool is_found;
};

static void append_headers(struct bytes *out, const struct record *r)
{
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0; r->headers != NULL && rd_kafka_header_get_all(r->headers, i, &name, &value, &size) ==
                                                 RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        bytes_append_string(out, i == 0 ? "" : ",");
        text_append_json(out, slice_of(name));
        bytes_append_byte(out, ':');
        text_append_json(out, slice_make(value, value == NULL ? 0 : size));
    }
}

/** The value as JSON; one that can't be decoded as a string, with the reason. */
static void append_value(struct bytes *out, const struct showing *s, const struct letter_found *found)
{
    struct record *r = found->record;
    if (record_is_tombstone(r)) {
        bytes_append_string(out, ",\"value\":null");
        return;
    }
    const struct json_options options = {.int64_as_string = s->setup->config->int64_as_string};
    struct event_view event;
    struct fault f;
    const char *why = r->reject_message;
    bytes_append_string(out, ",\"value\":");
    if (why == NULL) {
        if (record_view(r, &event, &f) && event_view_append(out, &event, &options, &f)) {
            return;
        }
        why = f.text;
    }
    text_append_json(out, r->value);
    bytes_append_string(out, ",\"undecoded\":");
    text_append_json(out, slice_of(why));
}

static bool visit(void *self, const struct letter_found *found)
{
    struct showing *s = self;
    const struct letter_info *letter = found->letter;
    struct bytes *out = &s->text;
    s->is_found = true;
    bytes_format(out, "{\"place\":\"%" PRId32 ":%" PRId64 "\",\"headers\":{", found->record->partition,
                 found->record->offset);
    append_headers(out, found->record);
    bytes_append_string(out, "},\"key\":");
    bytes_append_slice(out, found->key.size == 0 ? slice_of("null") : found->key);
    append_value(out, s, found);
    CLEANUP(memory_free_pointer) char *topic = slice_to_string(letter->topic);
    CLEANUP(memory_free_pointer)
    char *origin = memory_format("offset %" PRId64 " of partition %" PRId64 " of topic %s", letter->offset,
                                 letter->partition, topic);
    bytes_append_string(out, ",\"original\":");
    text_append_json(out, slice_of(origin));
    bytes_append_byte(out, '}');
    return false;
}

/** Reads PARTITION:OFFSET; everything else is an event id. */
static void read_place(const char *place, struct letter_filter *filter)
{
    const char *colon = strchr(place, ':');
    size_t first = strspn(place, "0123456789");
    if (colon == place + first && first > 0 && colon[1] != '\0' &&
        colon[1 + strspn(colon + 1, "0123456789")] == '\0') {
        filter->partition = strtoll(place, NULL, 10);
        filter->offset = strtoll(colon + 1, NULL, 10);
    } else {
        filter->event_id = place;
    }
}

static int print(struct showing *showing, bool is_json)
{
    if (is_json) {
        (void)printf("%s\n", bytes_text(&showing->text));
        return CLI_DONE;
    }
    json_t *json = json_loadb((const char *)showing->text.data, showing->text.size, JSON_ALLOW_NUL, NULL);
    CLEANUP(memory_free_pointer) char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(2));
    json_decref(json);
    (void)printf("%s\n", text == NULL ? bytes_text(&showing->text) : text);
    return CLI_DONE;
}

int dlq_show(struct job_setup *s, const struct dlq_options *options)
{
    struct letter_filter filter = LETTER_FILTER_ALL;
    read_place(options->place, &filter);
    struct showing showing = {.setup = s};
    const struct letter_scan_params params = {.loop = &s->loop,
                                              .settings = s->set.settings,
                                              .config = s->config,
                                              .schemas = s->schemas,
                                              .filter = &filter,
                                              .has_settled = true};
    struct fault f;
    int code = CLI_FAILED;
    CLEANUP(letter_scan_result_clear) struct letter_scan_result scanned = {0};
    if (!letter_scan(&params, visit, &showing, &scanned, &f)) {
        code = job_setup_fail(s, &f);
    } else if (showing.is_found) {
        code = print(&showing, options->is_json);
    } else {
        (void)fprintf(stderr, "millrace dlq show: %s has no dead letter %s\n", s->config->name,
                      options->place);
    }
    bytes_clear(&showing.text);
    return fflush(stdout) == 0 ? code : CLI_FAILED;
}
