// Allocation that aborts instead of failing, scope-based release, and invariants checked in every build.
#ifndef CORE_BASE_MEMORY_H
#define CORE_BASE_MEMORY_H

#include <stddef.h>
#include <stdlib.h>

#define MUST_USE __attribute__((warn_unused_result))

/** Runs `function(&variable)` when the variable leaves its scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/** Moves the value out of a CLEANUP pointer: evaluates to it and sets the pointer to NULL. */
#define TAKE(pointer)                                                                                        \
    __extension__({                                                                                          \
        __typeof__(pointer) taken_ = (pointer);                                                              \
        (pointer) = NULL;                                                                                    \
        taken_;                                                                                              \
    })

/** Aborts the process, naming file and line, when the condition is false; on in every build. */
#define INVARIANT(condition)                                                                                 \
    do {                                                                                                     \
        if (__builtin_expect(!(condition), 0)) {                                                             \
            memory_invariant_failed(#condition, __FILE__, __LINE__);                                         \
        }                                                                                                    \
    } while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/** The struct that embeds `member`, from a pointer to that member. */
#define CONTAINER_OF(pointer, type, member)                                                                  \
    ((type *)(void *)((char *)(void *)(pointer)-offsetof(type, member)))

void memory_invariant_failed(const char *condition, const char *file, int line) __attribute__((noreturn));

/** Uninitialised, zeroed, resized and copied memory; without memory they abort and the supervisor restarts
 * the process. */
void *memory_new(size_t size) __attribute__((returns_nonnull, malloc));
void *memory_zeroed(size_t count, size_t size) __attribute__((returns_nonnull, malloc));
void *memory_resize(void *old, size_t size) __attribute__((returns_nonnull));
char *memory_string(const char *text) __attribute__((returns_nonnull));
char *memory_format(const char *format, ...) __attribute__((returns_nonnull, format(printf, 1, 2)));

/** Overwrites a string that may be a secret, then frees it. Accepts NULL. */
void memory_free_secret(char *text);

/** Overwrites a block of the heap, then frees it. Accepts NULL. */
void memory_wipe(void *block);

/** As memory_resize; the old block is overwritten. */
void *memory_resize_wiped(void *old, size_t size) __attribute__((returns_nonnull));

/** For CLEANUP(memory_free_secret_pointer) on a string. */
static inline void memory_free_secret_pointer(char **text)
{
    memory_free_secret(*text);
}

/** For CLEANUP(memory_free_pointer) on any heap pointer. */
static inline void memory_free_pointer(void *address_of_pointer)
{
    free(*(void **)address_of_pointer);
}

#endif
