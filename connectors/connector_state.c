#include "connectors/connector_state.h"

#include <jansson.h>

#include "core/base/text.h"

static void connector_state_release(json_t **object)
{
    json_decref(*object);
}

void connector_state_write(struct bytes *out, const struct source_state *state)
{
    bytes_append_string(out, "{\"slot\":");
    text_append_json(out, slice_of(state->slot));
    bytes_append_string(out, ",\"system_identifier\":");
    text_append_json(out, slice_of(state->system_identifier));
    bytes_format(out, ",\"timeline\":%u,\"snapshot\":\"%s\"}", state->timeline,
                 state->is_snapshot_done ? "done" : "running");
}

static bool connector_state_copy(const json_t *object, const char *key, char *ret, size_t size)
{
    const json_t *text = json_object_get(object, key);
    if (!json_is_string(text) || json_string_length(text) >= size) {
        return false;
    }
    memcpy(ret, json_string_value(text), json_string_length(text) + 1);
    return true;
}

bool connector_state_read(struct slice value, struct source_state *ret, struct fault *f)
{
    if (value.data == NULL) {
        *ret = (struct source_state){0};
        return true;
    }
    json_error_t error;
    json_t *object CLEANUP(connector_state_release) =
        json_loadb((const char *)value.data, value.size, JSON_REJECT_DUPLICATES, &error);
    struct source_state state = {.is_known = true};
    char snapshot[16];
    const json_t *timeline = json_object_get(object, "timeline");
    if (!json_is_object(object) || !json_is_integer(timeline) ||
        !connector_state_copy(object, "slot", state.slot, sizeof(state.slot)) ||
        !connector_state_copy(object, "system_identifier", state.system_identifier,
                              sizeof(state.system_identifier)) ||
        !connector_state_copy(object, "snapshot", snapshot, sizeof(snapshot))) {
        return fault_set(
            f, FAULT_CONFIG,
            "the connector's record in topic millrace.state is not one of ours; delete the record "
            "(write a tombstone for its key) to start anew");
    }
    state.timeline = (uint32_t)json_integer_value(timeline);
    state.is_snapshot_done = strcmp(snapshot, "done") == 0;
    *ret = state;
    return true;
}
