#include "connectors/postgres/pg_logical.h"

#include "connectors/event_topics.h"
#include "schemas/avro/event_encode.h"

void pg_logical_init(struct pg_logical *l, const struct connector_config *config)
{
    *l = (struct pg_logical){.config = config};
    if (config->messages.include.count > 0) {
        l->topic = event_topics_messages(config);
    }
}

void pg_logical_clear(struct pg_logical *l)
{
    table_free(l->topic);
    bytes_clear(&l->key);
    *l = (struct pg_logical){0};
}

bool pg_logical_is_reserved(const struct pgoutput_logical *message)
{
    const char *prefix = (const char *)message->prefix.data;
    return strcmp(prefix, "traceparent") == 0 || strcmp(prefix, "tracestate") == 0 ||
           strcmp(prefix, "millrace") == 0 || strncmp(prefix, "millrace.", 9) == 0;
}

bool pg_logical_is_wanted(const struct pg_logical *l, const struct pgoutput_logical *message)
{
    const char *prefix = (const char *)message->prefix.data;
    return l->topic != NULL && !pg_logical_is_reserved(message) &&
           text_list_name_match(&l->config->messages.include, prefix) &&
           !text_list_name_match(&l->config->messages.exclude, prefix);
}

void pg_logical_put(struct pg_logical *l, const struct pgoutput_logical *message, struct change *io)
{
    bytes_reset(&l->key);
    event_encode_message_key(&l->key, message->prefix);
    io->op = CHANGE_MESSAGE;
    io->table = l->topic;
    io->message_prefix = message->prefix;
    io->message_content = message->content;
    io->key = bytes_slice(&l->key);
}
