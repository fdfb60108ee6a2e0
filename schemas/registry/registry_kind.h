// The interface of a kind of registry; registry.c calls through it.
#ifndef SCHEMAS_REGISTRY_REGISTRY_KIND_H
#define SCHEMAS_REGISTRY_REGISTRY_KIND_H

#include "schemas/registry/registry.h"

/** Each slot has the contract of registry.h's function with its name. */
struct registry_type {
    const char *kind;
    void (*register_schema)(struct registry *r, const char *subject, const char *text, registry_on_id on_id,
                            void *self);
    void (*lookup)(struct registry *r, int32_t id, registry_on_schema on_schema, void *self);
    void (*cancel)(struct registry *r, const void *self);
    void (*serve)(struct registry *r, struct admin *admin, const char *prefix);
    void (*close)(struct registry *r);  // not NULL
};

/** The first member of every kind's struct. */
struct registry {
    const struct registry_type *type;
    enum subject_names subject_names;
};

bool registry_http_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret,
                        struct fault *f) MUST_USE;
bool schema_store_open(uv_loop_t *loop, const struct settings *settings, struct registry **ret,
                       struct fault *f) MUST_USE;

#endif
