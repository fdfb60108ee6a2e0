#include "schemas/registry/registry.h"

#include "schemas/registry/registry_kind.h"

bool registry_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret, struct fault *f)
{
    return settings->registry.url != NULL ? registry_http_open(loop, settings, ret, f)
                                          : schema_store_open(loop, settings, ret, f);
}

void registry_register(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                       void *self)
{
    r->type->register_schema(r, subject, text, on_id, self);
}

void registry_lookup(struct registry *r, int32_t id, registry_on_schema on_schema, void *self)
{
    r->type->lookup(r, id, on_schema, self);
}

void registry_cancel(struct registry *r, const void *self)
{
    r->type->cancel(r, self);
}

void registry_serve(struct registry *r, struct admin *admin, const char *prefix)
{
    r->type->serve(r, admin, prefix);
}

void registry_close(struct registry *r)
{
    if (r != NULL) {
        r->type->close(r);
    }
}
