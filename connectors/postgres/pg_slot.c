#include "connectors/postgres/pg_slot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connectors/postgres/wire/pg_conn.h"

enum { PG_SLOT_VERSION_MIN = 140000 };

bool pg_slot_parse_lsn(const char *text, uint64_t *ret)
{
    char *end;
    unsigned long long high = strtoull(text, &end, 16);
    if (end == text || *end != '/' || high > UINT32_MAX) {
        return false;
    }
    const char *rest = end + 1;
    unsigned long long low = strtoull(rest, &end, 16);
    if (end == rest || *end != '\0' || low > UINT32_MAX) {
        return false;
    }
    *ret = (uint64_t)high << 32 | (uint64_t)low;
    return true;
}

void pg_slot_query(struct bytes *out, const char *name)
{
    bytes_append_string(
        out, "SELECT current_setting('wal_level'), pg_is_in_recovery(),"
             " current_setting('max_replication_slots'), (SELECT count(*) FROM pg_replication_slots),"
             " current_setting('max_slot_wal_keep_size'), CASE WHEN pg_is_in_recovery() THEN "
             "pg_last_wal_replay_lsn()"
             " ELSE pg_current_wal_lsn() END, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,"
             " coalesce(current_setting('effective_wal_level', true), '');"
             "SELECT coalesce(plugin = 'pgoutput' AND slot_type = 'logical' AND database = current_database()"
             " AND NOT temporary, false), active, coalesce(active_pid, 0), coalesce(restart_lsn, '0/0'),"
             " coalesce(confirmed_flush_lsn, '0/0'), coalesce(wal_status = 'lost', false)"
             " FROM pg_replication_slots WHERE slot_name = ");
    pg_conn_quote_text(out, name);
}

static bool bool_field(const PGresult *r, int field)
{
    return PQgetvalue(r, 0, field)[0] == 't';
}

static uint64_t lsn_field(const PGresult *r, int field)
{
    uint64_t lsn = 0;
    return pg_slot_parse_lsn(PQgetvalue(r, 0, field), &lsn) ? lsn : 0;
}

bool pg_slot_is_logical(const char *level, const char *effective)
{
    bool is_switched_on = effective[0] != '\0' && strcmp(level, "replica") == 0;
    return is_switched_on || strcmp(level, "logical") == 0;
}

void pg_slot_read(PGresult *const *results, int server_version, struct pg_slot *ret)
{
    struct pg_slot s = {.server_version = server_version};
    const PGresult *server = results[0];
    s.is_logical = pg_slot_is_logical(PQgetvalue(server, 0, 0), PQgetvalue(server, 0, 7));
    s.is_standby = bool_field(server, 1);
    s.slots_max = (int)strtol(PQgetvalue(server, 0, 2), NULL, 10);
    s.slots_used = (int)strtol(PQgetvalue(server, 0, 3), NULL, 10);
    (void)snprintf(s.keep_size, sizeof(s.keep_size), "%.30s", PQgetvalue(server, 0, 4));
    s.wal_end = lsn_field(server, 5);
    s.now_us = strtoll(PQgetvalue(server, 0, 6), NULL, 10);
    const PGresult *slot = results[1];
    s.exists = PQntuples(slot) == 1;
    if (s.exists) {
        s.is_ours = bool_field(slot, 0);
        s.is_active = bool_field(slot, 1);
        s.active_pid = (int)strtol(PQgetvalue(slot, 0, 2), NULL, 10);
        s.restart_lsn = lsn_field(slot, 3);
        s.confirmed_lsn = lsn_field(slot, 4);
        s.is_lost = bool_field(slot, 5);
    }
    *ret = s;
}

bool pg_slot_check_server(const struct pg_slot *s, struct fault *f)
{
    if (s->server_version < PG_SLOT_VERSION_MIN) {
        return fault_set(f, FAULT_CONFIG, "PostgreSQL %d is too old: millrace needs version 14 or newer",
                         s->server_version / 10000);
    }
    if (s->is_standby) {
        return fault_set(f, FAULT_RETRY,
                         "the server is a standby: point postgres.dsn at the primary, or list all "
                         "hosts with target_session_attrs=read-write");
    }
    if (!s->is_logical) {
        return fault_set(f, FAULT_CONFIG,
                         "wal_level is not logical; as a superuser run: ALTER SYSTEM SET wal_level = "
                         "'logical'; and restart the PostgreSQL server");
    }
    return true;
}

