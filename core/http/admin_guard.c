#include "core/http/admin_guard.h"

#include <arpa/inet.h>
#include <strings.h>

#include "core/base/memory.h"

/** "shop.example:7070" -> "shop.example", "[::1]:7070" -> "::1". */
static char *name_of(const char *host)
{
    if (host[0] == '[') {
        return slice_to_string(slice_make(host + 1, strcspn(host + 1, "]")));
    }
    return slice_to_string(slice_make(host, strcspn(host, ":")));
}

static bool is_address(const char *name)
{
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

bool admin_guard_host(const char *host, const struct text_list *hosts)
{
    if (host == NULL) {
        return true;
    }
    CLEANUP(memory_free_pointer) char *name = name_of(host);
    if (name[0] == '\0') {
        return false;
    }
    return is_address(name) || strchr(name, '.') == NULL ||
           (hosts != NULL && text_list_glob_match(hosts, name));
}

bool admin_guard_origin(const char *origin, const char *host)
{
    if (origin == NULL) {
        return true;
    }
    const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t size = strlen(schemes[i]);
        if (strncasecmp(origin, schemes[i], size) == 0) {
            return host != NULL && strcasecmp(origin + size, host) == 0;
        }
    }
    return false;
}

bool admin_guard_content_type(const char *type)
{
    static const char *const taken[] = {"application/json", "application/vnd.schemaregistry.v1+json",
                                        "application/vnd.schemaregistry+json"};
    for (size_t i = 0; type != NULL && i < COUNT_OF(taken); i++) {
        size_t size = strlen(taken[i]);
        if (strncasecmp(type, taken[i], size) == 0 && strchr(" ;\t", type[size]) != NULL) {
            return true;  // at the end of the text too: strchr finds the NUL
        }
    }
    return false;
}
