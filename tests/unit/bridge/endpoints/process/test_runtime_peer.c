// bridge/endpoints/process/runtime_peer: real connections, by the kernel's answer and by its tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/endpoints/process/runtime_peer.h"
#include "core/base/bytes.h"
#include "core/base/memory.h"

enum { OTHER_UID = 65534 };

static bool is_diag_forbidden;
static const char *table;  // what the tables have; NULL: the kernel's
static bool is_table_hidden;
static int hidden_error = ENOENT;

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_socket(int domain, int type, int protocol)
{
    if (domain == AF_NETLINK && is_diag_forbidden) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return __real_socket(domain, type, protocol);
}

int __wrap_open(const char *path, int flags, ...)
{
    if (is_table_hidden || table == NULL) {
        errno = hidden_error;
        return is_table_hidden ? -1 : __real_open(path, flags);
    }
    int fd = memfd_create("table", MFD_CLOEXEC);
    assert_int_equal(write(fd, table, strlen(table)), strlen(table));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

struct pair {
    int listener;
    int port;
    int client;
    int server;
    struct sockaddr_in peer;
};

static void listen_here(struct pair *p)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(here);
    p->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(p->listener, (struct sockaddr *)&here, size), 0);
    assert_int_equal(listen(p->listener, 4), 0);
    assert_int_equal(getsockname(p->listener, (struct sockaddr *)&here, &size), 0);
    p->port = ntohs(here.sin_port);
}

static void accept_one(struct pair *p)
{
    socklen_t size = sizeof(p->peer);
    p->server = accept(p->listener, (struct sockaddr *)&p->peer, &size);
    assert_true(p->server >= 0);
}

/** A client whose socket is of the family; false: the machine has no IPv6. */
static bool connect_pair(struct pair *p, int family)
{
    listen_here(p);
    const struct sockaddr_in plain = {AF_INET, htons((uint16_t)p->port), {htonl(INADDR_LOOPBACK)}, {0}};
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = plain.sin_port};
    const uint8_t address[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    memcpy(&mapped.sin6_addr, address, sizeof(address));
    p->client = socket(family, SOCK_STREAM, 0);
    if (p->client < 0) {
        return false;
    }
    bool is_plain = family == AF_INET;
    assert_int_equal(connect(p->client,
                             is_plain ? (const struct sockaddr *)&plain : (struct sockaddr *)&mapped,
                             is_plain ? sizeof(plain) : sizeof(mapped)),
                     0);
    accept_one(p);
    return true;
}

static void close_pair(struct pair *p)
{
    (void)close(p->client);
    (void)close(p->server);
    (void)close(p->listener);
}

static uid_t look(const struct pair *p)
{
    uid_t uid = 12345;
    assert_true(runtime_peer_uid((const struct sockaddr *)&p->peer, p->port, &uid));
    return uid;
}

static int reset(void **state)
{
    (void)state;
    is_diag_forbidden = false;
    is_table_hidden = false;
    hidden_error = ENOENT;
    table = NULL;
    return 0;
}

static int only_tables(void **state)
{
    (void)reset(state);
    is_diag_forbidden = true;
    return 0;
}

static int only_diag(void **state)
{
    (void)reset(state);
    is_table_hidden = true;
    return 0;
}

static void my_own_connection(void **state)
{
    (void)state;
    struct pair p;
    assert_true(connect_pair(&p, AF_INET));
    assert_int_equal(look(&p), getuid());
    close_pair(&p);
}

static void a_connection_from_a_socket_of_ipv6(void **state)
{
    (void)state;
    struct pair p;
    if (!connect_pair(&p, AF_INET6)) {
        skip();
    }
    assert_int_equal(look(&p), getuid());
    close_pair(&p);
}

static void a_connection_of_another_user(void **state)
{
    (void)state;
    if (getuid() != 0) {
        skip();
    }
    struct pair p;
    listen_here(&p);
    int stay[2];
    assert_int_equal(pipe(stay), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(stay[1]);
        const struct sockaddr_in to = {AF_INET, htons((uint16_t)p.port), {htonl(INADDR_LOOPBACK)}, {0}};
        bool is_other = setuid(OTHER_UID) == 0;
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        char end;
        _exit(is_other && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
                      read(stay[0], &end, 1) == 0
                  ? 0
                  : 1);
    }
    (void)close(stay[0]);
    accept_one(&p);
    assert_int_equal(look(&p), OTHER_UID);
    (void)close(stay[1]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)close(p.server);
    (void)close(p.listener);
}

/** The kernel names root as the owner of a socket that no process has. */
static void a_client_that_has_closed_is_nobody(void **state)
{
    (void)state;
    struct pair p;
    assert_true(connect_pair(&p, AF_INET));
    (void)close(p.client);
    assert_int_equal(look(&p), RUNTIME_PEER_NOBODY);
    p.client = -1;
    close_pair(&p);
}

