#include "connectors/postgres/pg_trace.h"

#include "core/base/log.h"

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
