// Which row a change is about: a hash of the values of the replica identity's columns.
#ifndef CONNECTORS_POSTGRES_PG_TOAST_IDENTITY_H
#define CONNECTORS_POSTGRES_PG_TOAST_IDENTITY_H

#include <openssl/evp.h>

#include "connectors/postgres/catalogue/pg_relations.h"
#include "connectors/postgres/toast/toast_store.h"

struct pg_toast_identity {
    EVP_MD_CTX *digest;
    EVP_MD *sha256;
    struct bytes text;  // of a row, before it is hashed
};

void pg_toast_identity_init(struct pg_toast_identity *ret);
void pg_toast_identity_clear(struct pg_toast_identity *i);

/**
 * Hashes the text of the identity's columns.
 *
 * @param otherwise  has the values that `tuple` leaves out; may be NULL
 * @param f          FAULT_FATAL: a column of the identity has no value
 */
bool pg_toast_identity_hash(struct pg_toast_identity *i, const struct pg_relation *relation,
                            const struct pgoutput_tuple *tuple, const struct pgoutput_tuple *otherwise,
                            uint8_t ret[TOAST_ROW_SIZE], struct fault *f) MUST_USE;

#endif
