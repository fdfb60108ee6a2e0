// Runs one test of a function: filter and payload do with its events what they would do in the bridge.
#ifndef BRIDGE_TESTING_TEST_RUN_H
#define BRIDGE_TESTING_TEST_RUN_H

#include "bridge/config/function_config.h"
#include "bridge/config/function_test.h"

/**
 * Runs the test.
 *
 * @param folder  where its files are: the folder of the function's file
 * @param diff    what differs from what was expected is appended, lines that begin with four spaces
 * @param f       FAULT_CONFIG: an event can't be read, "LINE:COLUMN: reason" in the function's file, or
 *                "FILE:LINE:COLUMN: reason" of a file of events
 * @return        false: see `f`; true: the test passed if `diff` is empty
 */
bool test_run(const struct function_config *config, const struct function_tests *tests,
              const struct function_test *test, const char *folder, struct bytes *diff,
              struct fault *f) MUST_USE;

#endif
