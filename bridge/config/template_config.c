#include "bridge/config/template_config.h"

#include "core/base/memory.h"

void template_config_clear(struct template_config *c)
{
    free(c->content_type);
    free(c->body);
    template_refs_clear(&c->refs);
    template_free(c->compiled);
    template_free(c->target);
    for (size_t i = 0; i < c->header_count; i++) {
        template_free(c->headers[i].value);
    }
    free(c->headers);
    *c = (struct template_config){0};
}

void columns_config_clear(struct columns_config *c)
{
    text_list_clear(&c->include);
    text_list_clear(&c->exclude);
}

bool template_config_is_header(const struct text_pair *header)
{
    return !header->is_secret && header->value != NULL && template_is_one(header->value);
}

char *template_config_origin(const char *url)
{
    const char *host = strstr(url, "://");
    host = host == NULL ? url : host + 3;
    return memory_format("%.*s/", (int)((host - url) + (ptrdiff_t)strcspn(host, "/?#")), url);
}
