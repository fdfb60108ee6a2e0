// The references of templates: ${PART.NAME:-TEXT}.
#ifndef BRIDGE_TEMPLATE_TEMPLATE_REFERENCE_H
#define BRIDGE_TEMPLATE_TEMPLATE_REFERENCE_H

#include "core/base/bytes.h"
#include "core/base/fault.h"

/** The part of an event that a reference begins with. Those up to SOURCE have members. */
enum template_root {
    TEMPLATE_KEY,
    TEMPLATE_BEFORE,
    TEMPLATE_AFTER,
    TEMPLATE_ROW,  // after, of a delete before
    TEMPLATE_SOURCE,
    TEMPLATE_HEADERS,
    TEMPLATE_OP,
    TEMPLATE_OPERATION,
    TEMPLATE_ID,
    TEMPLATE_TOPIC,
    TEMPLATE_PARTITION,
    TEMPLATE_OFFSET,
    TEMPLATE_TIME,
};

enum { TEMPLATE_DEPTH_MAX = 16 };  // names of a reference

/** What is referred to. */
struct template_ref {
    enum template_root root;
    struct slice names[TEMPLATE_DEPTH_MAX];  // below the root; owned, each ends with NUL
    size_t depth;
};

/** The references of all templates of a function, each once. Zero-initialised is empty. */
struct template_refs {
    struct template_ref *items;
    size_t count;
};

/** Borrows from the text, except for its names. */
struct template_reference {
    struct template_ref ref;
    bool has_otherwise;
    struct slice otherwise;
    size_t end;  // behind its brace
};

/**
 * Reads the reference that begins at the offset.
 *
 * @param ret_at  where the fault is
 * @param f       FAULT_CONFIG; `ret` is empty
 */
bool template_reference_read(struct slice text, size_t at, struct template_reference *ret, size_t *ret_at,
                             struct fault *f) MUST_USE;

/** As it is written in a reference. */
const char *template_root_name(enum template_root root);

void template_ref_clear(struct template_ref *ref);

/** Adds a reference, unless it is there, and takes what it owns; returns its place. */
uint32_t template_refs_add(struct template_refs *refs, struct template_ref *ref);
void template_refs_clear(struct template_refs *refs);

#endif
