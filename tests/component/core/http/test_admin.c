#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/memory.h"
#include "core/http/admin.h"

static uv_loop_t loop;
static struct admin_params params;
static char echo_name[] = "short";
static struct admin *admin;
static struct admin_reply *held;
static uv_timer_t later;

enum { KEPT = 8 };  // with bodies of 2 MiB, as much as all requests may have
static struct admin_reply *kept[KEPT];
static int kept_count;

/** A client in a thread of its own, as this thread runs the server. */
struct client {
    pthread_t thread;
    char url[256];
    const char *method;
    size_t upload_size;
    bool is_chunked;
    const char *header;  // NULL: Content-Type: application/json
    long status;
    struct bytes body;
    atomic_bool is_done;
};

static size_t take_body(char *data, size_t size, size_t count, void *self)
{
    bytes_append(&((struct client *)self)->body, data, size * count);
    return size * count;
}

static size_t give_upload(char *data, size_t size, size_t count, void *self)
{
    struct client *c = self;
    size_t now = size * count < c->upload_size ? size * count : c->upload_size;
    memset(data, 'u', now);
    c->upload_size -= now;
    return now;
}

static void *client_main(void *self)
{
    struct client *c = self;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers =
        curl_slist_append(NULL, c->header == NULL ? "Content-Type: application/json" : c->header);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_URL, c->url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_USERNAME, "me");
    if (c->method != NULL) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, c->method);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_upload);
        curl_easy_setopt(curl, CURLOPT_READDATA, c);
        if (!c->is_chunked) {
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->upload_size);
        }
    }
    (void)curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &c->status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    c->is_done = true;
    return NULL;
}

static void begin(struct client *c, const char *path)
{
    (void)snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d%s", admin_port(admin), path);
    assert_int_equal(pthread_create(&c->thread, NULL, client_main, c), 0);
}

static void end(struct client *c)
{
    while (!c->is_done) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(pthread_join(c->thread, NULL), 0);
}

static void serve_echo(void *self, const struct admin_request *r)
{
    struct bytes out = {0};
    const char *q = admin_request_query(r, "q");
    bytes_format(&out, "%s %s %s %zu %s %s", (const char *)self, r->method, r->path, r->body.size,
                 q == NULL ? "-" : q, r->authorization == NULL ? "-" : "auth");
    admin_answer(r->reply, 200, "text/plain", bytes_slice(&out));
    bytes_clear(&out);
}

static void serve_held(void *self, const struct admin_request *r)
{
    (void)self;
    held = r->reply;
}

static void serve_kept(void *self, const struct admin_request *r)
{
    (void)self;
    assert_true(kept_count < KEPT);
    kept[kept_count++] = r->reply;
}

