#include "connectors/postgres/pg_slot_log.h"

#include <inttypes.h>

#include "core/base/log.h"
#include "core/base/memory.h"

static void log_timeline(const struct pg_deps *deps, const struct pg_session *session)
{
    const struct source_state *known = &session->known;
    if (known->is_known && known->timeline != session->timeline) {
        log_warn(
            deps->component, "timeline_changed",
            LOG_WITH(LOG_NUMBER("old", known->timeline), LOG_NUMBER("new", session->timeline)),
            "the server is on timeline %u, it was on %u before: another server was promoted, or this one "
            "was restored",
            session->timeline, known->timeline);
    }
}

void pg_slot_log_position(const struct pg_deps *deps, const struct pg_session *session, uint64_t confirmed)
{
    const struct source_state *known = &session->known;
    const char *name = deps->config->slot.name;
    uint64_t stands = session->slot.confirmed_lsn;
    uint64_t before = known->position > confirmed ? known->position : confirmed;
    CLEANUP(memory_free_pointer)
    char *lsn = memory_format("%" PRIX64 "/%" PRIX64, stands >> 32, stands & UINT32_MAX);
    if (before > session->slot.wal_end) {
        log_warn(
            deps->component, "slot_went_back", LOG_WITH(LOG_TEXT("lsn", lsn)),
            "the server was restored, or failed over to one that was behind: slot %s is at %s; published "
            "changes that are lost on the server stay published",
            name, lsn);
    } else if (confirmed > stands) {
        log_info(deps->component, "slot_went_back", LOG_WITH(LOG_TEXT("lsn", lsn)),
                 "slot %s is at %s, before the last confirmed position: changes are published again", name,
                 lsn);
    } else if (!known->is_known) {
        log_info(deps->component, "slot_adopted", LOG_WITH(LOG_TEXT("lsn", lsn)),
                 "slot %s exists already: streaming continues at its position %s, without a snapshot", name,
                 lsn);
    } else if (known->position == 0 && confirmed != 0 && stands > confirmed) {
        log_warn(deps->component, "slot_moved", LOG_WITH(LOG_TEXT("lsn", lsn)),
                 "slot %s was moved to %s, beyond the last confirmed position, by another copy of this "
                 "connector or by hand",
                 name, lsn);
    }
    log_timeline(deps, session);
}
