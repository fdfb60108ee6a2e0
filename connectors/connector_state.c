#include "connectors/connector_state.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "core/base/text.h"

void connector_state_write(struct bytes *out, const struct source_state *state)
{
    bytes_append_string(out, "{\"slot\":");
    text_append_json(out, slice_of(state->slot));
    bytes_append_string(out, ",\"system_identifier\":");
    text_append_json(out, slice_of(state->system_identifier));
    bytes_format(out, ",\"timeline\":%u,\"snapshot\":\"%s\"", state->timeline,
                 state->is_snapshot_done ? "done" : "running");
    if (state->position != 0) {
        bytes_format(out, ",\"position\":\"%X/%X\"", (uint32_t)(state->position >> 32),
                     (uint32_t)state->position);
    }
    for (size_t i = 0; i < state->unread_count; i++) {
        bytes_format(out, "%s%u", i == 0 ? ",\"unread\":[" : ",", state->unread[i]);
    }
    bytes_append_string(out, state->unread_count > 0 ? "]}" : "}");
}

static bool copy_text(const json_t *object, const char *key, char *ret, size_t size)
{
    const json_t *text = json_object_get(object, key);
    if (!json_is_string(text) || json_string_length(text) >= size) {
        return false;
    }
    memcpy(ret, json_string_value(text), json_string_length(text) + 1);
    return true;
}

// Records of old versions have no position: 0.
static bool read_position(const json_t *object, uint64_t *ret)
{
    const json_t *position = json_object_get(object, "position");
    if (position == NULL) {
        *ret = 0;
        return true;
    }
    uint32_t high = 0;
    uint32_t low = 0;
    int end = 0;
    const char *text = json_string_value(position);
    if (text == NULL || sscanf(text, "%8" SCNx32 "/%8" SCNx32 "%n", &high, &low, &end) != 2 ||
        text[end] != '\0') {
        return false;
    }
    *ret = (uint64_t)high << 32 | low;
    return true;
}

static bool read_unread(const json_t *object, struct source_state *ret)
{
    const json_t *unread = json_object_get(object, "unread");
    if (unread == NULL) {
        return true;
    }
    if (!json_is_array(unread) || json_array_size(unread) > SOURCE_UNREAD_MAX) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(unread); i++) {
        const json_t *number = json_array_get(unread, i);
        if (!json_is_integer(number)) {
            return false;
        }
        ret->unread[ret->unread_count++] = (uint32_t)json_integer_value(number);
    }
    return true;
}

bool connector_state_read(struct slice value, struct source_state *ret, struct fault *f)
{
    if (value.data == NULL) {
        *ret = (struct source_state){0};
        return true;
    }
    json_error_t error;
    json_t *object CLEANUP(json_decrefp) =
        json_loadb((const char *)value.data, value.size, JSON_REJECT_DUPLICATES, &error);
    struct source_state state = {.is_known = true};
    char snapshot[16];
    const json_t *timeline = json_object_get(object, "timeline");
    if (!json_is_object(object) || !json_is_integer(timeline) ||
        !copy_text(object, "slot", state.slot, sizeof(state.slot)) ||
        !copy_text(object, "system_identifier", state.system_identifier, sizeof(state.system_identifier)) ||
        !copy_text(object, "snapshot", snapshot, sizeof(snapshot)) ||
        !read_position(object, &state.position) || !read_unread(object, &state)) {
        return fault_set(
            f, FAULT_CONFIG,
            "the connector's record in topic millrace.state is not valid; to start anew delete it "
            "(write a tombstone for its key)");
    }
    state.timeline = (uint32_t)json_integer_value(timeline);
    state.is_snapshot_done = strcmp(snapshot, "done") == 0;
    *ret = state;
    return true;
}