static void a_client_elsewhere_is_nobody(void **state)
{
    (void)state;
    struct pair p = {.port = 9, .peer = {AF_INET, htons(9), {htonl(0xc0000201)}, {0}}};
    assert_int_equal(look(&p), RUNTIME_PEER_NOBODY);
    p.peer.sin_family = AF_UNIX;
    assert_int_equal(look(&p), RUNTIME_PEER_NOBODY);
}

static void without_a_table_nobody_can_say(void **state)
{
    (void)state;
    is_table_hidden = true;
    struct pair p;
    assert_true(connect_pair(&p, AF_INET));
    uid_t uid;
    assert_false(runtime_peer_uid((const struct sockaddr *)&p.peer, p.port, &uid));
    close_pair(&p);
}

static void without_descriptors_it_is_nobody(void **state)
{
    (void)state;
    is_table_hidden = true;
    hidden_error = EMFILE;
    struct pair p;
    assert_true(connect_pair(&p, AF_INET));
    assert_int_equal(look(&p), RUNTIME_PEER_NOBODY);
    close_pair(&p);
}

#define HEAD                                                                                                 \
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define OTHER                                                                                                \
    "   0: 0100007F:0050 0100007F:1F90 01 00000000:00000000 00:00000000 00000000    33        0 77 1\n"
#define MINE "   1: 0100007F:1F90 0100007F:0050 01 00000000:00000000 00:00000000 00000000  1000        0 78 1"

/** The owner of 127.0.0.1:8080 as client of port 80, by the table. */
static bool look_in(const char *text, uid_t *ret)
{
    table = text;
    const struct sockaddr_in peer = {AF_INET, htons(8080), {htonl(INADDR_LOOPBACK)}, {0}};
    return runtime_peer_uid((const struct sockaddr *)&peer, 80, ret);
}

static void the_line_of_the_clients_end(void **state)
{
    (void)state;
    uid_t uid;
    assert_true(look_in(HEAD OTHER MINE "\n", &uid));
    assert_int_equal(uid, 1000);
    assert_true(look_in(HEAD OTHER, &uid));
    assert_int_equal(uid, RUNTIME_PEER_NOBODY);
    assert_true(look_in(HEAD OTHER MINE, &uid));  // half a line
    assert_int_equal(uid, RUNTIME_PEER_NOBODY);
    assert_true(look_in("", &uid));
    assert_int_equal(uid, RUNTIME_PEER_NOBODY);
}

static void a_line_over_two_reads(void **state)
{
    (void)state;
    enum { BEFORE = 90 };  // lines: more than one block, which ends within one
    CLEANUP(bytes_clear) struct bytes text = {0};
    for (size_t before = BEFORE - 10; before < BEFORE; before++) {
        bytes_reset(&text);
        bytes_append_string(&text, HEAD);
        for (size_t i = 0; i < before; i++) {
            bytes_append_string(&text, OTHER);
        }
        bytes_append_string(&text, MINE "\n");
        uid_t uid;
        assert_true(look_in(bytes_text(&text), &uid));
        assert_int_equal(uid, 1000);
    }
}

static void what_is_no_table(void **state)
{
    (void)state;
    char text[20000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    uid_t uid;
    assert_false(look_in(text, &uid));
    assert_true(look_in("   1: 0100007F:1F90 0100007F:0050 01 what\n", &uid));
    assert_int_equal(uid, RUNTIME_PEER_NOBODY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(my_own_connection, only_diag),
        cmocka_unit_test_setup(my_own_connection, only_tables),
        cmocka_unit_test_setup(a_connection_from_a_socket_of_ipv6, only_diag),
        cmocka_unit_test_setup(a_connection_from_a_socket_of_ipv6, only_tables),
        cmocka_unit_test_setup(a_connection_of_another_user, only_diag),
        cmocka_unit_test_setup(a_connection_of_another_user, only_tables),
        cmocka_unit_test_setup(a_client_that_has_closed_is_nobody, only_diag),
        cmocka_unit_test_setup(a_client_that_has_closed_is_nobody, only_tables),
        cmocka_unit_test_setup(a_client_elsewhere_is_nobody, reset),
        cmocka_unit_test_setup(without_a_table_nobody_can_say, only_tables),
        cmocka_unit_test_setup(without_descriptors_it_is_nobody, only_tables),
        cmocka_unit_test_setup(the_line_of_the_clients_end, only_tables),
        cmocka_unit_test_setup(a_line_over_two_reads, only_tables),
        cmocka_unit_test_setup(what_is_no_table, only_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
