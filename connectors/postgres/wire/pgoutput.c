// Messages of pgoutput, protocol version 1, or 2 without streaming. All integers are big-endian, strings end
// with NUL.
//
//   B Begin     Int64 final LSN, Int64 commit time, Int32 xid
//   C Commit    Int8 flags (0), Int64 commit LSN, Int64 end LSN, Int64 commit time
//   O Origin    Int64 commit LSN on the origin, String name
//   R Relation  Int32 oid, String schema, String name, Int8 replica identity, Int16 count,
//               count times: Int8 flags (1: identity), String name, Int32 type, Int32 modifier
//   Y Type      Int32 oid, String schema, String name
//   I Insert    Int32 relation, 'N' tuple
//   U Update    Int32 relation, ['K' | 'O' tuple], 'N' tuple
//   D Delete    Int32 relation, 'K' | 'O' tuple
//   T Truncate  Int32 count, Int8 flags, count times Int32 relation
//   M Message   Int8 flags, Int64 LSN, String prefix, Int32 size, bytes
//
//   tuple       Int16 count, count times: 'n' | 'u' | 't' or 'b', Int32 size, bytes
//
// Times are microseconds since 2000-01-01 UTC. Source: PostgreSQL 15, 55.9 Logical Replication Message
// Formats.
#include "connectors/postgres/wire/pgoutput.h"

#include "core/base/clock.h"

static int64_t read_time(struct cursor *c)
{
    int64_t unix_us;
    int64_t time_us = (int64_t)cursor_u64(c);
    // A time that does not fit comes only from a broken server, but must not overflow here.
    return __builtin_add_overflow(time_us, CLOCK_POSTGRES_EPOCH_US, &unix_us) ? INT64_MAX : unix_us;
}

static bool decode_tuple(struct cursor *c, struct pgoutput_tuple *ret, struct fault *f)
{
    uint16_t count = cursor_u16(c);
    if (count > PGOUTPUT_COLUMNS_MAX) {
        return fault_set(f, FAULT_FATAL, "pgoutput tuple has %u columns", (unsigned)count);
    }
    struct pgoutput_value *value = ret->values;
    for (const struct pgoutput_value *end = value + count; value < end; value++) {
        value->kind = cursor_u8(c);
        if (pgoutput_has_value(value)) {
            uint32_t size = cursor_u32(c);
            value->data = cursor_take(c, size).data;
            value->size = size;
            continue;
        }
        value->data = NULL;
        value->size = 0;
        if (value->kind != PGOUTPUT_VALUE_NULL && value->kind != PGOUTPUT_VALUE_UNCHANGED) {
            break;
        }
    }
    if (c->is_short) {
        return fault_set(f, FAULT_FATAL, "pgoutput tuple is truncated");
    }
    if (value < ret->values + count) {
        return fault_set(f, FAULT_FATAL, "pgoutput tuple has a value of unknown kind 0x%02x", value->kind);
    }
    ret->count = count;
    return true;
}

static bool decode_relation(struct cursor *c, struct pgoutput_relation *ret, struct fault *f)
{
    ret->oid = cursor_u32(c);
    ret->schema = cursor_string(c);
    ret->name = cursor_string(c);
    ret->replica_identity = cursor_u8(c);
    ret->column_count = cursor_u16(c);
    if (ret->column_count > PGOUTPUT_COLUMNS_MAX) {
        return fault_set(f, FAULT_FATAL, "pgoutput relation has %u columns", (unsigned)ret->column_count);
    }
    for (uint16_t i = 0; i < ret->column_count && !c->is_short; i++) {
        struct pgoutput_column *column = &ret->columns[i];
        column->is_identity = (cursor_u8(c) & 1) != 0;
        column->name = cursor_string(c);
        column->type_oid = cursor_u32(c);
        column->type_modifier = (int32_t)cursor_u32(c);
    }
    return true;
}

