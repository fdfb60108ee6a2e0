#include "connectors/config/slot_options.h"

#include <ctype.h>

#include "core/base/memory.h"

enum { CONNECTOR_IDENTIFIER_MAX = 63 };  // PostgreSQL's NAMEDATALEN - 1

static bool check_slot(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    size_t length = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (value[length] != '\0' || length > CONNECTOR_IDENTIFIER_MAX) {
        return fault_set(f, FAULT_CONFIG, "a slot name must have 1 to 63 characters of a-z, 0-9 and _");
    }
    return true;
}

static bool check_publication(const struct config_file *file, const char *value, struct fault *f)
{
    (void)file;
    for (const char *c = value; *c != '\0'; c++) {
        if (iscntrl((unsigned char)*c)) {
            return fault_set(f, FAULT_CONFIG, "a publication name must not have control characters");
        }
    }
    if (strlen(value) > CONNECTOR_IDENTIFIER_MAX) {
        return fault_set(f, FAULT_CONFIG, "a publication name must have at most 63 bytes");
    }
    return true;
}

static const struct config_rules slot_rules = {.check = check_slot};
static const struct config_rules publication_rules = {.check = check_publication};

const struct config_option slot_options[] = {
    {.key = "name",
     .type = CONFIG_TEXT,
     .otherwise = "millrace_NAME",
     .offset = offsetof(struct connector_config, slot.name),
     .rules = &slot_rules,
     .doc = "The replication slot."},
    {.key = "publication",
     .type = CONFIG_TEXT,
     .otherwise = "millrace_NAME",
     .offset = offsetof(struct connector_config, slot.publication),
     .rules = &publication_rules,
     .doc = "The publication."},
    {.key = "create",
     .type = CONFIG_BOOL,
     .initial = "true",
     .offset = offsetof(struct connector_config, slot.create),
     .doc = "Make slot and publication when they are missing, and keep the publication's tables up to date; "
            "else say which SQL to run. A slot made by hand needs snapshot: never."},
    {.key = NULL},
};

static void default_name(const struct config_file *file, char **target)
{
    if (*target == NULL) {
        *target = connector_config_slot(file->name);
    }
}

static void check_lengths(const struct config_file *file, const struct connector_config *c)
{
    static const char inserts[] = "_inserts";  // ends the name of the second publication
    size_t room = CONNECTOR_IDENTIFIER_MAX - (sizeof(inserts) - 1);
    if (strlen(c->slot.name) > CONNECTOR_IDENTIFIER_MAX && config_is_sound(file, "slot.name")) {
        config_complain(file, "slot",
                        "slot: %s is longer than the 63 bytes of a PostgreSQL name; set slot.name",
                        c->slot.name);
    }
    if (strlen(c->slot.publication) > CONNECTOR_IDENTIFIER_MAX && config_is_sound(file, "slot.publication")) {
        config_complain(file, "slot",
                        "slot: %s is longer than the 63 bytes of a PostgreSQL name; set slot.publication",
                        c->slot.publication);
    } else if (strlen(c->slot.publication) > room && c->tables.publish_inserts_only.count > 0) {
        config_complain(
            file, "slot.publication",
            "publication: with publish_inserts_only it must have at most %zu bytes, to leave room for %s",
            room, inserts);
    }
}

void slot_options_finish(const struct config_file *file, struct connector_config *c)
{
    default_name(file, &c->slot.name);
    default_name(file, &c->slot.publication);
    check_lengths(file, c);
}
