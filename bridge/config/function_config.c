#include "bridge/config/function_config.h"

#include "core/base/memory.h"

bool function_config_wants(uint32_t operations, char op)
{
    switch (op) {
    case 'c':
        return (operations & FUNCTION_CREATE) != 0;
    case 'r':
        return (operations & FUNCTION_READ) != 0;
    case 'u':
        return (operations & FUNCTION_UPDATE) != 0;
    case 'd':
        return (operations & FUNCTION_DELETE) != 0;
    case 't':
        return (operations & FUNCTION_TRUNCATE) != 0;
    case 'm':
        return (operations & FUNCTION_MESSAGE) != 0;
    default:
        return false;
    }
}

char *function_config_group(const char *function)
{
    return memory_format("millrace.%s", function);
}

char *function_config_dead_letter(const char *function)
{
    return memory_format("millrace.dlq.%s", function);
}

static void clear_tls(struct tls_config *tls)
{
    config_text_clear(&tls->ca);
    config_text_clear(&tls->certificate);
    memory_free_secret(tls->key);
    free(tls->server_name);
}

const char *function_config_method(const struct function_config *c)
{
    switch (c->http.method) {
    case FUNCTION_POST:
        break;
    case FUNCTION_PUT:
        return "PUT";
    case FUNCTION_PATCH:
        return "PATCH";
    case FUNCTION_DELETE_METHOD:
        return "DELETE";
    }
    return "POST";
}

struct http_client_params function_config_http_params(const struct function_config *c)
{
    const struct tls_config *tls = &c->http.tls;
    return (struct http_client_params){
        .connections_max = (size_t)c->delivery.concurrency,
        .version = c->http.version,
        .tls = {tls->ca.text, tls->certificate.text, tls->key, tls->server_name},
        .proxy = {c->http.proxy.url, c->http.proxy.user, c->http.proxy.password},
        .redirects_max = (int)c->http.redirects,
        .policy = c->policy,
    };
}

void function_config_clear(struct function_config *c)
{
    if (c == NULL) {
        return;
    }
    free(c->name);
    text_list_clear(&c->source.topics);
    free(c->source.start_text);
    free(c->dynamodb_stream.region);
    pattern_free(c->filter.pattern);
    config_tree_clear(&c->filter.tree);
    config_tree_clear(&c->tests);
    template_config_clear(&c->template);
    columns_config_clear(&c->columns);
    memory_free_secret(c->http.url);
    text_pairs_clear(&c->http.headers);
    clear_tls(&c->http.tls);
    memory_free_secret(c->http.proxy.url);
    free(c->http.proxy.user);
    memory_free_secret(c->http.proxy.password);
    auth_config_clear(&c->http.auth);
    lambda_config_clear(&c->lambda);
    process_config_clear(&c->process);
    text_pairs_clear(&c->delivery.retry.status_texts);
    free(c->delivery.on_failure.dead_letter);
    free(c->delivery.rate_text);
    free(c->delivery.limit);
    free(c->reply.topic);
    *c = (struct function_config){0};
}
