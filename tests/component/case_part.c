#include "tests/component/case_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/base/memory.h"

int case_run_part(const struct CMUnitTest *tests, size_t count)
{
    const char *text = getenv("CASE_PART");
    unsigned part = 1;
    unsigned parts = 1;
    INVARIANT(text == NULL || (sscanf(text, "%u/%u", &part, &parts) == 2 && part >= 1 && part <= parts));
    struct CMUnitTest *mine = memory_zeroed(count + 1, sizeof(*mine));
    size_t mine_count = 0;
    for (size_t i = part - 1; i < count; i += parts) {
        mine[mine_count++] = tests[i];
    }
    int failed = _cmocka_run_group_tests("tests", mine, mine_count, NULL, NULL);
    free(mine);
    return failed;
}
