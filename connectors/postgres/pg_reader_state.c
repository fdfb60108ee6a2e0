#include "connectors/postgres/pg_reader_state.h"

#include <stdint.h>

#define BIT(state) (1U << PG_READER_##state)

// Which states may follow each state; STOPPED may follow all.
static const uint32_t allowed[] = {
    [PG_READER_STOPPED] = BIT(STREAMING),
    [PG_READER_STREAMING] = BIT(SAVING_NEW) | BIT(RECONCILING) | BIT(BACKFILLING) | BIT(ENDED),
    [PG_READER_SAVING_NEW] = BIT(RECONCILING) | BIT(ENDED),
    [PG_READER_RECONCILING] = BIT(STREAMING) | BIT(BACKFILLING) | BIT(SAVING_DONE) | BIT(ENDED),
    [PG_READER_BACKFILLING] = BIT(STREAMING) | BIT(SAVING_DONE) | BIT(ENDED),
    [PG_READER_SAVING_DONE] =
        BIT(STREAMING) | BIT(SAVING_NEW) | BIT(RECONCILING) | BIT(BACKFILLING) | BIT(ENDED),
    [PG_READER_ENDED] = 0,
};
#undef BIT

bool pg_reader_state_flows(enum pg_reader_state state)
{
    static const bool flows[] = {
#define X(name, flows) [PG_READER_##name] = (flows),
        PG_READER_STATES(X)
#undef X
    };
    return flows[state];
}

bool pg_reader_state_may_follow(enum pg_reader_state from, enum pg_reader_state to)
{
    return to == PG_READER_STOPPED || (allowed[from] & 1U << to) != 0;
}

const char *pg_reader_state_name(enum pg_reader_state state)
{
    static const char *const names[] = {
#define X(name, flows) [PG_READER_##name] = #name,
        PG_READER_STATES(X)
#undef X
    };
    return names[state];
}
