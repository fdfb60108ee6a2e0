#include "tests/component/connectors/postgres/source_driver.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "schemas/avro/avro_encode.h"
#include "schemas/avro/avro_schema.h"
#include "schemas/avro/avro_type.h"
#include "schemas/json/event_view.h"

static void source_driver_json(struct source_driver *d, const char *schema, struct slice avro,
                               const char *label)
{
    struct fault f = {0};
    struct avro_type *type = NULL;
    const struct json_options options = {0};
    bytes_format(&d->lines, " %s=", label);
    if (avro.data == NULL) {
        bytes_append_string(&d->lines, "-");
    } else if (!avro_type_parse(slice_of(schema), &type, &f) ||
               !json_encode_datum(type, avro, &options, &d->lines, &f)) {
        bytes_format(&d->lines, "!%s", f.text);
    }
    avro_type_free(type);
}

static void source_driver_image(struct source_driver *d, const char *label, const struct event_value *image)
{
    struct fault f = {0};
    bytes_append_string(&d->lines, label);
    if (image->kind == EVENT_VALUE_NULL) {
        bytes_append_byte(&d->lines, '-');
    } else if (!event_value_append(&d->lines, image, NULL, &f)) {
        bytes_format(&d->lines, "!%s", f.text);
    }
}

// Makes the envelope as the pipeline does and decodes it with its schema: row images and schema must match.
static void source_driver_images(struct source_driver *d, const struct change *c)
{
    CLEANUP(bytes_clear) struct bytes avro = {0};
    CLEANUP(bytes_clear) struct bytes schema = {0};
    struct avro_envelope envelope = {.version = "test",
                                     .connector = "postgresql",
                                     .table = c->table,
                                     .database = c->database,
                                     .snapshot = c->snapshot,
                                     .op = (char)c->op,
                                     .lsn = c->lsn,
                                     .before = c->before,
                                     .after = c->after};
    avro_encode_envelope(&avro, &envelope);
    struct fault f = {0};
    struct avro_type *type = NULL;
    struct event_view event = {0};
    avro_schema_envelope(&schema, c->table);
    if (!avro_type_parse(bytes_slice(&schema), &type, &f) ||
        !event_view_read(type, bytes_slice(&avro), &event, &f)) {
        bytes_format(&d->lines, " !%s", f.text);
    } else {
        source_driver_image(d, " before=", &event.before);
        source_driver_image(d, " after=", &event.after);
    }
    avro_type_free(type);
}

static void source_driver_row(struct source_driver *d, const struct change *c)
{
    d->rows++;
    if (d->is_counting) {
        return;
    }
    bytes_format(&d->lines, "%c %s.%s #%lu", (char)c->op, c->table->schema, c->table->name, c->index);
    if (strcmp(c->snapshot, "false") != 0) {
        bytes_format(&d->lines, " %s", c->snapshot);
    }
    d->is_snapshot_row = strcmp(c->snapshot, "false") != 0;
    if (c->last_commit_lsn != (d->is_snapshot_row ? 0 : d->last_commit)) {
        bytes_format(&d->lines, " last_commit=%lu", c->last_commit_lsn);  // source.sequence: as expected
    }
    if (c->origin != NULL) {
        bytes_format(&d->lines, " origin=%s/%lu", c->origin, c->origin_lsn);
    }
    source_driver_json(d, c->table->key_schema, c->key, "key");
    if (c->bad_json.data != NULL) {
        bytes_format(&d->lines, " bad=%.*s reason=%s", (int)c->bad_json.size, (const char *)c->bad_json.data,
                     c->bad_reason);
    } else {
        source_driver_images(d, c);
    }
    if (c->new_key_json.data != NULL) {
        bytes_format(&d->lines, " newkey=%.*s", (int)c->new_key_json.size,
                     (const char *)c->new_key_json.data);
    }
    if (c->old_key_json.data != NULL) {
        bytes_format(&d->lines, " oldkey=%.*s", (int)c->old_key_json.size,
                     (const char *)c->old_key_json.data);
    }
    if (c->trace.traceparent.size > 0) {
        bytes_append_string(&d->lines, " trace=");
        bytes_append_slice(&d->lines, c->trace.traceparent);
        bytes_append_byte(&d->lines, '/');
        bytes_append_slice(&d->lines, c->trace.tracestate);
    }
    bytes_append_string(&d->lines, "\n");
}

