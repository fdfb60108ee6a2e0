#include "cli/supervise/child.h"

#include <jansson.h>

#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/text.h"

enum { FRAME_MAX_BYTES = 64 * 1024 * 1024, HEAD_BYTES = 4, REPORT_MS = 1000, LOOK_MS = 100 };

void child_report_clear(struct child_report *r)
{
    bytes_clear(&r->status);
    bytes_clear(&r->metrics);
    bytes_clear(&r->fault);
    r->is_ready = false;
}

void child_report_write(const struct child_report *r, struct bytes *out)
{
    size_t start = out->size;
    bytes_append(out, "\0\0\0\0", HEAD_BYTES);
    bytes_format(out, "{\"ready\":%s,\"status\":", r->is_ready ? "true" : "false");
    text_append_json(out, bytes_slice(&r->status));
    bytes_append_string(out, ",\"metrics\":");
    text_append_json(out, bytes_slice(&r->metrics));
    bytes_append_string(out, ",\"fault\":");
    text_append_json(out, bytes_slice(&r->fault));
    bytes_append_byte(out, '}');
    uint32_t size = __builtin_bswap32((uint32_t)(out->size - start - HEAD_BYTES));
    memcpy(out->data + start, &size, HEAD_BYTES);
}

/** False when the member is not a string. */
static bool take_text(const json_t *root, const char *key, struct bytes *ret)
{
    const json_t *value = json_object_get(root, key);
    if (!json_is_string(value)) {
        return false;
    }
    bytes_append(ret, json_string_value(value), json_string_length(value));
    return true;
}

static bool parse(struct slice text, struct child_report *ret, struct fault *f)
{
    json_t *root = json_loadb((const char *)text.data, text.size, 0, NULL);
    const json_t *ready = json_object_get(root, "ready");
    struct child_report report = {.is_ready = json_is_true(ready)};
    bool is_good = json_is_boolean(ready) && take_text(root, "status", &report.status) &&
                   take_text(root, "metrics", &report.metrics) && take_text(root, "fault", &report.fault);
    json_decref(root);
    if (!is_good) {
        child_report_clear(&report);
        return fault_set(f, FAULT_REJECT, "a child's report is invalid");
    }
    child_report_clear(ret);
    *ret = report;
    return true;
}

enum child_step child_report_read(struct bytes *buffer, struct child_report *ret, struct fault *f)
{
    if (buffer->size < HEAD_BYTES) {
        return CHILD_NOTHING;
    }
    uint32_t size;
    memcpy(&size, buffer->data, HEAD_BYTES);
    size = __builtin_bswap32(size);
    if (size > FRAME_MAX_BYTES) {
        (void)fault_set(f, FAULT_REJECT, "a child's report is too large: %u bytes", size);
        return CHILD_FAULT;
    }
    if (buffer->size - HEAD_BYTES < size) {
        return CHILD_NOTHING;
    }
    bool is_good = parse(slice_make(buffer->data + HEAD_BYTES, size), ret, f);
    size_t used = HEAD_BYTES + (size_t)size;
    memmove(buffer->data, buffer->data + used, buffer->size - used);
    buffer->size -= used;
    return is_good ? CHILD_REPORT : CHILD_FAULT;
}

struct child_reporter {
    uv_pipe_t pipe;
    uv_timer_t timer;
    int handles;  // still open on the loop
    struct child_source source;
    struct bytes frame;  // the frame that is being written, or the last one
    uv_write_t write;
    bool is_writing;
    bool was_ready;
    int quiet_ms;  // since the last report
    char scratch[64];
};

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    struct child_reporter *r = write->data;
    r->is_writing = false;
}

/** Sends the report unless the previous one is still being written. */
static void report(struct child_reporter *r, const struct child_report *filled)
{
    bytes_reset(&r->frame);
    child_report_write(filled, &r->frame);
    uv_buf_t buffer = uv_buf_init((char *)r->frame.data, (unsigned)r->frame.size);
    r->write.data = r;
    r->is_writing = uv_write(&r->write, (uv_stream_t *)&r->pipe, &buffer, 1, on_written) == 0;
    r->was_ready = filled->is_ready;
    r->quiet_ms = 0;
}

static void on_timer(uv_timer_t *timer)
{
    struct child_reporter *r = timer->data;
    log_flush();
    r->quiet_ms += LOOK_MS;
    bool is_ready = r->source.is_ready(r->source.self);
    if (r->is_writing || (r->quiet_ms < REPORT_MS && is_ready == r->was_ready)) {
        return;
    }
    CLEANUP(child_report_clear) struct child_report filled = {.is_ready = is_ready};
    r->source.fill(r->source.self, &filled);
    report(r, &filled);
}

void child_reporter_finish(struct child_reporter *r, const char *fault)
{
    CLEANUP(child_report_clear) struct child_report filled = {0};
    CLEANUP(bytes_clear) struct bytes frame = {0};
    bytes_append_string(&filled.fault, fault);
    child_report_write(&filled, &frame);
    uv_buf_t buffer = uv_buf_init((char *)frame.data, (unsigned)frame.size);
    (void)uv_try_write((uv_stream_t *)&r->pipe, &buffer,
                       1);  // fails with EAGAIN while another report is partly written
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
    (void)size;
    struct child_reporter *r = handle->data;
    *ret = uv_buf_init(r->scratch, sizeof(r->scratch));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    (void)buffer;
    struct child_reporter *r = stream->data;
    if (count < 0) {
        (void)uv_read_stop(stream);
        (void)uv_timer_stop(&r->timer);
        r->source.on_orphan(r->source.self);
    }
}

struct child_reporter *child_reporter_start(uv_loop_t *loop, int fd, const struct child_source *source)
{
    struct child_reporter *r = memory_zeroed(1, sizeof(*r));
    r->source = *source;
    r->quiet_ms = REPORT_MS;
    r->handles = 2;
    (void)uv_pipe_init(loop, &r->pipe, 0);
    (void)uv_timer_init(loop, &r->timer);
    r->pipe.data = r;
    r->timer.data = r;
    (void)uv_pipe_open(&r->pipe, fd);
    (void)uv_read_start((uv_stream_t *)&r->pipe, on_alloc, on_read);
    (void)uv_timer_start(&r->timer, on_timer, LOOK_MS, LOOK_MS);
    return r;
}

static void on_closed(uv_handle_t *handle)
{
    struct child_reporter *r = handle->data;
    if (--r->handles == 0) {
        bytes_clear(&r->frame);
        free(r);
    }
}

void child_reporter_stop(struct child_reporter *r)
{
    if (r != NULL) {
        uv_close((uv_handle_t *)&r->pipe, on_closed);
        uv_close((uv_handle_t *)&r->timer, on_closed);
    }
}
