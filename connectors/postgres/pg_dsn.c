#include "connectors/postgres/pg_dsn.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>

#include "core/clock.h"

// What values look like must not depend on the server's configuration, nor a dead peer hold the slot for
// long. Row-level security refuses a table instead of hiding some of its rows from the snapshot.
#define PG_DSN_OPTIONS                                                                                       \
    "-c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC -c extra_float_digits=3 -c "                 \
    "bytea_output=hex "                                                                                      \
    "-c lc_monetary=C -c wal_sender_timeout=15s -c statement_timeout=0 -c lock_timeout=0 "                   \
    "-c idle_in_transaction_session_timeout=0 -c row_security=off"

enum { PG_DSN_CONNECT_TIMEOUT_S = 10 };

static const char *const PG_DSN_DEFAULTS[][2] = {
    {"application_name", "millrace"}, {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
    {"keepalives_count", "3"},        {"tcp_user_timeout", "30000"},
};

static void pg_dsn_free_info(PQconninfoOption **info)
{
    PQconninfoFree(*info);
}

static void pg_dsn_add_host(struct pg_dsn *d, struct slice name, struct slice port)
{
    d->hosts = memory_resize(d->hosts, (d->host_count + 1) * sizeof(*d->hosts));
    d->hosts[d->host_count++] = (struct pg_dsn_host){slice_to_string(name), slice_to_string(port)};
}

// The entry at `*at` of a comma list; an exhausted list goes on giving its last entry (one port for all
// hosts).
static struct slice pg_dsn_entry(const char **at)
{
    size_t size = strcspn(*at, ",");
    struct slice entry = slice_make(*at, size);
    if ((*at)[size] == ',') {
        *at += size + 1;
    }
    return entry;
}

static void pg_dsn_split_hosts(struct pg_dsn *d, const char *hosts, const char *ports)
{
    const char *port_at = ports == NULL ? "" : ports;
    for (const char *at = hosts; at != NULL;) {
        const char *comma = strchr(at, ',');
        pg_dsn_add_host(d, slice_make(at, comma == NULL ? strlen(at) : (size_t)(comma - at)),
                        pg_dsn_entry(&port_at));
        at = comma == NULL ? NULL : comma + 1;
    }
}

// PGHOST and PGPORT count where the string says nothing, as in libpq; PQconninfoParse does not look at them.
static void pg_dsn_hosts(struct pg_dsn *d)
{
    const char *host = text_pairs_get(&d->options, "host");
    const char *port = text_pairs_get(&d->options, "port");
    host = host == NULL ? getenv("PGHOST") : host;
    port = port == NULL ? getenv("PGPORT") : port;
    bool is_elsewhere = text_pairs_get(&d->options, "hostaddr") != NULL ||
                        text_pairs_get(&d->options, "service") != NULL || getenv("PGHOSTADDR") != NULL;
    if (host != NULL && host[0] != '\0' && !is_elsewhere) {
        pg_dsn_split_hosts(d, host, port);
    }
}

static void pg_dsn_settle(struct pg_dsn *d, const char *password, bool is_replication)
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
    pg_dsn_hosts(d);
}

bool pg_dsn_parse(const char *dsn, const char *password, bool is_replication, struct pg_dsn *ret,
                  struct fault *f)
{
    char *message = NULL;
    CLEANUP(pg_dsn_free_info) PQconninfoOption *info = PQconninfoParse(dsn, &message);
    if (info == NULL) {
        // libpq's message may quote the string, and with it a password: only its kind is told.
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
    pg_dsn_settle(&d, password, is_replication);
    *ret = d;
    return true;
}

void pg_dsn_clear(struct pg_dsn *d)
{
    text_pairs_clear(&d->options);
    for (size_t i = 0; i < d->host_count; i++) {
        free(d->hosts[i].name);
        free(d->hosts[i].port);
    }
    free(d->hosts);
    *d = (struct pg_dsn){0};
}

bool pg_dsn_needs_lookup(const struct pg_dsn_host *h)
{
    struct in6_addr address;
    bool is_socket = h->name[0] == '/' || h->name[0] == '@' || h->name[0] == '\0';
    return !is_socket && inet_pton(AF_INET, h->name, &address) != 1 &&
           inet_pton(AF_INET6, h->name, &address) != 1;
}

void pg_dsn_resolve(const struct pg_dsn *d, const struct pg_dsn_address *addresses, size_t count,
                    struct text_pairs *ret)
{
    for (size_t i = 0; i < d->options.count; i++) {
        text_pairs_set(ret, d->options.items[i].key, d->options.items[i].value);
    }
    if (count == 0) {
        return;
    }
    CLEANUP(bytes_clear) struct bytes host = {0};
    CLEANUP(bytes_clear) struct bytes address = {0};
    CLEANUP(bytes_clear) struct bytes port = {0};
    for (size_t i = 0; i < count; i++) {
        const char *comma = i == 0 ? "" : ",";
        bytes_format(&host, "%s%s", comma, d->hosts[addresses[i].host].name);
        bytes_format(&address, "%s%s", comma, addresses[i].text);
        bytes_format(&port, "%s%s", comma, d->hosts[addresses[i].host].port);
    }
    text_pairs_set(ret, "host", bytes_text(&host));
    text_pairs_set(ret, "hostaddr", bytes_text(&address));
    text_pairs_set(ret, "port", bytes_text(&port));
}