static bool refuse_changes_lost(struct fault *f, const struct connector_config *config, const char *why,
                                const char *drop)
{
    return fault_set(
        f, FAULT_CONFIG,
        "slot %s %s: changes since its last position are lost. To begin again (snapshot: initial reads all "
        "rows again)%s remove the state record: echo 'connector/%s:' | kcat -P -b BROKER -t millrace.state "
        "-K : -Z",
        config->slot.name, why, drop, config->name);
}

bool pg_slot_lost_publication(const struct connector_config *config, struct fault *f)
{
    CLEANUP(memory_free_pointer)
    char *drop = memory_format(" run: SELECT pg_drop_replication_slot('%s'); and", config->slot.name);
    return refuse_changes_lost(
        f, config,
        "can't be used: its publication was dropped, and WAL that was written without it can't be decoded",
        drop);
}

static bool check_may_make(const struct pg_slot *s, const struct connector_config *config, struct fault *f)
{
    if (!config->slot.create) {
        bool has_snapshot = config->snapshot == CONNECTOR_SNAPSHOT_INITIAL;
        return fault_set(f, FAULT_CONFIG,
                         "slot %s does not exist and slot.create is false; %srun: SELECT "
                         "pg_create_logical_replication_slot('%s', 'pgoutput');",
                         config->slot.name,
                         has_snapshot
                             ? "set slot.create: true to have the rows that are there read too, or set "
                               "snapshot: never and "
                             : "",
                         config->slot.name);
    }
    if (s->slots_used >= s->slots_max) {
        return fault_set(
            f, FAULT_CONFIG,
            "all %d replication slots are taken; drop one that is unused (SELECT slot_name, active FROM "
            "pg_replication_slots;) or run: ALTER SYSTEM SET max_replication_slots = %d; and restart the "
            "PostgreSQL server",
            s->slots_max, s->slots_max + 10);
    }
    return true;
}

// A slot that was created by hand may be at any position: rows from before it were never published.
static bool refuse_unread(const struct connector_config *config, struct fault *f)
{
    return fault_set(
        f, FAULT_CONFIG,
        "slot %s exists already, and no state record does: it is not known whether the rows from before it "
        "were published (snapshot: initial). To read them%s run: SELECT pg_drop_replication_slot('%s'); "
        "millrace "
        "then creates the slot again. To continue at its position without them set snapshot: never",
        config->slot.name, config->slot.create ? "" : " set slot.create: true and", config->slot.name);
}

static bool refuse_lost(const struct pg_slot *s, const struct connector_config *config, struct fault *f)
{
    char why[128];
    char drop[160];
    (void)snprintf(why, sizeof(why), "was invalidated by the server (max_slot_wal_keep_size is %s)",
                   s->keep_size);
    (void)snprintf(drop, sizeof(drop), " run: SELECT pg_drop_replication_slot('%s'); and", config->slot.name);
    return refuse_changes_lost(f, config, why, drop);
}

// The record is written before each confirmation, so something else has moved the slot beyond it.
static bool refuse_moved(const struct pg_slot *s, const struct connector_config *config,
                         const struct source_state *known, struct fault *f)
{
    return fault_set(
        f, FAULT_CONFIG,
        "slot %s stands at %X/%X, beyond %X/%X, the last that may have been published: it was made again or "
        "advanced, and changes are lost. To read all rows again run: SELECT pg_drop_replication_slot('%s'); "
        "and remove the state record: echo 'connector/%s:' | kcat -P -b BROKER -t millrace.state -K : -Z (to "
        "continue without them: set snapshot: never, and remove only the record)",
        config->slot.name, (uint32_t)(s->confirmed_lsn >> 32), (uint32_t)s->confirmed_lsn,
        (uint32_t)(known->position >> 32), (uint32_t)known->position, config->slot.name, config->name);
}