static void source_driver_change(struct source_driver *d, const struct change *c)
{
    switch (c->kind) {
    case CHANGE_BEGIN:
        d->is_snapshot_row = false;
        bytes_append_string(&d->lines, "begin\n");
        return;
    case CHANGE_ROW:
        source_driver_row(d, c);
        return;
    case CHANGE_COMMIT:
        bytes_append_string(&d->lines, c->position < d->last_position ? "commit BACKWARDS\n" : "commit\n");
        d->last_position = c->position;
        d->last_commit = d->is_snapshot_row ? d->last_commit : c->position;
        break;
    case CHANGE_IDLE:
        d->idle_position = c->position;
        break;
    }
    if (d->is_confirming) {
        // The state record is written before the confirmation, as in the pipeline.
        d->record->position = c->position > d->record->position ? c->position : d->record->position;
        d->type->confirm(d->source, c->position);
    }
}

static void source_driver_on_ready(void *self)
{
    struct source_driver *d = self;
    struct change c;
    for (int i = 0; i < 1024 && d->is_open && !d->has_ended && !d->has_fault; i++) {
        if (d->rows_max != 0 && d->rows >= d->rows_max) {
            return;
        }
        switch (d->type->next(d->source, &c, &d->fault)) {
        case SOURCE_CHANGE:
            source_driver_change(d, &c);
            break;
        case SOURCE_NOTHING:
            return;
        case SOURCE_END:
            d->has_ended = true;
            return;
        case SOURCE_RESTART:
            d->has_restart = true;
            d->has_fault = true;
            return;
        case SOURCE_FAULT:
            d->has_fault = true;
            return;
        }
    }
}

static void source_driver_on_load_state(void *self)
{
    struct source_driver *d = self;
    d->has_asked_state = true;
}

static void source_driver_on_open(void *self, uint64_t position)
{
    struct source_driver *d = self;
    d->start_position = position;
    d->last_position = position;
    d->last_commit = d->is_first_start && d->config.snapshot == CONNECTOR_SNAPSHOT_INITIAL ? 0 : position;
    d->opened++;
    source_driver_on_ready(self);
}

static void source_driver_on_fault(void *self, const struct fault *f)
{
    struct source_driver *d = self;
    d->fault = *f;
    d->has_fault = true;
}

static void source_driver_on_restart(void *self, const struct fault *why)
{
    struct source_driver *d = self;
    d->has_restart = true;
    source_driver_on_fault(self, why);
}

static void source_driver_on_state(void *self, const struct source_state *state)
{
    struct source_driver *d = self;
    d->wanted = *state;
    d->has_wanted = true;
}

static void source_driver_on_version(void *self, struct table *table)
{
    struct source_driver *d = self;
    bytes_format(&d->prepared, "%s:%zu\n", table->name, table->column_count);
}

static void source_driver_on_table(void *self, const char *topic)
{
    (void)self;
    (void)topic;
}

static void source_driver_on_phase(void *self, const char *phase, const char *detail)
{
    struct source_driver *d = self;
    (void)snprintf(d->phase, sizeof(d->phase), "%s", phase);
    (void)snprintf(d->detail, sizeof(d->detail), "%s", detail);
}

static void source_driver_on_limit(uv_timer_t *timer)
{
    struct source_driver *d = timer->data;
    d->is_out_of_time = true;
}

void source_driver_init(struct source_driver *d, const struct source_type *type, const char *name,
                        const char *dsn)
{
    *d = (struct source_driver){.type = type, .is_confirming = true};
    d->record = &d->known;
    (void)uv_loop_init(&d->loop);
    (void)uv_timer_init(&d->loop, &d->limit);
    d->limit.data = d;
    d->config.name = memory_string(name);
    d->config.postgres.dsn = memory_string(dsn);
    d->config.topic_prefix = memory_string("test");
    text_list_add(&d->config.tables.include, "public.*");
    d->config.slot.name = memory_format("millrace_%s", name);
    d->config.slot.publication = memory_format("millrace_%s", name);
    d->config.slot.create = true;
    d->config.operations = CONNECTOR_ALL;
    d->config.snapshot = CONNECTOR_SNAPSHOT_INITIAL;
}

void source_driver_open(struct source_driver *d)
{
    struct source_listener listener = {.on_ready = source_driver_on_ready,
                                       .on_load_state = source_driver_on_load_state,
                                       .on_open = source_driver_on_open,
                                       .on_fault = source_driver_on_fault,
                                       .on_restart = source_driver_on_restart,
                                       .on_state = source_driver_on_state,
                                       .on_table = source_driver_on_table,
                                       .on_version = source_driver_on_version,
                                       .on_phase = source_driver_on_phase,
                                       .self = d};
    struct fault f = {0};
    if (d->source == NULL &&
        !d->type->make(&d->config, d->state_directory, &d->loop, &listener, &d->source, &f)) {
        (void)fprintf(stderr, "make: %s\n", f.text);
        abort();
    }
    d->has_fault = d->has_restart = d->has_ended = false;
    d->has_asked_state = d->has_wanted = false;
    d->is_open = true;
    d->type->open(d->source);
}

