#include "core/base/memory.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void memory_invariant_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "millrace: internal error: %s is false at %s:%d\n", condition, file, line);
    abort();
}

static void check(const void *memory)
{
    if (memory == NULL) {
        (void)fputs("millrace: out of memory\n", stderr);
        abort();
    }
}

void *memory_new(size_t size)
{
    void *memory = malloc(size == 0 ? 1 : size);
    check(memory);
    return memory;
}

void *memory_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
    check(memory);
    return memory;
}

void *memory_resize(void *old, size_t size)
{
    void *memory = realloc(old, size == 0 ? 1 : size);
    check(memory);
    return memory;
}

char *memory_string(const char *text)
{
    char *copy = strdup(text);
    check(copy);
    return copy;
}

char *memory_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    check(length < 0 ? NULL : text);
    return text;
}

void memory_free_secret(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

void memory_wipe(void *block)
{
    if (block != NULL) {
        explicit_bzero(block, malloc_usable_size(block));
        free(block);
    }
}

void *memory_resize_wiped(void *old, size_t size)
{
    void *block = memory_new(size);
    if (old != NULL) {
        size_t used = malloc_usable_size(old);
        memcpy(block, old, used < size ? used : size);
        memory_wipe(old);
    }
    return block;
}