static bool decide_existing(const struct pg_slot *s, const struct connector_config *config,
                            const struct source_state *known, enum pg_slot_plan *ret, struct fault *f)
{
    const char *name = config->slot.name;
    if (!s->is_ours) {
        return fault_set(
            f, FAULT_CONFIG,
            "slot %s exists but is not a logical pgoutput slot of this database; set slot.name to another "
            "name, or drop it: SELECT pg_drop_replication_slot('%s');",
            name, name);
    }
    if (s->is_lost) {
        return refuse_lost(s, config, f);
    }
    if (known->position != 0 && s->confirmed_lsn > known->position) {
        return refuse_moved(s, config, known, f);
    }
    if (!known->is_known && config->snapshot == CONNECTOR_SNAPSHOT_INITIAL) {
        return refuse_unread(config, f);
    }
    bool has_snapshot = config->snapshot == CONNECTOR_SNAPSHOT_INITIAL;
    *ret = known->is_snapshot_done || !has_snapshot ? PG_SLOT_USE : PG_SLOT_RESUME;
    return true;
}

bool pg_slot_decide(const struct pg_slot *s, const struct connector_config *config,
                    const struct source_state *known, const char *system, enum pg_slot_plan *ret,
                    struct fault *f)
{
    const struct source_state nothing = {0};
    bool is_record_of_slot = known->is_known && strcmp(known->slot, config->slot.name) == 0;
    const struct source_state *record = is_record_of_slot ? known : &nothing;
    bool had_slot = record->is_known && (record->is_snapshot_done || record->position != 0);
    if (had_slot && strcmp(record->system_identifier, system) != 0) {
        char why[128];
        (void)snprintf(why, sizeof(why), "belonged to another cluster (system identifier %s, now %s)",
                       record->system_identifier, system);
        return refuse_changes_lost(f, config, why, "");
    }
    if (s->exists) {
        return decide_existing(s, config, record, ret, f);
    }
    if (had_slot) {
        return refuse_changes_lost(f, config, "existed before and was dropped", "");
    }
    *ret = PG_SLOT_MAKE;
    return check_may_make(s, config, f);
}

// A line of the history file has the parent timeline, its switch point and the reason; comments begin with #.
static bool has_timeline(const char *history, uint32_t timeline)
{
    for (const char *line = history; *line != '\0';) {
        if (strtoul(line, NULL, 10) == timeline) {
            return true;
        }
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
    return false;
}

bool pg_slot_check_timeline(const struct connector_config *config, const struct source_state *known,
                            uint32_t timeline, const char *history, struct fault *f)
{
    bool is_older = timeline < known->timeline;
    if (!is_older && (history == NULL || has_timeline(history, known->timeline))) {
        return true;
    }
    return fault_set(
        f, FAULT_CONFIG,
        "the server's timeline %u does not come from timeline %u, which was read last: a backup was "
        "restored, "
        "or another server promoted, and changes may be lost. To read all rows again run: SELECT "
        "pg_drop_replication_slot('%s'); and remove the state record: echo 'connector/%s:' | kcat -P -b "
        "BROKER "
        "-t millrace.state -K : -Z (to continue without them: set snapshot: never, and remove only the "
        "record)",
        timeline, known->timeline, config->slot.name, config->name);
}

static uint32_t name_hash(const char *name)
{
    uint32_t hash = UINT32_C(2166136261);
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (uint8_t)*at) * UINT32_C(16777619);
    }
    return hash;
}

void pg_slot_lock(struct bytes *out, enum pg_slot_lock lock, const char *name)
{
    bytes_format(out, "SELECT pg_catalog.pg_try_advisory_lock(%d, %d)", (int)lock, (int32_t)name_hash(name));
}

void pg_slot_end_holder(struct bytes *out, enum pg_slot_lock lock, const char *name)
{
    bytes_format(
        out,
        "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
        " AND classid = %d AND objid = %u AND objsubid = 2 AND granted AND pid <> pg_backend_pid()",
        (int)lock, name_hash(name));
}

void pg_slot_create(struct bytes *out, const char *name, int server_version, bool has_snapshot)
{
    bytes_append_string(out, "CREATE_REPLICATION_SLOT ");
    pg_conn_quote_name(out, name);
    bytes_append_string(out, " LOGICAL pgoutput ");
    if (server_version >= 150000) {
        bytes_append_string(out, has_snapshot ? "(SNAPSHOT 'export')" : "(SNAPSHOT 'nothing')");
    } else {
        bytes_append_string(out, has_snapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT");
    }
}
