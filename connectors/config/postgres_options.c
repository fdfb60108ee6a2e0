#include "connectors/config/postgres_options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "connectors/config/dsn_parts.h"

static bool dsn_fault(const char *dsn, char *message, struct fault *f)
{
    // libpq quotes the part that it can't parse, which may be the password.
    bool is_quotable = strcasestr(dsn, "password") == NULL && strchr(dsn, '@') == NULL;
    (void)fault_set(f, FAULT_CONFIG, "%s",
                    message == NULL || !is_quotable ? "libpq can't read this connection string" : message);
    PQfreemem(message);
    return false;
}

static bool check_dsn(const struct config_file *file, const char *dsn, struct fault *f)
{
    char *message = NULL;
    CLEANUP(dsn_parts_free) PQconninfoOption *parts = PQconninfoParse(dsn, &message);
    if (parts == NULL) {
        return dsn_fault(dsn, message, f);
    }
    if (dsn_parts_get(parts, "replication") != NULL) {
        return fault_set(f, FAULT_CONFIG, "replication is set by millrace; take it out");
    }
    for (const PQconninfoOption *part = parts; part->keyword != NULL; part++) {
        if (part->val != NULL && dsn_parts_is_secret(part) && !file->is_private) {
            return fault_set(
                f, FAULT_CONFIG,
                "has a %s, in a file that others may read: write the key password beside dsn, as "
                "{file: PATH} or {env: NAME}, or chmod 600",
                part->keyword);
        }
    }
    return true;
}

static void redact_dsn(const char *dsn, struct bytes *out)
{
    CLEANUP(dsn_parts_free) PQconninfoOption *parts = PQconninfoParse(dsn, NULL);
    bool is_first = true;
    for (const PQconninfoOption *part = parts; part != NULL && part->keyword != NULL; part++) {
        if (part->val == NULL) {
            continue;
        }
        const char *value = dsn_parts_is_secret(part) ? "***" : part->val;
        bytes_format(out, "%s%s='", is_first ? "" : " ", part->keyword);
        for (; *value != '\0'; value++) {
            if (*value == '\'' || *value == '\\') {
                bytes_append_byte(out, '\\');
            }
            bytes_append_byte(out, (uint8_t)*value);
        }
        bytes_append_byte(out, '\'');
        is_first = false;
    }
}

static const struct config_rules dsn_rules = {.check = check_dsn, .redact = redact_dsn};

const struct config_option postgres_options[] = {
    {.key = "dsn",
     .type = CONFIG_TEXT,
     .is_required = true,
     .offset = offsetof(struct connector_config, postgres.dsn),
     .rules = &dsn_rules,
     .doc = "Connection string of the database, as libpq takes it: `host=db dbname=shop user=millrace` or "
            "`postgresql://millrace@db/shop`. A role with REPLICATION."},
    {.key = "password",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct connector_config, postgres.password),
     .doc = "Its password, unless ~/.pgpass or the server's rules make it unnecessary."},
    {.key = NULL},
};

// libpq reads them when it connects, and then retries for ever.
static void check_files(const struct config_file *file, const struct connector_config *c)
{
    static const char *const names[] = {"sslrootcert", "sslcert", "sslkey"};
    CLEANUP(dsn_parts_free) PQconninfoOption *parts = PQconninfoParse(c->postgres.dsn, NULL);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *path = dsn_parts_get(parts, names[i]);
        if (path != NULL && *path != '\0' && strcmp(path, "system") != 0 && access(path, R_OK) != 0) {
            config_complain(file, "postgres.dsn", "dsn: %s can't be read: %s: %s", names[i], path,
                            strerror(errno));
        }
    }
}

void postgres_options_finish(const struct config_file *file, struct connector_config *c)
{
    if (c->postgres.dsn != NULL && config_is_sound(file, "postgres.dsn")) {
        check_files(file, c);
    }
    if (c->postgres.dsn == NULL || c->postgres.password == NULL) {
        return;
    }
    CLEANUP(dsn_parts_free) PQconninfoOption *parts = PQconninfoParse(c->postgres.dsn, NULL);
    if (dsn_parts_get(parts, "password") != NULL) {
        config_complain(file, "postgres.password", "password: dsn has one too; keep one of them");
    }
}
