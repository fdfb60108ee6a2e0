// The state record of the connector: read anew by each opening, since another copy may have written it
// meanwhile, and written when the source says so. A write that is on its way holds back the next opening: a
// late "done" must not end the snapshot that comes after it.
#include "connectors/connector_state.h"
#include "connectors/pipeline_private.h"

static char *pipeline_record_key(const struct pipeline *p)
{
    return memory_format("connector/%s", p->params.config->name);
}

static void pipeline_record_on_read(void *self, struct slice value, const struct fault *f)
{
    struct pipeline *p = self;
    p->state_reads--;
    if (p->state_reads > 0 || !p->is_source_open) {
        return;
    }
    struct fault bad = {0};
    struct source_state known = {0};
    if (f != NULL) {
        pipeline_fail(p, f);
    } else if (!connector_state_read(value, &known, &bad)) {
        pipeline_fail(p, &bad);
    } else {
        p->source_type->recalled(p->source, &known);
    }
}

void pipeline_record_on_recall(void *self)
{
    struct pipeline *p = self;
    char *key CLEANUP(memory_free_pointer) = pipeline_record_key(p);
    p->state_reads++;
    state_topic_read(p->state_topic, key, pipeline_record_on_read, p);
}

static void pipeline_record_on_written(void *self, const struct fault *f)
{
    struct pipeline *p = self;
    p->state_writes--;
    if (f != NULL) {
        pipeline_lost(p, "kafka", f);
    } else if (p->is_source_open) {
        p->source_type->state_saved(p->source);  // of this opening, which began with no write on its way
    } else {
        pipeline_when_settled(p);
    }
}

void pipeline_record_save(struct pipeline *p)
{
    if (!p->has_pending || (p->pending.is_snapshot_done && !watermark_idle(&p->watermark))) {
        return;
    }
    p->has_pending = false;
    struct bytes value CLEANUP(bytes_clear) = {0};
    connector_state_write(&value, &p->pending);
    char *key CLEANUP(memory_free_pointer) = pipeline_record_key(p);
    p->state_writes++;
    state_topic_write(p->state_topic, key, bytes_slice(&value), pipeline_record_on_written, p);
}

void pipeline_record_on_state(void *self, const struct source_state *state)
{
    struct pipeline *p = self;
    p->pending = *state;
    p->has_pending = true;
    pipeline_record_save(p);
}
