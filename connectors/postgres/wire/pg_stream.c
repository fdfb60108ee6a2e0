// Frames of the streaming replication protocol, inside CopyData; all integers big-endian, times in
// microseconds since 2000-01-01 UTC. Source: PostgreSQL 15, 55.4 Streaming Replication Protocol.
//
//   w  XLogData    Int64 start, Int64 WAL end, Int64 clock, then the output plugin's message
//   k  keepalive   Int64 WAL end, Int64 clock, Byte1: 1 requests a reply
//   r  status      Int64 written, Int64 flushed, Int64 applied, Int64 clock, Byte1: 1 requests a reply (sent
//   to the server)
//
// A reader that is faster than the server would wake up for each row, with a context switch on both sides. So
// under load the socket becomes readable only with 128 KiB (SO_RCVLOWAT), a timer of 3 ms reads smaller
// rests, and each wake-up reads once: the socket stays filled, and the server sends large segments. Without
// load everything is read at once.
//
// A copy that is cut off from the server must stop publishing before the server gives its slot to another
// copy, which it does 15 s after our last status (wal_sender_timeout, pg_dsn.c). A status is sent every 2 s,
// and the kernel gives the connection up when nothing was acknowledged for 5 s (pg_conn.c): 7 s after the
// cut at the latest, when the server waits for 6 s more. A kernel that acknowledges for the server (a proxy)
// hides the cut until PG_STREAM_SILENCE_US. That can't be shorter: while a server decodes a large transaction
// of which it sends nothing, it may not reply.
#include "connectors/postgres/wire/pg_stream.h"

#include <sys/socket.h>

#include "connectors/postgres/wire/pg_socket.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"

enum {
    PG_STREAM_DATA_HEADER = 1 + 8 + 8 + 8,
    PG_STREAM_STATUS_SIZE = 1 + 8 + 8 + 8 + 8 + 1,
    PG_STREAM_MESSAGE_MAX = 512 << 20,  // libpq buffers a message twice
    PG_STREAM_LOW_WATER = 128 << 10,
    PG_STREAM_REFILL_MS = 3,
    PG_STREAM_LOAD = 4 << 10,  // bytes in a millisecond; at this rate or above the stream is under load
};

#define PG_STREAM_WINDOW_US (5 * CLOCK_US_PER_MS)     // the load is measured over this time
#define PG_STREAM_STATUS_US (1500 * CLOCK_US_PER_MS)  // so every second tick sends one
#define PG_STREAM_REQUEST_US (30 * CLOCK_US_PER_S)
#define PG_STREAM_SILENCE_US (60 * CLOCK_US_PER_S)

static void put_u64(uint8_t *at, uint64_t value)
{
    uint64_t wire = __builtin_bswap64(value);
    memcpy(at, &wire, sizeof(wire));
}

static bool write_status(struct pg_stream *s, bool wants_reply, struct fault *f)
{
    uint8_t status[PG_STREAM_STATUS_SIZE] = {'r'};
    for (size_t i = 0; i < 3; i++) {
        put_u64(status + 1 + 8 * i, s->confirmed);
    }
    put_u64(status + 25, (uint64_t)(clock_wall_us() - CLOCK_POSTGRES_EPOCH_US));
    status[33] = wants_reply ? 1 : 0;
    s->last_sent_flush_lsn = s->confirmed;
    s->last_sent_us = clock_now_us();
    return pg_conn_write_copy(s->conn, slice_make(status, sizeof(status)), f);
}

bool pg_stream_send_status(struct pg_stream *s, struct fault *f)
{
    return write_status(s, false, f);
}

bool pg_stream_request_reply(struct pg_stream *s, struct fault *f)
{
    return write_status(s, true, f);
}

static void set_batching(struct pg_stream *s, bool is_batching)
{
    int bytes = is_batching ? PG_STREAM_LOW_WATER : 1;
    if (s->is_batching == is_batching || !s->is_tcp ||
        setsockopt(pg_conn_socket(s->conn), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) != 0) {
        return;
    }
    s->is_batching = is_batching;
    if (is_batching) {
        (void)uv_timer_start(s->refill, s->on_refill, PG_STREAM_REFILL_MS, PG_STREAM_REFILL_MS);
    } else {
        (void)uv_timer_stop(s->refill);
    }
}

// All frames are read for now. The load is a rate, not the size of one read: each read is small while reading
// row by row slows the server down.
static void measure_load(struct pg_stream *s)
{
    int64_t now_us = clock_now_us();
    int64_t window_us = now_us - s->window_us;
    if (window_us >= PG_STREAM_WINDOW_US) {
        set_batching(s, s->window_bytes / PG_STREAM_LOAD >= (size_t)(window_us / CLOCK_US_PER_MS));
        s->window_us = now_us;
        s->window_bytes = 0;
    }
}

void pg_stream_start(struct pg_stream *s, struct pg_conn *conn, uv_timer_t *refill, uv_timer_cb on_refill)
{
    uint64_t confirmed = s->confirmed;
    *s = (struct pg_stream){.conn = conn, .refill = refill, .on_refill = on_refill, .confirmed = confirmed};
    s->is_tcp = pg_conn_is_tcp(conn);
    s->last_sent_us = clock_now_us();
    s->heard_us = s->last_sent_us;
    s->window_us = s->last_sent_us;
}

static enum pg_stream_step decode_data(struct pg_stream *s, struct cursor *c, struct pg_stream_frame *ret)
{
    ret->lsn = cursor_u64(c);
    ret->wal_end = cursor_u64(c);
    (void)cursor_u64(c);
    ret->message = slice_make(c->at, cursor_left(c));
    s->wal_end = ret->wal_end > s->wal_end ? ret->wal_end : s->wal_end;
    return PG_STREAM_DATA;
}

