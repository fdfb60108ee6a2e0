// Configuration files by tables of their options: the same table reads, checks, documents and shows a file.
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include "core/base/fault.h"
#include "core/config/yaml.h"

enum config_type {
    CONFIG_TEXT,      // char *
    CONFIG_SECRET,    // char *; {file: PATH}, {env: NAME}, or plain in a file only its owner may read
    CONFIG_BOOL,      // bool; with `choices`, these words (0 false, 1 true) instead of true and false
    CONFIG_INTEGER,   // int64_t
    CONFIG_DURATION,  // int64_t in microseconds, written 500ms 30s 5m 1h 7d
    CONFIG_SIZE,      // int64_t in bytes, written 1000 100B 512KiB 6MiB 1GiB
    CONFIG_CHOICE,    // an enum: one of `choices`
    CONFIG_FLAGS,     // uint32_t: a list of `choices`, or'ed
    CONFIG_LIST,      // struct text_list; `min` is the fewest items
    CONFIG_PAIRS,     // struct text_pairs; every value may be written as a secret
    CONFIG_ADDRESS,   // host:port into char * at `offset` and int at `port_offset`
    CONFIG_SECTION,   // the options of `section`
};

#define CONFIG_NO_TARGET SIZE_MAX  // the offset of an option that is checked and kept nowhere

struct config_choice {
    const char *word;  // NULL ends the list
    uint32_t value;
};

/** One file under reading, for the checks of values. */
struct config_file {
    const char *path;  // as the user gave it
    const char *name;  // NAME of connectors/NAME.yaml
    bool is_private;   // only its owner may read it: plain secrets are allowed
    struct complaints *complaints;
    struct yaml_node *root;  // NULL when the file is empty
};

enum config_verdict { CONFIG_GOOD, CONFIG_BAD_KEY, CONFIG_BAD_VALUE };

/** What only some options need; all may be NULL. Faults never quote a secret. */
struct config_rules {
    /** TEXT, SECRET, LIST (each item): FAULT_CONFIG when the value is wrong. */
    bool (*check)(const struct config_file *file, const char *value, struct fault *f);
    /** PAIRS: `value` is NULL when it could not be had. */
    enum config_verdict (*check_pair)(const char *key, const char *value, struct fault *f);
    /** PAIRS: whether the value under the key is a secret however it is written. */
    bool (*is_secret)(const char *key);
    /** PAIRS: whether the value may be shown; NULL: all that are no secrets. */
    bool (*is_shown)(const char *key);
    /** TEXT: appends the value without the secrets in it. */
    void (*redact)(const char *value, struct bytes *out);
};

struct config_option {
    const char *key;  // NULL ends the table
    enum config_type type;
    bool is_required;       // in a section: when the section is there or itself required
    size_t offset;          // in the struct of the whole file
    size_t port_offset;     // ADDRESS
    const char *initial;    // the default as a user would write it; LIST and FLAGS: separated by blanks
    const char *otherwise;  // how the reference words a default that is computed
    int64_t min;            // INTEGER, DURATION, SIZE: both limits when `max` is not 0
    int64_t max;
    const struct config_choice *choices;
    const struct config_option *section;
    const char
        *word;  // SECTION: a word that may stand instead, and means the same as no section; ADDRESS: none
    const struct config_rules *rules;
    const char *doc;  // one sentence for the reference and for editors
};

/** A kind of file. */
struct config_kind {
    const char *name;   // "connector"
    const char *place;  // "connectors/NAME.yaml"
    const char *doc;
    const char *example;  // a whole file that is right, for the reference
    const struct config_option *options;
    size_t size;  // of the struct
    /** Defaults that depend on others, and rules between options. */
    void (*finish)(const struct config_file *file, void *config);
};

/**
 * Reads the text of one file.
 *
 * @param file    path, name, is_private and complaints are filled by the caller, the rest here
 * @param config  a zeroed struct of kind->size; filled, with defaults for what is missing or wrong
 * @return        false when there was a complaint; the caller clears `config` and frees file->root in both
 * cases
 */
bool config_read(const struct config_kind *kind, struct config_file *file, struct slice text, void *config);

/** config_read of the file at file->path; sets is_private from its mode. */
bool config_read_file(const struct config_kind *kind, struct config_file *file, void *config);

/** The node at a path such as "delivery.batch.events", or the nearest section around it that is there; or
 * NULL. */
struct yaml_node *config_node(const struct config_file *file, const char *path);

/** Complains at a node's place and marks it. */
void config_complain_at(const struct config_file *file, struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Complains at the place of config_node(). */
void config_complain(const struct config_file *file, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** False when the value at the path was already complained about: what depends on it is not worth a word. */
bool config_is_sound(const struct config_file *file, const char *path);

/** Appends the Markdown reference of the kinds (NULL-ended), the JSON Schema of one or of all of them. */
void config_reference(const struct config_kind *const *kinds, struct bytes *out);
void config_schema(const struct config_kind *kind, struct bytes *out);
void config_schemas(const struct config_kind *const *kinds, struct bytes *out);

/** Appends the effective values as YAML, secrets as "***". */
void config_show(const struct config_kind *kind, const void *config, struct bytes *out);

#endif