static int start(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(uv_loop_init(&loop), 0);
    params = (struct admin_params){&loop, "127.0.0.1", 0, "admin.listen", NULL};
    assert_true(admin_start(&params, &admin, &f));
    admin_route_writable(admin, "/echo", serve_echo, echo_name);
    admin_route_writable(admin, "/keep", serve_kept, NULL);
    admin_route(admin, "/held", serve_held, NULL);
    admin_route(admin, "/plain", serve_echo, echo_name);
    assert_int_equal(uv_timer_init(&loop, &later), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    admin_stop(admin);
    uv_close((uv_handle_t *)&later, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void expect_body(struct client *c, long status, const char *body)
{
    assert_int_equal(c->status, status);
    assert_string_equal(bytes_text(&c->body), body);
    bytes_clear(&c->body);
}

static void a_handler_sees_method_path_query_and_body(void **state)
{
    (void)state;
    struct client c = {.method = "PUT", .upload_size = 100000};
    begin(&c, "/echo/a%20b/c?q=1%262&x=y");
    end(&c);
    expect_body(&c, 200, "short PUT /a b/c 100000 1&2 auth");
}

static void what_only_begins_like_a_route_is_not_found(void **state)
{
    (void)state;
    struct client c = {0};
    begin(&c, "/echoes");
    end(&c);
    expect_body(&c, 404, "{\"error_code\":404,\"message\":\"nothing is served here\"}\n");
}

static void a_body_beyond_the_limit_is_refused_with_and_without_its_length(void **state)
{
    (void)state;
    for (int is_chunked = 0; is_chunked < 2; is_chunked++) {
        struct client c = {.method = "POST", .upload_size = 2 * 1024 * 1024 + 1, .is_chunked = is_chunked};
        begin(&c, "/echo");
        end(&c);
        expect_body(&c, 413, "{\"error_code\":413,\"message\":\"the body is larger than 2 MiB\"}\n");
    }
    struct client c = {.method = "POST", .upload_size = 2 * 1024 * 1024};
    begin(&c, "/echo");
    end(&c);
    expect_body(&c, 200, "short POST  2097152 - auth");
}

static void answer_held(uv_timer_t *timer)
{
    (void)timer;
    admin_answer(held, 202, "text/plain", slice_of("later"));
    held = NULL;
}

static void a_deferred_answer_arrives_on_a_loop_that_waits(void **state)
{
    (void)state;
    struct client c = {0};
    begin(&c, "/held");
    while (held == NULL) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(uv_timer_start(&later, answer_held, 50, 0), 0);
    while (held != NULL) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    end(&c);
    expect_body(&c, 202, "later");
}

static void others_are_served_while_one_waits(void **state)
{
    (void)state;
    struct client waiting = {0};
    begin(&waiting, "/held");
    while (held == NULL) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    struct client c = {0};
    begin(&c, "/echo");
    end(&c);
    expect_body(&c, 200, "short GET  0 - auth");
    answer_held(NULL);
    end(&waiting);
    expect_body(&waiting, 202, "later");
}

static void an_address_that_is_taken_is_named_with_its_key(void **state)
{
    (void)state;
    struct admin *other;
    struct fault f;
    const struct admin_params taken = {&loop, "127.0.0.1", admin_port(admin), "--listen", NULL};
    const struct admin_params nowhere = {&loop, "nowhere.example", 1, "--listen", NULL};
    assert_false(admin_start(&taken, &other, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "127.0.0.1"));
    assert_non_null(strstr(f.text, "--listen"));
    assert_false(admin_start(&nowhere, &other, &f));
    assert_non_null(strstr(f.text, "nowhere.example"));
}

static void what_is_refused_is_refused_before_its_body(void **state)
{
    (void)state;
    const struct {
        struct client client;
        const char *path;
        long status;
    } cases[] = {
        {{.method = "POST", .upload_size = 10, .header = "Content-Type: text/plain"}, "/echo", 415},
        {{.method = "POST", .upload_size = 10, .header = "Content-Type:"}, "/echo", 415},
        {{.method = "POST", .upload_size = 10, .header = "Origin: http://elsewhere.example"}, "/echo", 403},
        {{.header = "Host: rebound.example"}, "/plain", 403},
        {{.method = "POST", .upload_size = 10}, "/nowhere", 404},
        {{.method = "POST", .upload_size = 10}, "/plain", 405},
        {{.method = "GET", .upload_size = 10}, "/plain", 413},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct client c = cases[i].client;
        begin(&c, cases[i].path);
        end(&c);
        assert_int_equal(c.status, cases[i].status);
        bytes_clear(&c.body);
    }
}

/** Connects and sends the start of a request. */
static int drip(const char *text)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)admin_port(admin)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    return fd;
}

/** Sends all of it, while the server reads. */
static void send_all(int fd, const char *data, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        ssize_t count = send(fd, data + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_true(count > 0 || errno == EAGAIN);
        sent += count > 0 ? (size_t)count : 0;
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
}

static void all_bodies_together_have_a_limit(void **state)
{
    (void)state;
    enum { BODY = 2 * 1024 * 1024 };
    int fds[KEPT];
    char *body = memory_zeroed(BODY, 1);
    kept_count = 0;
    for (int i = 0; i < KEPT; i++) {
        fds[i] = drip("POST /keep HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                      "Content-Length: 2097152\r\n\r\n");
        send_all(fds[i], body, BODY);
    }
    while (kept_count < KEPT) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    struct client c = {.method = "POST", .upload_size = 1};
    begin(&c, "/echo");
    end(&c);
    expect_body(&c, 503, "{\"error_code\":503,\"message\":\"too many bodies at once\"}\n");
    for (int i = 0; i < KEPT; i++) {
        admin_answer(kept[i], 200, "text/plain", slice_of("kept"));
    }
    for (int i = 0; i < KEPT; i++) {
        while (recv(fds[i], body, BODY, MSG_DONTWAIT) <= 0) {
            (void)uv_run(&loop, UV_RUN_ONCE);
        }
        close(fds[i]);
    }
    c = (struct client){.method = "POST", .upload_size = BODY};
    begin(&c, "/echo");
    end(&c);
    expect_body(&c, 200, "short POST  2097152 - auth");
    free(body);
}

static void half_requests_leave_room_for_whole_ones(void **state)
{
    (void)state;
    int fds[200];
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = drip("GET /pla");
    }
    struct client c = {0};
    begin(&c, "/plain");
    end(&c);
    expect_body(&c, 200, "short GET  0 - auth");
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        close(fds[i]);
    }
}

static void a_request_that_drips_is_cut_off(void **state)
{
    (void)state;
    static const char *const beginnings[] = {
        "GET /plain HTTP/1.1\r\nHost: a\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\nab"};
    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        int fd = drip(beginnings[i]);
        char byte;
        assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
        clock_fake(clock_now_us() + 16 * CLOCK_US_PER_S, clock_wall_us());
        while (recv(fd, &byte, 1, MSG_DONTWAIT) != 0) {  // until end of file
            (void)uv_run(&loop, UV_RUN_ONCE);
        }
        clock_fake(-1, 0);
        close(fd);
    }
}

static void stopping_answers_those_who_wait(void **state)
{
    (void)state;
    struct client c = {0};
    begin(&c, "/held");
    while (held == NULL) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    held = NULL;
    struct fault f;
    admin_stop(admin);
    end(&c);
    bytes_clear(&c.body);
    assert_true(admin_start(&params, &admin, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_sees_method_path_query_and_body),
        cmocka_unit_test(what_only_begins_like_a_route_is_not_found),
        cmocka_unit_test(a_body_beyond_the_limit_is_refused_with_and_without_its_length),
        cmocka_unit_test(a_deferred_answer_arrives_on_a_loop_that_waits),
        cmocka_unit_test(others_are_served_while_one_waits),
        cmocka_unit_test(an_address_that_is_taken_is_named_with_its_key),
        cmocka_unit_test(what_is_refused_is_refused_before_its_body),
        cmocka_unit_test(all_bodies_together_have_a_limit),
        cmocka_unit_test(half_requests_leave_room_for_whole_ones),
        cmocka_unit_test(a_request_that_drips_is_cut_off),
        cmocka_unit_test(stopping_answers_those_who_wait),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
