// Commits of a function whose dead letters were just stored. A kill between the two stores a letter once
// more.
#ifndef BRIDGE_INTAKE_LETTER_COMMITS_H
#define BRIDGE_INTAKE_LETTER_COMMITS_H

#include "bridge/intake/offset_store.h"

/** Plain data, embedded. */
struct letter_commits {
    struct offset_store *store;  // lent
    uv_timer_t timer;            // fires when a commit may be sent; its `data` is the caller's
    bool is_due;                 // a letter was stored since the last of these commits
    int64_t committed_us;        // when that was sent
};

/** @param store  lent; open */
void letter_commits_init(struct letter_commits *l, uv_loop_t *loop, struct offset_store *store);

/** A letter of the partition was stored: commits in the next loop iteration, with the other letters of this
 * one, at most 50 times a second, and five times a second while very many events fail. */
void letter_commits_add(struct letter_commits *l, struct partition *p);

/** A commit was answered: the next one may be sent. */
void letter_commits_go_on(struct letter_commits *l);

/** Call it when the store is closed. */
void letter_commits_close(struct letter_commits *l, uv_close_cb on_closed);

#endif
