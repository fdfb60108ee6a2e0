// usage: simulate [--seed N] [--seeds COUNT] [--twice] [--trace]
// Runs seeds from N on (default 1). A failing one ends the program, with its number. --twice runs them again
// in the opposite order and compares: a seed alone decides its run.
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/sim/sim.h"

/** Runs the seeds again in the opposite order: what ran before makes no difference. */
static void run_again(uint64_t first, uint64_t count, const uint64_t *digests)
{
    for (uint64_t i = count; i-- > 0;) {
        sim_run(first + i);
        if (sim.digest != digests[i]) {
            sim_fail("runs otherwise after other seeds than before");
        }
    }
}

/** Starts the program again without address randomisation: hashes of addresses would make runs differ. */
static void fix_addresses(char **argv)
{
    int now = personality(UINT32_MAX);
    if (now >= 0 && (now & ADDR_NO_RANDOMIZE) == 0 &&
        personality((unsigned long)now | ADDR_NO_RANDOMIZE) >= 0) {
        (void)execv("/proc/self/exe", argv);
    }
}

int main(int argc, char **argv)
{
    fix_addresses(argv);
    uint64_t first = 1;
    uint64_t seeds = 0;
    bool is_twice = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            sim.is_tracing = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            first = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            seeds = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--twice") == 0) {
            is_twice = true;
        } else {
            (void)fprintf(stderr, "usage: simulate [--seed N] [--seeds COUNT] [--twice] [--trace]\n");
            return 64;
        }
    }
    const uint64_t count = seeds == 0 ? 1 : seeds;
    CLEANUP(memory_free_pointer) uint64_t *digests = memory_zeroed(count, sizeof(*digests));
    sim_bridge_make_configs();
    for (uint64_t i = 0; i < count; i++) {
        sim_run(first + i);
        digests[i] = sim.digest;
    }
    if (is_twice) {
        run_again(first, count, digests);
    }
    bool is_whole = sim_report(count, text_hash(slice_make(digests, count * sizeof(*digests)))) || seeds == 0;
    sim_bridge_free_configs();
    return is_whole ? 0 : 1;
}
