#include "bridge/config/aws_config.h"

#include "core/base/memory.h"

void aws_config_clear(struct aws_config *c)
{
    free(c->region);
    free(c->profile);
    memory_free_secret(c->access_key_id);
    memory_free_secret(c->secret_access_key);
    memory_free_secret(c->session_token);
    *c = (struct aws_config){0};
}

void lambda_config_clear(struct lambda_config *c)
{
    free(c->function);
    free(c->qualifier);
    memory_free_secret(c->url);
    config_text_clear(&c->ca);
    aws_config_clear(&c->aws);
    *c = (struct lambda_config){0};
}
