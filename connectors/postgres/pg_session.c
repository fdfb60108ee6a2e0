#include "connectors/postgres/pg_session.h"

#include <stdlib.h>

void pg_session_close(struct pg_session *s)
{
    pg_conn_close(s->replication);
    pg_conn_close(s->sql);
    free(s->database);
    s->replication = NULL;
    s->sql = NULL;
    s->database = NULL;
}

bool pg_deps_answered(const struct pg_deps *d, size_t count, size_t want, const struct fault *f,
                      const char *what)
{
    struct fault fault;
    if (pg_conn_answered(count, want, f, &fault)) {
        return true;
    }
    (void)fault_context(&fault, "%s", what);
    d->on_fault(d->self, &fault);
    return false;
}