static enum pg_stream_step decode_keepalive(struct pg_stream *s, struct cursor *c,
                                            struct pg_stream_frame *ret, struct fault *f)
{
    *ret = (struct pg_stream_frame){.wal_end = cursor_u64(c)};
    (void)cursor_u64(c);
    bool wants_reply = cursor_u8(c) != 0;
    if (!cursor_finish(c, "keepalive", f)) {
        f->kind = FAULT_FATAL;
        return PG_STREAM_FAULT;
    }
    s->wal_end = ret->wal_end > s->wal_end ? ret->wal_end : s->wal_end;
    return wants_reply && !write_status(s, false, f) ? PG_STREAM_FAULT : PG_STREAM_KEEPALIVE;
}

static enum pg_stream_step decode_frame(struct pg_stream *s, size_t size, struct pg_stream_frame *ret,
                                        struct fault *f)
{
    if (size > PG_STREAM_MESSAGE_MAX) {
        (void)fault_set(
            f, FAULT_REJECT,
            "a row of %zu MiB exceeds the limit of %d MiB; keep such values outside the published "
            "columns",
            size >> 20, PG_STREAM_MESSAGE_MAX >> 20);
        return PG_STREAM_FAULT;
    }
    struct cursor c = cursor_over(slice_make(s->buffer, size));
    uint8_t kind = cursor_u8(&c);
    if (kind == 'w' && size >= PG_STREAM_DATA_HEADER) {
        return decode_data(s, &c, ret);
    }
    if (kind == 'k') {
        return decode_keepalive(s, &c, ret, f);
    }
    (void)fault_set(f, FAULT_FATAL, "invalid replication frame of kind 0x%02x and %zu bytes", kind, size);
    return PG_STREAM_FAULT;
}

static void free_buffer(struct pg_stream *s)
{
    if (s->buffer != NULL) {
        PQfreemem(s->buffer);
        s->buffer = NULL;
    }
}

// The next frame's size; 0: none is complete yet. Under load reads the socket once a wake-up, else until it
// is empty.
static int read_frame(struct pg_stream *s, struct fault *f)
{
    int size;
    while ((size = pg_conn_next_copy(s->conn, &s->buffer, f)) == 0) {
        if (s->has_read) {
            bool was_batching = s->is_batching;
            s->has_read = false;
            measure_load(s);
            if (s->is_batching || !was_batching) {
                return 0;
            }
            // The load has ended: read again, because TLS may have buffered bytes without a further event.
        }
        s->has_read = true;
        if (!pg_conn_fill_copy(s->conn, f)) {
            return -2;
        }
    }
    s->has_read = s->has_read && s->is_batching;
    return size;
}

enum pg_stream_step pg_stream_next(struct pg_stream *s, struct pg_stream_frame *ret, struct fault *f)
{
    free_buffer(s);
    int size = read_frame(s, f);
    if (size > 0) {
        s->is_heard = true;
        s->window_bytes += (size_t)size;
        return decode_frame(s, (size_t)size, ret, f);
    }
    s->buffer = NULL;
    if (size == 0) {
        return PG_STREAM_NOTHING;
    }
    return size == -1 ? PG_STREAM_END : PG_STREAM_FAULT;
}

// Whether a frame, or bytes of one, arrived since the last tick: a large row may take long on a slow link.
static bool has_received(struct pg_stream *s)
{
    uint64_t received_bytes = pg_socket_received_bytes(pg_conn_socket(s->conn));
    bool is_alive = s->is_heard || received_bytes != s->received_bytes;
    s->received_bytes = received_bytes;
    return is_alive;
}

bool pg_stream_tick(struct pg_stream *s, struct fault *f)
{
    int64_t now_us = clock_now_us();
    if (has_received(s) || s->is_paused) {
        s->is_heard = false;
        s->has_requested_reply = false;
        s->heard_us = now_us;
    }
    int64_t silent_us = now_us - s->heard_us;
    if (silent_us > PG_STREAM_SILENCE_US) {
        return fault_set(f, FAULT_RETRY, "the server sent nothing for %d s, not even a keepalive",
                         (int)(silent_us / CLOCK_US_PER_S));
    }
    if (silent_us > PG_STREAM_REQUEST_US && !s->has_requested_reply) {
        s->has_requested_reply = true;
        return write_status(s, true, f);
    }
    if (s->confirmed != s->last_sent_flush_lsn || now_us - s->last_sent_us >= PG_STREAM_STATUS_US) {
        return write_status(s, false, f);
    }
    return true;
}

void pg_stream_pause(struct pg_stream *s, bool is_paused)
{
    if (s->is_paused == is_paused) {
        return;
    }
    s->is_paused = is_paused;
    s->heard_us = clock_now_us();
    if (is_paused) {
        (void)uv_timer_stop(s->refill);
        pg_conn_pause(s->conn);
    } else {
        if (s->is_batching) {
            (void)uv_timer_start(s->refill, s->on_refill, PG_STREAM_REFILL_MS, PG_STREAM_REFILL_MS);
        }
        pg_conn_resume(s->conn);
    }
}

void pg_stream_stop(struct pg_stream *s)
{
    if (s->conn == NULL) {
        return;
    }
    struct fault f;
    free_buffer(s);
    (void)uv_timer_stop(s->refill);
    if (pg_stream_send_status(s, &f)) {
        pg_conn_finish_copy(s->conn);
    }
    s->conn = NULL;
}
