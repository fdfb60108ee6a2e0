// The replication stream on a connection in COPY BOTH: frames in, status updates out.
#ifndef CONNECTORS_POSTGRES_WIRE_PG_STREAM_H
#define CONNECTORS_POSTGRES_WIRE_PG_STREAM_H

#include "connectors/postgres/wire/pg_conn.h"

enum pg_stream_step {
    PG_STREAM_DATA,       // *ret is a message of the output plugin
    PG_STREAM_KEEPALIVE,  // ret->wal_end only
    PG_STREAM_NOTHING,    // no complete frame yet
    PG_STREAM_END,        // the server has ended the COPY; pg_conn_end_copy says why
    PG_STREAM_FAULT,
};

struct pg_stream_frame {
    uint64_t lsn;  // the frame's start
    uint64_t wal_end;
    struct slice message;  // borrowed until the next step
};

struct pg_stream {
    struct pg_conn *conn;  // lent; NULL: not started
    uv_timer_t *refill;    // lent: reads when the socket has less than SO_RCVLOWAT
    uv_timer_cb on_refill;
    char *buffer;  // libpq's buffer with the last frame
    uint64_t confirmed;
    uint64_t last_sent_flush_lsn;  // the position in the last status update
    uint64_t wal_end;
    int64_t last_sent_us;  // when it was sent
    int64_t heard_us;
    int64_t window_us;    // start of the load's measurement
    size_t window_bytes;  // received since then
    bool is_tcp;
    bool is_batching;  // SO_RCVLOWAT is raised
    bool has_read;     // the socket was read since the last NOTHING
    bool is_paused;
    bool is_heard;             // a frame has arrived since the last tick
    uint64_t received_bytes;   // by the kernel, at the last tick
    bool has_requested_reply;  // a reply was requested after a long silence
};

/** Starts on a connection that has just entered COPY BOTH; keeps `confirmed`. */
void pg_stream_start(struct pg_stream *s, struct pg_conn *conn, uv_timer_t *refill, uv_timer_cb on_refill);

/** One step; never blocks. Replies to keepalives that request it. */
enum pg_stream_step pg_stream_next(struct pg_stream *s, struct pg_stream_frame *ret,
                                   struct fault *f) MUST_USE;

/** To be called once a second: sends status updates that are due. FAULT_RETRY: the server was silent too
 * long. */
bool pg_stream_tick(struct pg_stream *s, struct fault *f) MUST_USE;

/** Sends a status update with the confirmed position as written, flushed and applied. */
bool pg_stream_send_status(struct pg_stream *s, struct fault *f) MUST_USE;

/** As pg_stream_send_status, and requests a keepalive, which says up to where the server has sent everything.
 */
bool pg_stream_request_reply(struct pg_stream *s, struct fault *f) MUST_USE;

void pg_stream_pause(struct pg_stream *s, bool is_paused);

/** Sends a final status update and CopyDone, and releases the connection. */
void pg_stream_stop(struct pg_stream *s);

#endif
