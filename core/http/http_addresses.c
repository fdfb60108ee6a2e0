#include "core/http/http_addresses.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

#define FRESH_US (30 * CLOCK_US_PER_S)
#define USABLE_US (60 * CLOCK_US_PER_S)
#define KEPT_US (300 * CLOCK_US_PER_S)
#define RETRY_US (5 * CLOCK_US_PER_S)
#define DOUBT_US (1 * CLOCK_US_PER_S)

/** One look-up; outlives its owner, because a running one can't be cancelled. */
struct look_up {
    uv_getaddrinfo_t request;
    struct http_addresses *owner;  // NULL: freed; the result is discarded
};

struct http_addresses {
    uv_loop_t *loop;
    char *host;
    int port;
    http_on_addresses on_addresses;
    void *self;
    bool is_literal;
    struct http_address_list list;
    int64_t found_us;         // the last look-up that succeeded
    int64_t looked_up_us;     // the last look-up
    int64_t refresh_at_us;    // look up again from then on
    int64_t usable_until_us;  // of `list`
    struct look_up *running;
};

static bool parse_literal(struct http_addresses *a)
{
    union http_address *address = &a->list.items[0];
    if (uv_ip4_addr(a->host, a->port, &address->v4) != 0 &&
        uv_ip6_addr(a->host, a->port, &address->v6) != 0) {
        return false;
    }
    a->list.count = 1;
    return true;
}

struct http_addresses *http_addresses_new(uv_loop_t *loop, const char *host, int port,
                                          http_on_addresses on_addresses, void *self)
{
    struct http_addresses *a = memory_zeroed(1, sizeof(*a));
    a->loop = loop;
    a->host = memory_string(host);
    a->port = port;
    a->on_addresses = on_addresses;
    a->self = self;
    a->is_literal = parse_literal(a);
    return a;
}

static bool add_address(struct http_address_list *list, const struct addrinfo *info)
{
    size_t size = info->ai_family == AF_INET    ? sizeof(struct sockaddr_in)
                  : info->ai_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                : 0;
    if (size == 0 || info->ai_addrlen != size || list->count == HTTP_ADDRESSES_MAX) {
        return false;
    }
    memcpy(&list->items[list->count++], info->ai_addr, size);
    return true;
}

/** The next one of this family; NULL: none. */
static const struct addrinfo *skip_to(const struct addrinfo *info, int family, bool is_other)
{
    while (info != NULL && (info->ai_family == family) == is_other) {
        info = info->ai_next;
    }
    return info;
}

/** Takes the families in turn, beginning with the first one's. */
static void fill_list(struct http_address_list *list, const struct addrinfo *found)
{
    *list = (struct http_address_list){0};
    const int family = found->ai_family;
    const struct addrinfo *first = found;
    const struct addrinfo *second = skip_to(found, family, true);
    while (first != NULL || second != NULL) {
        if (first != NULL) {
            (void)add_address(list, first);
            first = skip_to(first->ai_next, family, false);
        }
        if (second != NULL) {
            (void)add_address(list, second);
            second = skip_to(second->ai_next, family, true);
        }
    }
}

static bool take_result(struct http_addresses *a, int status, const struct addrinfo *found, struct fault *f)
{
    int64_t now_us = clock_now_us();
    a->looked_up_us = now_us;
    struct http_address_list list = {.count = 0};
    if (status == 0 && found != NULL) {
        fill_list(&list, found);
    }
    if (list.count > 0) {
        a->list = list;
        a->found_us = now_us;
        a->refresh_at_us = now_us + FRESH_US;
        a->usable_until_us = now_us + USABLE_US;
        return true;
    }
    if (a->list.count > 0 && now_us < a->found_us + KEPT_US) {
        a->refresh_at_us = now_us + RETRY_US;
        a->usable_until_us = a->found_us + KEPT_US;
        return true;
    }
    a->list.count = 0;
    return fault_from(f, FAULT_RETRY, "libuv", status, "can't look up %.250s: %s", a->host,
                      status == 0 ? "it has no address" : uv_strerror(status));
}

static void on_look_up(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct look_up *l = request->data;
    struct http_addresses *a = l->owner;
    if (a != NULL) {
        a->running = NULL;
        struct fault f = {0};
        bool is_good = take_result(a, status, found, &f);
        uv_freeaddrinfo(found);
        free(l);
        a->on_addresses(a->self, is_good ? NULL : &f);
        return;
    }
    uv_freeaddrinfo(found);
    free(l);
}

static bool start_look_up(struct http_addresses *a, struct fault *f)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
    char port[16];
    (void)snprintf(port, sizeof(port), "%d", a->port);
    struct look_up *l = memory_zeroed(1, sizeof(*l));
    l->owner = a;
    l->request.data = l;
    int code = uv_getaddrinfo(a->loop, &l->request, on_look_up, a->host, port, &hints);
    if (code != 0) {
        free(l);
        return fault_from(f, FAULT_RETRY, "libuv", code, "can't look up %.250s: %s", a->host,
                          uv_strerror(code));
    }
    a->running = l;
    return true;
}

bool http_addresses_get(struct http_addresses *a, const struct http_address_list **ret, struct fault *f)
{
    int64_t now_us = a->is_literal ? 0 : clock_now_us();
    bool is_usable = a->is_literal || (a->list.count > 0 && now_us < a->usable_until_us);
    bool is_wanted = !is_usable || (!a->is_literal && now_us >= a->refresh_at_us);
    if (is_wanted && a->running == NULL && !start_look_up(a, f)) {
        return false;
    }
    *ret = is_usable ? &a->list : NULL;
    return true;
}

void http_addresses_doubt(struct http_addresses *a)
{
    int64_t at_us = a->looked_up_us + DOUBT_US;
    if (at_us < a->refresh_at_us) {
        a->refresh_at_us = at_us;
    }
}

void http_addresses_free(struct http_addresses *a)
{
    if (a == NULL) {
        return;
    }
    if (a->running != NULL) {
        a->running->owner = NULL;
        (void)uv_cancel((uv_req_t *)&a->running->request);
    }
    free(a->host);
    free(a);
}
