#include "connectors/postgres/pg_toast_identity.h"

#include "connectors/postgres/values/pg_mask.h"

void pg_toast_identity_init(struct pg_toast_identity *ret)
{
    *ret = (struct pg_toast_identity){EVP_MD_CTX_new(), EVP_MD_fetch(NULL, "SHA256", NULL), {0}};
    INVARIANT(ret->digest != NULL && ret->sha256 != NULL);
}

void pg_toast_identity_clear(struct pg_toast_identity *i)
{
    EVP_MD_CTX_free(i->digest);
    EVP_MD_free(i->sha256);
    bytes_clear(&i->text);
}

// The text of a value, whatever form it was sent in, and whether its column is masked or not.
static bool write_value(struct bytes *out, const struct column *c, const struct pgoutput_value *value)
{
    struct fault f;
    struct slice data = {value->data, value->size};
    const struct value_type *type = pg_mask_is_on(&c->type) ? c->type.element : &c->type;
    if (value->kind == PGOUTPUT_VALUE_TEXT) {
        bytes_append_slice(out, data);
        return true;
    }
    return value->kind == PGOUTPUT_VALUE_BINARY && type->ops->write_text != NULL &&
           type->ops->write_text(out, type, data, &f) == VALUE_DONE;
}

bool pg_toast_identity_hash(struct pg_toast_identity *id, const struct pg_relation *relation,
                            const struct pgoutput_tuple *tuple, const struct pgoutput_tuple *otherwise,
                            uint8_t ret[TOAST_ROW_SIZE], struct fault *f)
{
    const struct pg_toast_plan *plan = relation->toast;
    bytes_reset(&id->text);
    for (size_t i = 0; i < plan->column_count && i < tuple->count; i++) {
        if (!plan->columns[i].is_identity) {
            continue;
        }
        size_t begin = id->text.size;
        bytes_append(&id->text, &begin, sizeof(begin));  // the parts' borders count
        bool is_other = tuple->values[i].kind == PGOUTPUT_VALUE_UNCHANGED && otherwise != NULL;
        const struct pgoutput_value *value = is_other ? &otherwise->values[i] : &tuple->values[i];
        if (!write_value(&id->text, &relation->table->columns[i], value)) {
            return fault_set(f, FAULT_FATAL, "%s.%s: the column %s of the replica identity has no value",
                             relation->table->schema, relation->table->name,
                             relation->table->columns[i].name);
        }
    }
    uint8_t hash[EVP_MAX_MD_SIZE];
    INVARIANT(EVP_DigestInit_ex2(id->digest, id->sha256, NULL) == 1 &&
              EVP_DigestUpdate(id->digest, id->text.data, id->text.size) == 1 &&
              EVP_DigestFinal_ex(id->digest, hash, NULL) == 1);
    memcpy(ret, hash, TOAST_ROW_SIZE);
    return true;
}
