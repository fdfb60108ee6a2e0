#include "schemas/registry/registry_known.h"

#include <openssl/sha.h>

#include "core/base/memory.h"

struct registry_known_entry {
    uint8_t digest[SHA256_DIGEST_LENGTH];  // of subject and text
    int32_t id;
    UT_hash_handle hh;
};

static void make_digest(const char *subject, const char *text, uint8_t digest[SHA256_DIGEST_LENGTH])
{
    struct bytes both CLEANUP(bytes_clear) = {0};
    bytes_append(&both, subject, strlen(subject) + 1);
    bytes_append_string(&both, text);
    (void)SHA256(both.data, both.size, digest);
}

static struct registry_known_entry *find(const struct registry_known *known, const uint8_t *digest)
{
    struct registry_known_entry *found = NULL;
    HASH_FIND(hh, known->entries, digest, SHA256_DIGEST_LENGTH, found);
    return found;
}

int32_t registry_known_find(const struct registry_known *known, const char *subject, const char *text)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    make_digest(subject, text, digest);
    const struct registry_known_entry *found = find(known, digest);
    return found != NULL ? found->id : 0;
}

void registry_known_add(struct registry_known *known, const char *subject, const char *text, int32_t id)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    make_digest(subject, text, digest);
    struct registry_known_entry *entry = find(known, digest);
    if (entry == NULL) {
        if (HASH_COUNT(known->entries) >= REGISTRY_KNOWN_MAX) {
            registry_known_clear(known);
        }
        entry = memory_zeroed(1, sizeof *entry);
        memcpy(entry->digest, digest, sizeof digest);
        HASH_ADD(hh, known->entries, digest, sizeof entry->digest, entry);
    }
    entry->id = id;
}

void registry_known_clear(struct registry_known *known)
{
    // HASH_CLEAR keeps the entries, which are linked to each other.
    struct registry_known_entry *entry = known->entries;
    HASH_CLEAR(hh, known->entries);
    while (entry != NULL) {
        struct registry_known_entry *next = entry->hh.next;
        free(entry);
        entry = next;
    }
}
