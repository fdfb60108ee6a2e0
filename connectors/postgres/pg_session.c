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
    struct fault fault = {0};
    if (f == NULL && count >= want) {
        return true;
    }
    if (f == NULL) {
        (void)fault_set(&fault, FAULT_RETRY, "%s: the server answered %zu of %zu statements", what, count,
                        want);
    } else {
        fault = *f;
        (void)fault_context(&fault, "%s", what);
    }
    d->on_fault(d->self, &fault);
    return false;
}
