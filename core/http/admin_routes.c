#include "core/http/admin_routes.h"

#include <microhttpd.h>
#include <string.h>
#include <utlist.h>

#include "core/http/admin_guard.h"

enum { WAITING_MAX = 64 };  // open requests of routes that take bodies

void admin_routes_add(struct admin_routes *r, const char *prefix, admin_handler handler, void *self,
                      bool takes_bodies)
{
    struct admin_route *route = memory_zeroed(1, sizeof(*route));
    route->prefix = memory_string(prefix);
    route->handler = handler;
    route->self = self;
    LL_APPEND(r->list, route);
    LL_FOREACH (r->list, route) {
        bool is_same = strcmp(route->prefix, prefix) == 0;
        route->takes_bodies = route->takes_bodies || (takes_bodies && is_same);
    }
}

static const struct admin_route *find(const struct admin_routes *r, const char *path)
{
    const struct admin_route *best = NULL;
    size_t best_size = 0;
    for (const struct admin_route *route = r->list; route != NULL; route = route->next) {
        size_t size = strlen(route->prefix);
        bool matches = strncmp(path, route->prefix, size) == 0 && (path[size] == '\0' || path[size] == '/');
        if (matches && (best == NULL || size > best_size)) {
            best = route;
            best_size = size;
        }
    }
    return best;
}

static bool refuse(struct admin_refusal *ret, int status, const char *message)
{
    *ret = (struct admin_refusal){status, message};
    return false;
}

static bool has_body(const struct admin_head *head)
{
    return head->transfer_encoding != NULL ||
           (head->content_length != NULL && strcmp(head->content_length, "0") != 0);
}

static bool check_body_headers(const struct admin_head *head, struct admin_refusal *ret)
{
    if (!admin_guard_content_type(head->content_type)) {
        return refuse(ret, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                      "Content-Type must be application/json or application/vnd.schemaregistry.v1+json");
    }
    if (head->content_length != NULL && strtoull(head->content_length, NULL, 10) > ADMIN_BODY_MAX_BYTES) {
        return refuse(ret, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than 2 MiB");
    }
    return true;
}

bool admin_routes_admit(struct admin_routes *r, const struct admin_head *head, const struct admin_route **ret,
                        struct admin_refusal *ret_refusal)
{
    bool is_read = strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0;
    const struct admin_route *route = find(r, head->path);
    if (!admin_guard_host(head->host, r->hosts)) {
        return refuse(ret_refusal, MHD_HTTP_FORBIDDEN, "unknown Host: add it to admin.hosts");
    }
    if (!admin_guard_origin(head->origin, head->host)) {
        return refuse(ret_refusal, MHD_HTTP_FORBIDDEN, "requests from pages of other sites are refused");
    }
    if (route == NULL) {
        return refuse(ret_refusal, MHD_HTTP_NOT_FOUND, "nothing is served here");
    }
    if (!route->takes_bodies && !is_read) {
        return refuse(ret_refusal, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only");
    }
    if (!route->takes_bodies && has_body(head)) {
        return refuse(ret_refusal, MHD_HTTP_CONTENT_TOO_LARGE, "this path accepts no body");
    }
    if (route->takes_bodies && r->waiting >= WAITING_MAX) {
        return refuse(ret_refusal, MHD_HTTP_SERVICE_UNAVAILABLE, "too many requests at once");
    }
    if (has_body(head) && !check_body_headers(head, ret_refusal)) {
        return false;
    }
    r->waiting += route->takes_bodies ? 1 : 0;
    *ret = route;
    return true;
}

void admin_routes_release(struct admin_routes *r, const struct admin_route *route)
{
    r->waiting -= route != NULL && route->takes_bodies ? 1 : 0;
}

void admin_routes_clear(struct admin_routes *r)
{
    while (r->list != NULL) {
        struct admin_route *route = r->list;
        r->list = route->next;
        free(route->prefix);
        free(route);
    }
}
