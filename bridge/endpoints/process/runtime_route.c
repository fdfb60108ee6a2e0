#include "bridge/endpoints/process/runtime_route.h"

#define ROOT "/2018-06-01/runtime/"
#define INVOCATION ROOT "invocation/"

/** The route of the path, whatever the method. */
static enum runtime_route path_of(const char *path, struct slice *ret_id)
{
    if (strcmp(path, INVOCATION "next") == 0) {
        return RUNTIME_NEXT;
    }
    if (strcmp(path, ROOT "init/error") == 0) {
        return RUNTIME_INIT_ERROR;
    }
    if (strncmp(path, INVOCATION, strlen(INVOCATION)) != 0) {
        return RUNTIME_UNKNOWN;
    }
    const char *id = path + strlen(INVOCATION);
    size_t size = strcspn(id, "/");
    const char *rest = id + size;
    bool is_response = strcmp(rest, "/response") == 0;
    if (size == 0 || (!is_response && strcmp(rest, "/error") != 0)) {
        return RUNTIME_UNKNOWN;
    }
    *ret_id = slice_make(id, size);
    return is_response ? RUNTIME_RESPONSE : RUNTIME_ERROR;
}

enum runtime_route runtime_route_of(const char *method, const char *path, struct slice *ret_id)
{
    enum runtime_route route = path_of(path, ret_id);
    const char *wanted = route == RUNTIME_NEXT ? "GET" : "POST";
    return route == RUNTIME_UNKNOWN || strcmp(method, wanted) == 0 ? route : RUNTIME_WRONG_METHOD;
}
