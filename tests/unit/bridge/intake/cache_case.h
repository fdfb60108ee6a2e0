// A schema cache over a registry that has no schemas and counts the look-ups.
#ifndef TESTS_UNIT_BRIDGE_INTAKE_CACHE_CASE_H
#define TESTS_UNIT_BRIDGE_INTAKE_CACHE_CASE_H

#include "bridge/intake/schema_cache.h"

extern struct schema_cache *cache_case_cache;
extern size_t cache_case_asked;  // look-ups since cache_case_start

/** Setup and teardown of a test. */
int cache_case_start(void **state);
int cache_case_stop(void **state);

/** Answers the pending look-up with a fault; cache_case_answer_unknown: there is no such id. */
void cache_case_answer(const struct fault *f);
void cache_case_answer_unknown(void);

#endif
