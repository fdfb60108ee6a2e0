// Versions of values, and definitions.
#include "connectors/postgres/toast/toast_store_private.h"

#include "core/base/text.h"

static uint8_t *write_prefix(uint8_t *at, const struct toast_key *key)
{
    for (int i = 0; i < 4; i++) {
        *at++ = (uint8_t)(key->table >> (24 - 8 * i));
    }
    memcpy(at, key->row, TOAST_ROW_SIZE);
    at += TOAST_ROW_SIZE;
    *at++ = (uint8_t)(key->column >> 8);
    *at++ = (uint8_t)key->column;
    return at;
}

static void write_version_key(uint8_t *ret, const struct toast_key *key, struct toast_position position)
{
    uint8_t *at = write_prefix(ret, key);
    at = toast_write_u64(at, ~position.lsn);
    (void)toast_write_u64(at, ~position.index);
}

// --- versions ---

bool toast_store_put(struct toast_store *s, const struct toast_key *key, struct toast_position position,
                     struct toast_value value, struct fault *f)
{
    if (!toast_store_begin_transaction(s, f)) {
        return false;
    }
    uint8_t version[TOAST_KEY_SIZE];
    write_version_key(version, key, position);
    MDB_val version_key = {TOAST_KEY_SIZE, version};
    MDB_val room = {TOAST_HEADER_SIZE + value.data.size, NULL};
    int code = mdb_put(s->txn, s->versions, &version_key, &room, MDB_RESERVE);
    if (code != 0) {
        return toast_store_fail_transaction(s, code, "writing a value", f);
    }
    uint8_t *at = room.mv_data;
    *at = (uint8_t)value.form;
    (void)toast_write_u64(at + 1, text_hash(value.data));
    if (value.data.size > 0) {
        memcpy(at + TOAST_HEADER_SIZE, value.data.data, value.data.size);
    }
    uint8_t entry[TOAST_KEY_SIZE];
    memcpy(toast_write_u64(toast_write_u64(entry, position.lsn), position.index), version, TOAST_PREFIX_SIZE);
    MDB_val entry_key = {TOAST_KEY_SIZE, entry};
    MDB_val nothing = {0, NULL};
    code = mdb_put(s->txn, s->log, &entry_key, &nothing, 0);
    s->pending += value.data.size + (size_t)2 * TOAST_KEY_SIZE;
    s->puts++;
    return code == 0 || toast_store_fail_transaction(s, code, "writing a value", f);
}

// A value that the disk has altered is not known.
static struct toast_value read_value(const MDB_val *stored)
{
    const uint8_t *at = stored->mv_data;
    if (stored->mv_size < TOAST_HEADER_SIZE) {
        return (struct toast_value){0};
    }
    struct slice data = slice_make(at + TOAST_HEADER_SIZE, stored->mv_size - TOAST_HEADER_SIZE);
    bool is_whole = toast_read_u64(at + 1) == text_hash(data);
    return is_whole ? (struct toast_value){(enum toast_form)at[0], data} : (struct toast_value){0};
}

bool toast_store_get(struct toast_store *s, const struct toast_key *key, struct toast_position before,
                     struct toast_position since, struct toast_value *ret, struct fault *f)
{
    *ret = (struct toast_value){0};
    if (!toast_store_begin_transaction(s, f)) {
        return false;
    }
    uint8_t from[TOAST_KEY_SIZE];
    write_version_key(from, key, before);
    MDB_val found = {TOAST_KEY_SIZE, from};
    MDB_val value;
    int code = mdb_cursor_get(s->versions_cursor, &found, &value, MDB_SET_RANGE);
    // The version at the position itself was written when the stream was here before.
    if (code == 0 && found.mv_size == TOAST_KEY_SIZE && memcmp(found.mv_data, from, TOAST_KEY_SIZE) == 0) {
        code = mdb_cursor_get(s->versions_cursor, &found, &value, MDB_NEXT);
    }
    if (code == MDB_NOTFOUND) {
        return true;
    }
    if (code != 0) {
        return toast_store_fail_transaction(s, code, "reading a value", f);
    }
    if (!toast_has_prefix(&found, from) ||
        toast_position_is_before(toast_position_of_version(found.mv_data), since)) {
        return true;
    }
    *ret = read_value(&value);
    return true;
}

// --- definitions ---

static uint8_t *write_table_key(uint8_t *ret, uint32_t table)
{
    for (int i = 0; i < 4; i++) {
        *ret++ = (uint8_t)(table >> (24 - 8 * i));
    }
    return ret;
}

static void write_definition_key(uint8_t ret[TOAST_DEFINITION_SIZE], uint32_t table, uint16_t column)
{
    uint8_t *at = write_table_key(ret, table);
    at[0] = (uint8_t)(column >> 8);
    at[1] = (uint8_t)column;
}

bool toast_store_get_definition(struct toast_store *s, uint32_t table, uint16_t column,
                                struct toast_definition *ret, struct fault *f)
{
    *ret = (struct toast_definition){0};
    if (!toast_store_begin_transaction(s, f)) {
        return false;
    }
    uint8_t bytes[TOAST_DEFINITION_SIZE];
    write_definition_key(bytes, table, column);
    MDB_val key = {sizeof(bytes), bytes};
    MDB_val value;
    int code = mdb_get(s->txn, s->definitions, &key, &value);
    if (code == 0 && value.mv_size == sizeof(*ret)) {
        memcpy(ret, value.mv_data, sizeof(*ret));
    }
    return code == 0 || code == MDB_NOTFOUND ||
           toast_store_fail_transaction(s, code, "reading a definition", f);
}

bool toast_store_put_definition(struct toast_store *s, uint32_t table, uint16_t column,
                                const struct toast_definition *value, struct fault *f)
{
    if (!toast_store_begin_transaction(s, f)) {
        return false;
    }
    uint8_t bytes[TOAST_DEFINITION_SIZE];
    write_definition_key(bytes, table, column);
    MDB_val key = {sizeof(bytes), bytes};
    struct toast_definition copy = *value;
    MDB_val data = {sizeof(copy), &copy};
    int code = mdb_put(s->txn, s->definitions, &key, &data, 0);
    return code == 0 || toast_store_fail_transaction(s, code, "writing a definition", f);
}

bool toast_store_has_table(struct toast_store *s, uint32_t table, bool *ret, struct fault *f)
{
    *ret = false;
    if (!toast_store_begin_transaction(s, f)) {
        return false;
    }
    uint8_t bytes[4];
    (void)write_table_key(bytes, table);
    MDB_val key = {sizeof(bytes), bytes};
    MDB_val value;
    int code = mdb_cursor_get(s->versions_cursor, &key, &value, MDB_SET_RANGE);
    *ret = code == 0 && memcmp(key.mv_data, bytes, sizeof(bytes)) == 0;
    return code == 0 || code == MDB_NOTFOUND || toast_store_fail_transaction(s, code, "reading a table", f);
}
