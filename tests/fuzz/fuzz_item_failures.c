// Any bytes as the response to a call of three events, two of which have one id.
#include "bridge/delivery/item_failures.h"
#include "core/base/memory.h"

enum { EVENTS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Returns a bit for each event that is reported. */
static unsigned reported_of(const struct work_item *items)
{
    unsigned bits = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        bits |= items[i].retry.is_reported ? 1U << i : 0;
    }
    return bits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const IDS[EVENTS] = {"a-0", "b", "b"};
    struct record records[EVENTS];
    struct work_item items[EVENTS];
    for (size_t i = 0; i < EVENTS; i++) {
        records[i] = (struct record){
            .topic = "t-x", .partition = 7, .offset = 100 + (int64_t)i, .id = slice_of(IDS[i])};
        items[i] = (struct work_item){.record = &records[i], .next = i + 1 < EVENTS ? &items[i + 1] : NULL};
        items[i].retry.is_reported = true;  // by the response to an earlier call
    }
    struct fault f = {0};
    enum item_failures found = item_failures_read(slice_make(data, size), items, EVENTS, &f);
    unsigned reported = reported_of(items);
    INVARIANT(found == ITEM_FAILURES_INVALID || (found == ITEM_FAILURES_SOME) == (reported != 0));
    INVARIANT((found == ITEM_FAILURES_INVALID) == (f.text[0] != '\0'));
    return 0;
}
