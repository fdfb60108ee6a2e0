#include "connectors/postgres/pg_inserts.h"

bool pg_inserts_is_out(const struct pg_deps *deps)
{
    return pg_publication_is_inserts_out(deps->publication);
}

bool pg_inserts_restart_without(const struct pg_deps *deps)
{
    struct fault f = {0};
    if (!pg_publication_leave_inserts_out(deps->publication, &f)) {
        return false;
    }
    deps->on_restart(deps->self, &f);
    return true;
}

bool pg_inserts_restart_with(const struct pg_deps *deps, uint64_t flushed, uint64_t wal_end)
{
    struct fault f = {0};
    if (!pg_inserts_is_out(deps) || flushed < wal_end) {
        return false;
    }
    pg_publication_take_inserts_in(deps->publication);
    (void)fault_set(&f, FAULT_RETRY, "restarting the stream with the publication of publish_inserts_only");
    deps->on_restart(deps->self, &f);
    return true;
}
