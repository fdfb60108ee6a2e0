#include "connectors/postgres/wire/pg_dsn.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "core/base/clock.h"

enum { HOST_NAME_MAX_SIZE = 253 };  // RFC 1035; libuv looks up no longer ones

// The format of values must not depend on the server's configuration. The server must notice a dead peer
// within 15 s, as it holds the slot, but not before the peer itself has noticed (pg_stream.c), and must not
// end an idle session. With row_security=off a table with row-level security causes an error instead of
// hiding rows from the snapshot. The planner takes the queries of the catalogue for expensive, and compiling
// one takes seconds of the server's processor time, while the stream waits; running it takes a millisecond.
#define PG_DSN_OPTIONS                                                                                       \
    "-c client_min_messages=warning -c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC -c "          \
    "extra_float_digits=3 -c "                                                                               \
    "bytea_output=hex "                                                                                      \
    "-c lc_monetary=C -c wal_sender_timeout=15s -c statement_timeout=0 -c lock_timeout=0 "                   \
    "-c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0 "                                    \
    "-c tcp_keepalives_idle=6 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 -c row_security=off "   \
    "-c jit=off"

enum { PG_DSN_CONNECT_TIMEOUT_S = 10 };

static const char *const PG_DSN_DEFAULTS[][2] = {
    {"application_name", "millrace"},
    {"keepalives_idle", "5"},
    {"keepalives_interval", "2"},
    {"keepalives_count", "3"},
};

static void free_info(PQconninfoOption **info)
{
    PQconninfoFree(*info);
}

// Reads the entry at `*at` of a comma-separated list. After its end it returns the last entry again (one port
// for all hosts).
static struct slice next_entry(const char **at)
{
    size_t size = strcspn(*at, ",");
    struct slice entry = slice_make(*at, size);
    if ((*at)[size] == ',') {
        *at += size + 1;
    }
    return entry;
}

// The number of servers is that of hostaddr's entries, or of host's entries without hostaddr.
static void split_hosts(struct pg_dsn *d, const char *hosts, const char *addresses, const char *ports)
{
    const char *host_at = hosts == NULL ? "" : hosts;
    const char *address_at = addresses == NULL ? "" : addresses;
    const char *port_at = ports == NULL ? "" : ports;
    size_t count = 1;
    for (const char *at = addresses == NULL ? host_at : address_at; *at != '\0'; at++) {
        count += *at == ',' ? 1 : 0;
    }
    d->hosts = memory_zeroed(count, sizeof(*d->hosts));
    for (; d->host_count < count; d->host_count++) {
        d->hosts[d->host_count] = (struct pg_dsn_host){.name = slice_to_string(next_entry(&host_at)),
                                                       .address = slice_to_string(next_entry(&address_at)),
                                                       .port = slice_to_string(next_entry(&port_at))};
    }
}

// PGHOST, PGHOSTADDR and PGPORT are the defaults, as in libpq, but PQconninfoParse does not read them. libpq
// itself resolves and tries the hosts of a service.
static void set_hosts(struct pg_dsn *d)
{
    const char *host = text_pairs_get(&d->options, "host");
    const char *address = text_pairs_get(&d->options, "hostaddr");
    const char *port = text_pairs_get(&d->options, "port");
    host = host == NULL ? getenv("PGHOST") : host;
    address = address == NULL ? getenv("PGHOSTADDR") : address;
    port = port == NULL ? getenv("PGPORT") : port;
    bool has_any = (host != NULL && host[0] != '\0') || address != NULL;
    if (has_any && text_pairs_get(&d->options, "service") == NULL) {
        split_hosts(d, host, address, port);
    }
}

static void add_settings(struct pg_dsn *d, const char *password, bool is_replication)
{
    for (size_t i = 0; i < COUNT_OF(PG_DSN_DEFAULTS); i++) {
        if (text_pairs_get(&d->options, PG_DSN_DEFAULTS[i][0]) == NULL) {
            text_pairs_set(&d->options, PG_DSN_DEFAULTS[i][0], PG_DSN_DEFAULTS[i][1]);
        }
    }
    const char *own = text_pairs_get(&d->options, "options");
    CLEANUP(memory_free_pointer)
    char *options = own == NULL ? memory_string(PG_DSN_OPTIONS) : memory_format("%s %s", own, PG_DSN_OPTIONS);
    text_pairs_set(&d->options, "options", options);
    text_pairs_set(&d->options, "client_encoding", "UTF8");
    if (is_replication) {
        text_pairs_set(&d->options, "replication", "database");
    }
    if (password != NULL) {
        text_pairs_set(&d->options, "password", password);
    }
    const char *timeout = text_pairs_get(&d->options, "connect_timeout");
    long seconds = timeout == NULL ? 0 : strtol(timeout, NULL, 10);
    d->connect_timeout_us = (seconds > 0 ? seconds : PG_DSN_CONNECT_TIMEOUT_S) * CLOCK_US_PER_S;
    set_hosts(d);
}

bool pg_dsn_parse(const char *dsn, const char *password, bool is_replication, struct pg_dsn *ret,
                  struct fault *f)
{
    char *message = NULL;
    CLEANUP(free_info) PQconninfoOption *info = PQconninfoParse(dsn, &message);
    if (info == NULL) {
        // libpq's message may quote the string with its password, so it is not shown.
        PQfreemem(message);
        return fault_set(f, FAULT_CONFIG,
                         "postgres.dsn is not a libpq connection string; write it like "
                         "\"host=db.example port=5432 dbname=shop user=millrace\"");
    }
    struct pg_dsn d = {0};
    for (const PQconninfoOption *option = info; option->keyword != NULL; option++) {
        if (option->val != NULL && option->val[0] != '\0') {
            text_pairs_set(&d.options, option->keyword, option->val);
        }
    }
    add_settings(&d, password, is_replication);
    for (size_t i = 0; i < d.host_count; i++) {
        size_t size = strlen(d.hosts[i].name);
        if (size > HOST_NAME_MAX_SIZE && pg_dsn_needs_lookup(&d.hosts[i])) {
            pg_dsn_clear(&d);
            return fault_set(f, FAULT_CONFIG,
                             "postgres.dsn: a host name of %zu characters; a name has at most %d", size,
                             HOST_NAME_MAX_SIZE);
        }
    }
    *ret = d;
    return true;
}

void pg_dsn_clear(struct pg_dsn *d)
{
    text_pairs_clear(&d->options);
    for (size_t i = 0; i < d->host_count; i++) {
        free(d->hosts[i].name);
        free(d->hosts[i].address);
        free(d->hosts[i].port);
    }
    free(d->hosts);
    *d = (struct pg_dsn){0};
}

bool pg_dsn_needs_lookup(const struct pg_dsn_host *h)
{
    struct in6_addr address;
    if (h->address[0] != '\0') {
        return false;
    }
    bool is_socket = h->name[0] == '/' || h->name[0] == '@' || h->name[0] == '\0';
    return !is_socket && inet_pton(AF_INET, h->name, &address) != 1 &&
           inet_pton(AF_INET6, h->name, &address) != 1;
}

void pg_dsn_resolve(const struct pg_dsn *d, const struct pg_dsn_address *address, struct text_pairs *ret)
{
    for (size_t i = 0; i < d->options.count; i++) {
        text_pairs_set(ret, d->options.items[i].key, d->options.items[i].value);
    }
    if (address != NULL) {
        text_pairs_set(ret, "host", d->hosts[address->host].name);
        text_pairs_set(ret, "hostaddr", address->text);
        text_pairs_set(ret, "port", d->hosts[address->host].port);
    }
}
