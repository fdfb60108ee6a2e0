#include "bridge/intake/progress.h"

void progress_init(struct progress *p, int64_t committed)
{
    *p = (struct progress){.committed = committed, .committing = -1};
    watermark_init(&p->ledger, committed < 0 ? 0 : (uint64_t)committed, PROGRESS_OPEN_MAX);
}

void progress_clear(struct progress *p)
{
    watermark_clear(&p->ledger);
}

void progress_restart(struct progress *p)
{
    p->first_ticket = watermark_restart(&p->ledger, 0);
    p->committed = -1;
    p->committing = -1;
    p->is_anew = true;
}

uint64_t progress_open(struct progress *p, int64_t offset, int64_t timestamp_ms)
{
    uint64_t ticket = watermark_open(&p->ledger);
    watermark_mark(&p->ledger, ticket, timestamp_ms);
    watermark_hold(&p->ledger, ticket);
    watermark_seal(&p->ledger, ticket, (uint64_t)offset + 1);
    return ticket;
}

void progress_settle(struct progress *p, uint64_t ticket)
{
    if (ticket >= p->first_ticket) {
        watermark_release(&p->ledger, ticket);
    }
}

int64_t progress_oldest_ms(const struct progress *p)
{
    int64_t timestamp_ms = -1;
    (void)watermark_oldest_mark(&p->ledger, &timestamp_ms);
    return timestamp_ms;
}

int64_t progress_next_commit(const struct progress *p)
{
    int64_t safe = (int64_t)watermark_safe(&p->ledger);
    return p->committing < 0 && (safe > 0 || p->is_anew) && safe > p->committed ? safe : -1;
}

void progress_commit_begun(struct progress *p, int64_t offset)
{
    p->committing = offset;
}

void progress_commit_ended(struct progress *p, bool is_committed)
{
    if (is_committed && p->committing > p->committed) {
        p->committed = p->committing;
    }
    p->committing = -1;
}