void source_driver_close(struct source_driver *d)
{
    d->type->close(d->source);
    d->is_open = false;
}

void source_driver_clear(struct source_driver *d)
{
    if (d->is_open) {
        source_driver_close(d);
    }
    d->type->free(d->source);
    uv_close((uv_handle_t *)&d->limit, NULL);
    (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&d->loop) != 0) {
        (void)fprintf(stderr, "handles are left open\n");
        abort();
    }
    connector_config_clear(&d->config);
    bytes_clear(&d->lines);
    bytes_clear(&d->prepared);
}

static void source_driver_turn(struct source_driver *d)
{
    (void)uv_run(&d->loop, UV_RUN_ONCE);
    if (d->has_asked_state) {
        d->has_asked_state = false;
        d->is_first_start = !d->record->is_known;
        d->type->state_loaded(d->source, d->record);
    }
    bool is_held = (d->holds_done && d->wanted.is_snapshot_done) ||
                   (d->holds_read && d->wanted.unread_count < d->record->unread_count);
    if (d->has_wanted && !is_held) {
        d->has_wanted = false;
        uint64_t position = d->record->position;
        *d->record = d->wanted;
        d->record->position = position > d->wanted.position ? position : d->wanted.position;
        d->type->state_saved(d->source);
    }
    source_driver_on_ready(d);
}

bool source_driver_until(struct source_driver *d, bool (*is_reached)(const struct source_driver *d))
{
    d->is_out_of_time = false;
    uv_update_time(&d->loop);  // the loop may not have run for a while
    (void)uv_timer_start(&d->limit, source_driver_on_limit, 60000, 0);
    while (!is_reached(d) && !d->is_out_of_time) {
        source_driver_turn(d);
    }
    (void)uv_timer_stop(&d->limit);
    if (d->is_out_of_time) {
        (void)fprintf(stderr, "out of time in phase %s (%s), fault %s, after:\n%s\n", d->phase, d->detail,
                      d->has_fault ? d->fault.text : "none", source_driver_lines(d));
    }
    return !d->is_out_of_time;
}

static size_t source_driver_goal_rows;
static const char *source_driver_goal_phase;

static bool source_driver_has_rows(const struct source_driver *d)
{
    // Also waits for the COMMIT after the last one.
    return d->rows >= source_driver_goal_rows && d->lines.size >= 7 &&
           memcmp(d->lines.data + d->lines.size - 7, "commit\n", 7) == 0;
}

static bool source_driver_has_phase(const struct source_driver *d)
{
    return strcmp(d->phase, source_driver_goal_phase) == 0;
}

static bool source_driver_is_faulty(const struct source_driver *d)
{
    return d->has_fault;
}

bool source_driver_until_rows(struct source_driver *d, size_t rows)
{
    source_driver_goal_rows = rows;
    return source_driver_until(d, source_driver_has_rows);
}

bool source_driver_until_phase(struct source_driver *d, const char *phase)
{
    source_driver_goal_phase = phase;
    return source_driver_until(d, source_driver_has_phase);
}

bool source_driver_until_fault(struct source_driver *d)
{
    return source_driver_until(d, source_driver_is_faulty);
}

static bool source_driver_is_late(const struct source_driver *d)
{
    return clock_now_us() >= d->started_us;
}

void source_driver_run(struct source_driver *d, int ms)
{
    d->started_us = clock_now_us() + ms * CLOCK_US_PER_MS;
    uv_timer_t nudge;
    (void)uv_timer_init(&d->loop, &nudge);
    nudge.data = d;
    (void)uv_timer_start(&nudge, source_driver_on_limit, (uint64_t)ms, 0);
    while (!source_driver_is_late(d)) {
        source_driver_turn(d);
    }
    uv_close((uv_handle_t *)&nudge, NULL);
    (void)uv_run(&d->loop, UV_RUN_NOWAIT);
}

const char *source_driver_lines(struct source_driver *d)
{
    return bytes_text(&d->lines);
}

void source_driver_reset(struct source_driver *d)
{
    bytes_reset(&d->lines);
    d->rows = 0;
}
