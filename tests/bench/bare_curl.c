// The yardstick for the bridge: a bare libcurl multi loop that sends identical POSTs over a fixed number of
// connections to one URL, as fast as answers come back, and prints requests per second.
//
//   bare_curl URL REQUESTS CONNECTIONS [BODY-FILE [HEADER…]]
//
// Constant options are set once a handle; per request only the body pointer is set, as any program would.
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum { CONNECTIONS_MAX = 1024, EVENTS_MAX = 64, BODY_BYTES_MAX = 1 << 20 };

static CURLM *multi;
static int epoll_fd;
static long curl_wait_ms = -1;
static char body[BODY_BYTES_MAX];
static size_t body_size;

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *self, void *known)
{
    (void)easy;
    (void)self;
    struct epoll_event e = {.data = {.fd = fd}};
    e.events =
        (what & CURL_POLL_IN ? (unsigned)EPOLLIN : 0) | (what & CURL_POLL_OUT ? (unsigned)EPOLLOUT : 0);
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, &e);
    } else if (epoll_ctl(epoll_fd, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e) == 0) {
        curl_multi_assign(multi, fd, &epoll_fd);
    }
    return 0;
}

static int on_timer(CURLM *m, long wait_ms, void *self)
{
    (void)m;
    (void)self;
    curl_wait_ms = wait_ms;
    return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
    (void)data;
    (void)self;
    return size * count;
}

static CURL *new_handle(const char *url, struct curl_slist *headers)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (getenv("BARE_CURL_HTTP2") != NULL) {  // over TLS, all on one connection, whatever its certificate
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return easy;
}

static void send_next(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)body_size);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_multi_add_handle(multi, easy);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void step(void)
{
    struct epoll_event ready[EVENTS_MAX];
    int running;
    int count = epoll_wait(epoll_fd, ready, EVENTS_MAX, curl_wait_ms < 0 ? 1000 : (int)curl_wait_ms);
    if (count <= 0 || curl_wait_ms == 0) {
        curl_wait_ms = -1;  // the timer fires once, unless libcurl sets it again
        curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    for (int i = 0; i < count; i++) {
        int bits = (ready[i].events & (unsigned)EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (ready[i].events & (unsigned)EPOLLOUT ? CURL_CSELECT_OUT : 0);
        curl_multi_socket_action(multi, ready[i].data.fd, bits, &running);
    }
}

static long run(long requests, long connections, CURL **handles)
{
    long started = 0;
    long failed = 0;
    for (; started < connections && started < requests; started++) {
        send_next(handles[started]);
    }
    for (long done = 0; done < requests;) {
        step();
        CURLMsg *message;
        int left;
        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
            CURL *easy = message->easy_handle;
            long status = 0;
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            failed += message->data.result != CURLE_OK || status != 200;
            done++;
            curl_multi_remove_handle(multi, easy);
            if (started < requests) {
                started++;
                send_next(easy);
            }
        }
    }
    return failed;
}

static void read_body(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    body_size = fread(body, 1, sizeof(body), file);
    (void)fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: bare_curl URL REQUESTS CONNECTIONS [BODY-FILE [HEADER...]]\n");
        return 64;
    }
    long requests = strtol(argv[2], NULL, 10);
    long connections = strtol(argv[3], NULL, 10);
    if (requests < 1 || connections < 1 || connections > CONNECTIONS_MAX) {
        return 64;
    }
    if (argc > 4) {
        read_body(argv[4]);
    }
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    for (int i = 5; i < argc; i++) {
        headers = curl_slist_append(headers, argv[i]);
    }
    multi = curl_multi_init();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
    CURL *handles[CONNECTIONS_MAX];
    for (long i = 0; i < connections; i++) {
        handles[i] = new_handle(argv[1], headers);
    }
    double began_s = now_s();
    long failed = run(requests, connections, handles);
    double took_s = now_s() - began_s;
    (void)printf("{\"requests\":%ld,\"failed\":%ld,\"seconds\":%.3f,\"requests_per_s\":%.0f}\n", requests,
                 failed, took_s, (double)requests / took_s);
    for (long i = 0; i < connections; i++) {
        curl_easy_cleanup(handles[i]);
    }
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    return failed == 0 ? 0 : 1;
}
