// usage: simulate [--seed N] [--seeds COUNT] [--twice] [--trace] [--jobs N]
// Runs seeds from N on (default 1). A failing one ends the program, with its number. --twice runs them again
// in the opposite order and compares: a seed alone decides its run. --jobs: so many processes (default: one
// for each processor).
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/base/text.h"
#include "tests/sim/sim.h"

enum { JOBS_MAX = 64 };

static struct {
    uint64_t first;
    uint64_t count;
    bool is_twice;
    unsigned jobs;
} options = {.first = 1};

/** Shared with the processes that run the seeds. */
static struct sim_counts *counts;  // of each process
static uint64_t *digests;          // of each seed

/** Runs the seeds of one process. */
static void run_share(unsigned job)
{
    uint64_t last = 0;
    sim_bridge_init();
    for (uint64_t i = job; i < options.count; i += options.jobs) {
        sim_run(options.first + i);
        sim_count(&counts[job]);
        digests[i] = sim.digest;
        last = i;
    }
    for (uint64_t i = last; options.is_twice; i -= options.jobs) {
        sim_run(options.first + i);
        if (sim.digest != digests[i]) {
            sim_fail("runs otherwise after other seeds than before");
        }
        if (i < options.jobs) {
            break;
        }
    }
    sim_config_free_all();
    sim_bridge_clear();
}

static void *share(size_t size)
{
    void *ret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    INVARIANT(ret != MAP_FAILED);
    return ret;
}

/** The first process that fails ends the others. */
static bool run_all(void)
{
    pid_t children[JOBS_MAX];
    for (unsigned i = 0; i < options.jobs; i++) {
        children[i] = fork();
        INVARIANT(children[i] >= 0);
        if (children[i] == 0) {
            run_share(i);
            exit(0);
        }
    }
    bool is_good = true;
    for (unsigned i = 0; i < options.jobs; i++) {
        int status = 0;
        pid_t ended = wait(&status);
        is_good = is_good && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        for (unsigned k = 0; k < options.jobs; k++) {
            children[k] = children[k] == ended ? 0 : children[k];
            if (!is_good && children[k] > 0) {
                (void)kill(children[k], SIGTERM);
            }
        }
    }
    return is_good;
}

static struct sim_counts sum_up(void)
{
    struct sim_counts sum = {0};
    for (unsigned i = 0; i < options.jobs; i++) {
        for (int k = 0; k < SIM_FEATURE_COUNT; k++) {
            sum.features[k] += counts[i].features[k];
        }
        for (int k = 0; k < SIM_FAULT_COUNT * SIM_PHASE_COUNT; k++) {
            sum.struck[k / SIM_PHASE_COUNT][k % SIM_PHASE_COUNT] +=
                counts[i].struck[k / SIM_PHASE_COUNT][k % SIM_PHASE_COUNT];
        }
    }
    return sum;
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

static bool read_number(int *at, int argc, char **argv, const char *name, uint64_t *ret)
{
    if (strcmp(argv[*at], name) != 0 || *at + 1 >= argc) {
        return false;
    }
    *ret = strtoull(argv[++*at], NULL, 10);
    return true;
}

static bool read_options(int argc, char **argv)
{
    uint64_t jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            sim.is_tracing = true;
        } else if (strcmp(argv[i], "--twice") == 0) {
            options.is_twice = true;
        } else if (!read_number(&i, argc, argv, "--seed", &options.first) &&
                   !read_number(&i, argc, argv, "--seeds", &options.count) &&
                   !read_number(&i, argc, argv, "--jobs", &jobs)) {
            return false;
        }
    }
    jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
    options.jobs = options.count < jobs ? 1 : (unsigned)jobs;
    return true;
}

int main(int argc, char **argv)
{
    fix_addresses(argv);
    // A struct progress_record has megabytes, of which few are used: pages of its own need not be cleared.
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
    if (!read_options(argc, argv)) {
        (void)fprintf(stderr, "usage: simulate [--seed N] [--seeds COUNT] [--twice] [--trace] [--jobs N]\n");
        return 64;
    }
    const bool is_single = options.count == 0;
    options.count = is_single ? 1 : options.count;
    counts = share(options.jobs * sizeof(*counts));
    digests = share(options.count * sizeof(*digests));
    if (!run_all()) {
        return 1;
    }
    const struct sim_counts sum = sum_up();
    const uint64_t digest = text_hash(slice_make(digests, options.count * sizeof(*digests)));
    return sim_report(&sum, options.count, digest) || is_single ? 0 : 1;
}
