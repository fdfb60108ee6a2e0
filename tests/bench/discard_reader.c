// The yardstick for the connector: reads a logical replication slot with pgoutput, counts the rows and throws
// them away, as cheaply as libpq allows. What it reaches is the limit of the server's walsender on this
// machine.
//
//   discard_reader DSN SLOT PUBLICATION ROWS text|binary
//
// It ends at the first Commit after ROWS inserted rows and prints one line of JSON. The socket wakes it only
// when 128 KiB wait (SO_RCVLOWAT) or 1 ms has passed, and each wake-up reads once; while nothing comes, the
// limit is 1. It reports no position, so the slot keeps its place.
#include <endian.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    LOW_WATER_BYTES = 131072,
    WAKE_MS = 1,
    IDLE_WAKES = 20,  // wake-ups without a row after which the limit goes back to 1
    IDLE_WAIT_MS = 1000,
    DATA_HEADER_BYTES = 1 + 8 + 8 + 8,  // 'w', start LSN, WAL end, clock
    KEEPALIVE_BYTES = 1 + 8 + 8 + 1,    // 'k', WAL end, clock, reply asked
};

struct reader {
    PGconn *conn;
    int idle_wakes;
    bool is_batching;
    bool is_done;
    long rows;
    long rows_wanted;
    long bytes;
    long wakes;
};

static void fail(struct reader *r, const char *what)
{
    (void)fprintf(stderr, "discard_reader: %s: %s", what, PQerrorMessage(r->conn));
    exit(1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set_low_water(struct reader *r, bool is_batching)
{
    int bytes = is_batching ? LOW_WATER_BYTES : 1;
    if (r->is_batching != is_batching &&
        setsockopt(PQsocket(r->conn), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) == 0) {
        r->is_batching = is_batching;
    }
}

// A status update with three positions of 0 (written, flushed, applied), the clock and "no reply asked".
static void answer_keepalive(struct reader *r)
{
    static const int64_t postgres_epoch_s = 946684800;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t clock_us = htobe64((uint64_t)((t.tv_sec - postgres_epoch_s) * 1000000 + t.tv_nsec / 1000));
    char status[1 + 8 + 8 + 8 + 8 + 1] = {'r'};
    memcpy(status + 25, &clock_us, sizeof(clock_us));
    if (PQputCopyData(r->conn, status, sizeof(status)) <= 0 || PQflush(r->conn) < 0) {
        fail(r, "status");
    }
}

static void take_frame(struct reader *r, const char *frame, int size)
{
    if (frame[0] == 'k' && size >= KEEPALIVE_BYTES) {
        if (frame[KEEPALIVE_BYTES - 1] != 0) {
            answer_keepalive(r);
        }
        return;
    }
    if (frame[0] != 'w' || size <= DATA_HEADER_BYTES) {
        return;
    }
    char message = frame[DATA_HEADER_BYTES];
    r->rows += message == 'I';
    r->bytes += size;
    r->is_done = message == 'C' && r->rows >= r->rows_wanted;
}

// All frames that libpq holds; false when there was none.
static bool take_frames(struct reader *r)
{
    bool has_any = false;
    char *frame = NULL;
    int size = 0;
    while (!r->is_done && (size = PQgetCopyData(r->conn, &frame, 1)) > 0) {
        take_frame(r, frame, size);
        PQfreemem(frame);
        has_any = true;
    }
    if (size < 0) {
        fail(r, "the stream ended");
    }
    return has_any;
}

static void wait_for_data(struct reader *r)
{
    struct pollfd socket = {.fd = PQsocket(r->conn), .events = POLLIN};
    (void)poll(&socket, 1, r->is_batching ? WAKE_MS : IDLE_WAIT_MS);
    r->wakes++;
    if (PQconsumeInput(r->conn) != 1) {
        fail(r, "read");
    }
}

static void drain(struct reader *r)
{
    while (!r->is_done) {
        wait_for_data(r);
        r->idle_wakes = take_frames(r) ? 0 : r->idle_wakes + 1;
        set_low_water(r, r->idle_wakes < IDLE_WAKES);
    }
}

static PGconn *connect_for_replication(const char *dsn)
{
    const char *names[] = {"dbname", "replication", "application_name", NULL};
    const char *values[] = {dsn, "database", "discard_reader", NULL};
    return PQconnectdbParams(names, values, 1);
}

static void start_replication(struct reader *r, const char *slot, const char *publication, bool is_binary)
{
    char sql[512];
    int size = snprintf(sql, sizeof(sql),
                        "START_REPLICATION SLOT \"%s\" LOGICAL 0/0 (proto_version '1', publication_names "
                        "'\"%s\"'%s)",
                        slot, publication, is_binary ? ", binary 'true'" : "");
    if (size < 0 || (size_t)size >= sizeof(sql)) {
        fail(r, "names are too long");
    }
    PGresult *result = PQexec(r->conn, sql);
    if (PQresultStatus(result) != PGRES_COPY_BOTH) {
        fail(r, "START_REPLICATION");
    }
    PQclear(result);
}

int main(int argc, char **argv)
{
    if (argc != 6 || (strcmp(argv[5], "text") != 0 && strcmp(argv[5], "binary") != 0)) {
        (void)fprintf(stderr, "usage: discard_reader DSN SLOT PUBLICATION ROWS text|binary\n");
        return 64;
    }
    struct reader r = {.rows_wanted = strtol(argv[4], NULL, 10)};
    r.conn = connect_for_replication(argv[1]);
    if (PQstatus(r.conn) != CONNECTION_OK) {
        fail(&r, "connect");
    }
    double began_s = now_s();
    start_replication(&r, argv[2], argv[3], strcmp(argv[5], "binary") == 0);
    drain(&r);
    double took_s = now_s() - began_s;
    (void)printf("{\"rows\":%ld,\"bytes\":%ld,\"wakes\":%ld,\"seconds\":%.3f,\"rows_per_s\":%.0f}\n", r.rows,
                 r.bytes, r.wakes, took_s, (double)r.rows / took_s);
    PQfinish(r.conn);
    return 0;
}