static bool decode_new_tuple(struct cursor *c, uint8_t mark, struct pgoutput_row *ret, struct fault *f)
{
    if (mark != 'N') {
        return fault_set(f, FAULT_FATAL, "pgoutput row has the tuple mark 0x%02x instead of 'N'", mark);
    }
    ret->has_new = true;
    return decode_tuple(c, &ret->new_tuple, f);
}

static bool decode_row(struct cursor *c, enum pgoutput_kind kind, struct pgoutput_row *ret, struct fault *f)
{
    ret->relation_oid = cursor_u32(c);
    ret->old_kind = 0;
    ret->has_new = false;
    uint8_t mark = cursor_u8(c);
    if (kind == PGOUTPUT_INSERT) {
        return decode_new_tuple(c, mark, ret, f);
    }
    if (mark == 'K' || mark == 'O') {
        ret->old_kind = mark;
        if (!decode_tuple(c, &ret->old_tuple, f)) {
            return false;
        }
        if (kind == PGOUTPUT_DELETE) {
            return true;
        }
        mark = cursor_u8(c);
    } else if (kind == PGOUTPUT_DELETE) {
        return fault_set(f, FAULT_FATAL, "pgoutput delete has the tuple mark 0x%02x", mark);
    }
    return decode_new_tuple(c, mark, ret, f);
}

static bool decode_logical(struct cursor *c, struct pgoutput_logical *ret)
{
    ret->is_transactional = (cursor_u8(c) & 1) != 0;
    ret->lsn = cursor_u64(c);
    ret->prefix = cursor_string(c);
    ret->content = cursor_take(c, cursor_u32(c));
    return true;
}

static bool decode_truncate(struct cursor *c, struct pgoutput_truncate *ret)
{
    ret->count = cursor_u32(c);
    (void)cursor_u8(c);  // CASCADE, RESTART IDENTITY
    ret->oids = cursor_take(c, (size_t)ret->count * 4);
    return true;
}

// A Type message is only checked for its format; its content is not used.
static bool skip_type(struct cursor *c)
{
    (void)cursor_u32(c);
    (void)cursor_string(c);
    (void)cursor_string(c);
    return true;
}

static bool decode_body(struct cursor *c, uint8_t kind, struct pgoutput_message *ret, struct fault *f)
{
    switch (kind) {
    case PGOUTPUT_INSERT:
    case PGOUTPUT_UPDATE:
    case PGOUTPUT_DELETE:
        return decode_row(c, (enum pgoutput_kind)kind, &ret->row, f);
    case PGOUTPUT_BEGIN:
        ret->begin.final_lsn = cursor_u64(c);
        ret->begin.commit_time_us = read_time(c);
        ret->begin.transaction_id = cursor_u32(c);
        return true;
    case PGOUTPUT_COMMIT:
        (void)cursor_u8(c);
        ret->commit.commit_lsn = cursor_u64(c);
        ret->commit.end_lsn = cursor_u64(c);
        ret->commit.commit_time_us = read_time(c);
        return true;
    case PGOUTPUT_RELATION:
        return decode_relation(c, &ret->relation, f);
    case PGOUTPUT_ORIGIN:
        ret->origin.commit_lsn = cursor_u64(c);
        ret->origin.name = cursor_string(c);
        return true;
    case PGOUTPUT_MESSAGE:
        return decode_logical(c, &ret->logical);
    case PGOUTPUT_TRUNCATE:
        return decode_truncate(c, &ret->truncate);
    case PGOUTPUT_TYPE:
        return skip_type(c);
    default:
        return fault_set(f, FAULT_FATAL, "pgoutput message of unknown kind 0x%02x", kind);
    }
}

bool pgoutput_decode(struct slice wire, struct pgoutput_message *ret, struct fault *f)
{
    struct cursor c = cursor_over(wire);
    uint8_t kind = cursor_u8(&c);
    if (!decode_body(&c, kind, ret, f)) {
        return false;
    }
    if (!cursor_finish(&c, "pgoutput message", f)) {
        f->kind = FAULT_FATAL;
        return false;
    }
    ret->kind = (enum pgoutput_kind)kind;
    return true;
}
