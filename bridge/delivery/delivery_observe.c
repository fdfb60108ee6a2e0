// Tells an observer what a call meant for one of its events.
#include "bridge/delivery/delivery_state.h"

size_t delivery_observed_bytes(const struct delivery *d, size_t wanted)
{
    // One byte more than is shown tells that there is more.
    size_t observed = d->observer == NULL ? 0 : CALL_OBSERVER_RESULT_MAX + 1;
    return observed > wanted ? observed : wanted;
}

void delivery_observe(struct delivery *d, const struct work_item *item, const struct response *r,
                      const struct call_end *end)
{
    if (d->observer == NULL) {
        return;
    }
    struct fault f;
    struct event_view view = {0};
    CLEANUP(bytes_clear) struct bytes key = {0};
    record_decode_key(item->record, &d->payload.json, &key);
    bool is_read = record_view(item->record, &view, &f);  // it was sent, so it can be read
    bool is_cut = r->is_cut || r->body.size > CALL_OBSERVER_RESULT_MAX;
    d->observer->on_event(d->observer->self,
                          &(struct observed_event){
                              .id = item->record->id,
                              .topic = record_origin(item->record),
                              .partition = item->record->partition,
                              .offset = item->record->offset,
                              .op = is_read ? view.op : '?',
                              .key = bytes_slice(&key),
                              .commit_time_us = item->record->commit_time_us,
                              .end = end->end,
                              .attempts = end->attempts,
                              .is_attempt = end->is_attempt,
                              .status = r->transport.kind == FAULT_NONE ? r->status : 0,
                              .result = slice_make(r->body.data, r->body.size < CALL_OBSERVER_RESULT_MAX
                                                                     ? r->body.size
                                                                     : CALL_OBSERVER_RESULT_MAX),
                              .is_cut = is_cut,
                              .error = end->error,
                          });
}
