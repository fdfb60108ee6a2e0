// A slow group of tests as several programs side by side: PARTS in CMakeLists.txt.
#ifndef TESTS_COMPONENT_CASE_PART_H
#define TESTS_COMPONENT_CASE_PART_H

#include <stddef.h>

struct CMUnitTest;

/** What a main returns: runs the part of the tests that CASE_PART names (`2/3`), all of them without it. */
int case_run_part(const struct CMUnitTest *tests, size_t count);

#endif
