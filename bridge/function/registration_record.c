#include "bridge/function/registration_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/memory.h"

static bool has_partition(const json_t *record, const char *topic, int32_t partition)
{
    size_t at;
    json_t *number;
    json_array_foreach(json_object_get(json_object_get(record, "partitions"), topic), at, number)
    {
        if (json_integer_value(number) == partition) {
            return true;
        }
    }
    return false;
}

/** Whether the function's file named the topic at the last registration. Records of old versions have no
 * `topics`. */
static bool was_named(const json_t *record, const char *topic)
{
    const json_t *topics = json_object_get(record, "topics");
    bool is_named = topics == NULL || json_object_get(json_object_get(record, "partitions"), topic) != NULL;
    size_t at;
    json_t *glob;
    json_array_foreach(topics, at, glob)
    {
        is_named = is_named || text_glob_match(json_string_value(glob), topic);
    }
    return is_named;
}

enum registration_step registration_decide(const json_t *known, enum function_start start,
                                           const struct registration_offsets *offsets, const char *topic,
                                           int32_t partition)
{
    if (offsets->own >= 0) {
        return REGISTRATION_KEEP;
    }
    if (known == NULL) {
        // A committed offset of another partition means that the function ran before and its record was lost.
        // Starting at the end would skip events.
        return offsets->has_any ? REGISTRATION_APPEARED : REGISTRATION_START;
    }
    if (registration_record_offset(known, topic, partition) >= 0) {
        return REGISTRATION_START;  // its registration ended before the offset was committed
    }
    if (has_partition(known, topic, partition)) {
        return REGISTRATION_EXPIRED;
    }
    // If the file named the topic already, the partition is new. If not, the topic may be old.
    bool begins_first = was_named(known, topic) || start == FUNCTION_START_EARLIEST;
    return begins_first ? REGISTRATION_APPEARED : REGISTRATION_START;
}

int64_t registration_record_offset(const json_t *record, const char *topic, int32_t partition)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%" PRId32, partition);
    const json_t *offset =
        json_object_get(json_object_get(json_object_get(record, "offsets"), topic), number);
    return json_is_integer(offset) ? json_integer_value(offset) : -1;
}

void registration_record_set_offset(json_t *record, const char *topic, int32_t partition, int64_t offset)
{
    char number[16];
    (void)snprintf(number, sizeof(number), "%" PRId32, partition);
    json_t *offsets = json_object_get(record, "offsets");
    if (offsets == NULL) {
        offsets = json_object();
        json_object_set_new(record, "offsets", offsets);
    }
    json_t *of_topic = json_object_get(offsets, topic);
    if (of_topic == NULL) {
        of_topic = json_object();
        json_object_set_new(offsets, topic, of_topic);
    }
    json_object_set_new(of_topic, number, json_integer(offset));
}

void registration_record_clear_offsets(json_t *record)
{
    (void)json_object_del(record, "offsets");
}

bool registration_record_add(json_t *record, const char *topic, int32_t partition)
{
    if (has_partition(record, topic, partition)) {
        return false;
    }
    json_t *partitions = json_object_get(record, "partitions");
    json_t *numbers = json_object_get(partitions, topic);
    if (numbers == NULL) {
        numbers = json_array();
        json_object_set_new(partitions, topic, numbers);
    }
    json_array_append_new(numbers, json_integer(partition));
    return true;
}

json_t *registration_record_new(const json_t *known, const struct function_config *config)
{
    json_t *topics = json_array();
    json_t *partitions = json_object();
    for (size_t i = 0; i < config->source.topics.count; i++) {
        json_array_append_new(topics, json_string(config->source.topics.items[i]));
    }
    const char *topic;
    json_t *numbers;
    json_object_foreach(json_object_get(known, "partitions"), topic, numbers)
    {
        if (text_list_glob_match(&config->source.topics, topic)) {
            json_object_set_new(partitions, topic, json_deep_copy(numbers));
        }
    }
    json_t *record = known != NULL
                         ? json_deep_copy(known)
                         : json_pack("{s:s, s:I}", "start",
                                     config->source.start_text == NULL ? "latest" : config->source.start_text,
                                     "registered_at_ms", (json_int_t)(clock_wall_us() / CLOCK_US_PER_MS));
    INVARIANT(record != NULL);
    json_object_set_new(record, "topics", topics);
    json_object_set_new(record, "partitions", partitions);
    registration_record_clear_offsets(record);
    return record;
}
