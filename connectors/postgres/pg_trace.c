#include "connectors/postgres/pg_trace.h"

#include "connectors/postgres/pg_row.h"
#include "core/base/log.h"

void pg_trace_clear(struct pg_trace *t)
{
    bytes_clear(&t->value);
}

static void ignore(struct pg_trace *t, const char *component, const char *text)
{
    if (t->invalid++ == 0) {
        log_warn(component, "trace_ignored", NULL,
                 "%s; it is ignored, and so are later ones, without a line here", text);
    }
}

void pg_trace_take(struct pg_trace *t, const struct pgoutput_logical *message, const char *component)
{
    if (slice_equal(message->prefix, slice_of("traceparent"))) {
        if (!trace_context_read(message->content, NULL)) {
            ignore(t, component,
                   "a transaction's logical message \"traceparent\" is no W3C traceparent, such as "
                   "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
            return;
        }
        memcpy(t->traceparent, message->content.data, message->content.size);
        t->traceparent_size = message->content.size;
        t->tracestate_size = 0;
    } else if (slice_equal(message->prefix, slice_of("tracestate"))) {
        if (t->traceparent_size == 0 || !trace_state_is_valid(message->content)) {
            ignore(t, component,
                   "a transaction's logical message \"tracestate\" follows no valid \"traceparent\" in it, "
                   "or is not "
                   "1 to 512 printable ASCII characters");
            return;
        }
        memcpy(t->tracestate, message->content.data, message->content.size);
        t->tracestate_size = message->content.size;
    }
}

// Debezium's tracingspancontext has the text of java.util.Properties: a line for each pair.
static struct slice find_line(struct slice text)
{
    static const char NAME[] = "traceparent=";
    const uint8_t *end = text.data + text.size;
    for (const uint8_t *at = text.data; at < end; at++) {
        const uint8_t *eol = memchr(at, '\n', (size_t)(end - at));
        size_t size = (size_t)((eol == NULL ? end : eol) - at);
        if (size > sizeof(NAME) - 1 && memcmp(at, NAME, sizeof(NAME) - 1) == 0) {
            size -= at[size - 1] == '\r' ? 1 : 0;
            return slice_make(at + sizeof(NAME) - 1, size - (sizeof(NAME) - 1));
        }
        at += size;
    }
    return (struct slice){NULL, 0};
}

struct trace_headers pg_trace_of_column(struct pg_trace *t, const struct table *table, const char *column,
                                        const struct pgoutput_row *row)
{
    const struct pgoutput_tuple *tuple = row->has_new ? &row->new_tuple : &row->old_tuple;
    for (size_t i = 0; i < table->column_count && i < tuple->count; i++) {
        const struct pgoutput_value *value = &tuple->values[i];
        bytes_reset(&t->value);
        if (strcmp(table->columns[i].name, column) != 0 ||
            !pg_row_write_text(&t->value, &table->columns[i], value)) {
            continue;
        }
        struct slice text = bytes_slice(&t->value);
        text = trace_context_read(text, NULL) ? text : find_line(text);
        if (trace_context_read(text, NULL)) {
            return (struct trace_headers){text, {NULL, 0}};
        }
    }
    return (struct trace_headers){{NULL, 0}, {NULL, 0}};
}
