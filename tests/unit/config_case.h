// Reads one configuration text for a test: its struct and its complaints.
#ifndef TESTS_UNIT_CONFIG_CASE_H
#define TESTS_UNIT_CONFIG_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/config.h"

struct config_case {
    struct config_file file;
    struct complaints complaints;
    struct bytes text;  // the complaints
    bool is_good;
};

/** Reads from a heap block of exactly the text's size, so that a sanitizer detects a read past its end. */
static inline void config_case_read(struct config_case *c, const struct config_kind *kind, struct slice text,
                                    void *config)
{
    uint8_t *exact = memory_new(text.size);
    memcpy(exact, text.data, text.size);
    c->file.path = c->file.path == NULL ? "f.yaml" : c->file.path;
    c->file.name = c->file.name == NULL ? "order-email" : c->file.name;
    c->file.complaints = &c->complaints;
    memset(config, 0, kind->size);
    c->is_good = config_read(kind, &c->file, slice_make(exact, text.size), config);
    complaints_write(&c->complaints, "error", &c->text);
    free(exact);
}

static inline void config_case_clear(struct config_case *c)
{
    yaml_node_free(c->file.root);
    complaints_clear(&c->complaints);
    bytes_clear(&c->text);
    *c = (struct config_case){0};
}

/** Reads every truncation of the text without memory errors; only those that the caller lists may be valid.
 */
static inline void config_case_truncate(const struct config_kind *kind, const char *golden, void *config,
                                        void (*clear)(void *config))
{
    for (size_t size = 0; size <= strlen(golden); size++) {
        struct config_case c = {0};
        config_case_read(&c, kind, slice_make(golden, size), config);
        assert_int_equal(c.is_good, c.text.size == 0);
        clear(config);
        config_case_clear(&c);
    }
}

#endif
