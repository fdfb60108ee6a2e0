#include "schemas/registry/schema_change.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/memory.h"

void schema_change_free(struct schema_change *c)
{
    free(c->subject);
    free(c->text);
    free(c->type);
    json_decref(c->references);
    json_decref(c->metadata);
    json_decref(c->rules);
    json_decref(c->setting);
    bytes_clear(&c->answer);
    free(c);
}

void schema_change_refuse(struct schema_change *c, enum registry_error error, const char *format, ...)
{
    CLEANUP(memory_free_pointer) char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    INVARIANT(size >= 0);
    c->error = error;
    bytes_reset(&c->answer);
    bytes_append_string(&c->answer, text);
}
