#include "schemas/registry/registry_addresses.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/memory.h"

void registry_addresses_add(struct registry_addresses *a, const char *url)
{
    size_t size = strlen(url);
    while (size > 0 && url[size - 1] == '/') {
        size--;
    }
    a->items = memory_resize(a->items, (a->count + 1) * sizeof *a->items);
    a->items[a->count++] = (struct registry_address){
        .url = slice_to_string(slice_make(url, size)),
        .quiet_us = INT64_MIN,
    };
}

void registry_addresses_quiet(struct registry_addresses *a, size_t at, int64_t wait_us,
                              const struct fault *why)
{
    int64_t most_us = REGISTRY_ADDRESSES_QUIET_MAX_US;
    a->items[at].quiet_us = clock_now_us() + (wait_us < most_us ? wait_us : most_us);
    a->items[at].why = *why;
}

bool registry_addresses_is_free(const struct registry_addresses *a, size_t at)
{
    return clock_now_us() >= a->items[at].quiet_us;
}

void registry_addresses_clear(struct registry_addresses *a)
{
    for (size_t i = 0; i < a->count; i++) {
        memory_free_secret(a->items[i].url);
    }
    free(a->items);
    *a = (struct registry_addresses){0};
}
