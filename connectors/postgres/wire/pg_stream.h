// The replication stream on a connection in COPY BOTH: frames in, status updates out.
#ifndef CONNECTORS_POSTGRES_WIRE_PG_STREAM_H
#define CONNECTORS_POSTGRES_WIRE_PG_STREAM_H

#include "connectors/postgres/wire/pg_conn.h"

enum pg_stream_step {
    PG_STREAM_DATA,       // *ret is a message of the output plugin
    PG_STREAM_KEEPALIVE,  // ret->wal_end only
    PG_STREAM_NOTHING,    // nothing now
    PG_STREAM_END,        // the server ended the COPY; why comes from pg_conn_end_copy
    PG_STREAM_FAULT,
};

struct pg_stream_frame {
    uint64_t lsn;  // the frame's start
    uint64_t wal_end;
    struct slice message;  // borrowed until the next step
};

struct pg_stream {
    struct pg_conn *conn;  // lent; NULL: no stream runs
    uv_timer_t *refill;    // lent: wakes the reader when the socket holds less than it waits for
    uv_timer_cb on_refill;
    char *buffer;  // libpq's, of the last frame
    uint64_t confirmed;
    uint64_t told;  // the position in the last status update
    uint64_t wal_end;
    int64_t told_us;
    int64_t heard_us;
    int64_t window_us;    // when the load's measurement began
    size_t window_bytes;  // since then
    bool is_tcp;
    bool is_batching;  // SO_RCVLOWAT is up
    bool has_read;     // the socket was read since the last NOTHING
    bool is_paused;
    bool is_heard;            // a frame came since the last tick
    uint64_t received_bytes;  // by the kernel, at the last tick
    bool has_asked;           // a reply was asked for after a long silence
};

/** Takes over a connection that has just gone into COPY BOTH. */
void pg_stream_start(struct pg_stream *s, struct pg_conn *conn, uv_timer_t *refill, uv_timer_cb on_refill);

/** One step; never blocks. Keepalives that ask for a reply are answered here. */
enum pg_stream_step pg_stream_next(struct pg_stream *s, struct pg_stream_frame *ret,
                                   struct fault *f) MUST_USE;

/** Once a second: status updates when they are due; FAULT_RETRY when the server has been silent for too long.
 */
bool pg_stream_tick(struct pg_stream *s, struct fault *f) MUST_USE;

/** Sends a status update: written, flushed and applied are all the confirmed position. */
bool pg_stream_tell(struct pg_stream *s, struct fault *f) MUST_USE;

/** The same, and asks the server for a keepalive: up to where it has sent everything. */
bool pg_stream_request_reply(struct pg_stream *s, struct fault *f) MUST_USE;

void pg_stream_pause(struct pg_stream *s, bool is_paused);

/** Says the last word to the server and lets go of the connection. */
void pg_stream_stop(struct pg_stream *s);

#endif
