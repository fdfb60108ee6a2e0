// Configuration files described by option tables: the same table reads, checks, documents and shows a file.
#ifndef CORE_CONFIG_CONFIG_H
#define CORE_CONFIG_CONFIG_H

#include "core/base/fault.h"
#include "core/config/config_tree.h"
#include "core/config/yaml.h"

enum config_type {
    CONFIG_TEXT,      // char *
    CONFIG_SECRET,    // char *; {file: PATH}, {env: NAME}, or plain in a file that only its owner may read
    CONFIG_FILE,      // struct config_text: a file's path, and its content, which is not secret
    CONFIG_BOOL,      // bool; with `choices` their words (values 0 and 1) instead of false and true
    CONFIG_INTEGER,   // int64_t
    CONFIG_DURATION,  // int64_t in microseconds, written 500ms 30s 5m 1h 7d
    CONFIG_SIZE,      // int64_t in bytes, written 1000 100B 512KiB 6MiB 1GiB
    CONFIG_CHOICE,    // an enum: one of `choices`
    CONFIG_FLAGS,     // uint32_t: a list of `choices`, their values combined by or
    CONFIG_LIST,      // struct text_list; `min` is the fewest items
    CONFIG_PAIRS,     // struct text_pairs; each value may be written as a secret
    CONFIG_ADDRESS,   // host:port into char * at `offset` and int at `port_offset`
    CONFIG_TREE,      // struct config_tree: any YAML, which the owner of the option checks
    CONFIG_SECTION,   // the options of `section`
};

/** Of CONFIG_FILE. Zero-initialised is none; config_text_clear releases it. */
struct config_text {
    char *path;  // as in the configuration
    char *text;  // what was in the file when the configuration was read
};

void config_text_clear(struct config_text *t);

#define CONFIG_NO_TARGET SIZE_MAX  // the offset of an option that is checked but not stored

struct config_choice {
    const char *word;  // NULL ends the list
    uint32_t value;
};

/** A file that is being read. */
struct config_file {
    const char *path;  // as the user gave it
    const char *name;  // NAME of connectors/NAME.yaml
    bool is_private;   // only its owner may read it, so plain secrets are allowed
    struct complaints *complaints;
    struct text_list *variables;  // gets the names in {env: NAME}; NULL: not wanted
    struct yaml_node *root;       // NULL when the file is empty
};

enum config_verdict { CONFIG_GOOD, CONFIG_BAD_KEY, CONFIG_BAD_VALUE };

/** Callbacks of options, NULL: none. Faults never quote a secret. */
struct config_rules {
    /** TEXT, SECRET, FILE (its content), LIST (each item): FAULT_CONFIG when the value is wrong. */
    bool (*check)(const struct config_file *file, const char *value, struct fault *f);
    /** PAIRS: `value` is NULL when the secret could not be read. */
    enum config_verdict (*check_pair)(const char *key, const char *value, struct fault *f);
    /** PAIRS: whether the key's value is a secret even when it is written plainly. */
    bool (*is_secret)(const char *key);
    /** PAIRS: whether the key's value may be shown; NULL: all values except secrets. */
    bool (*is_shown)(const char *key);
    /** TEXT: appends the value without its secret parts. */
    void (*redact)(const char *value, struct bytes *out);
};

struct config_option {
    const char *key;  // NULL without a group ends the table
    enum config_type type;
    bool is_required;       // in a section: if the section is present or required
    size_t offset;          // in the struct of the whole file
    size_t port_offset;     // ADDRESS
    const char *initial;    // the default as a user would write it; LIST and FLAGS: separated by blanks
    const char *otherwise;  // the reference's text for a computed default
    int64_t min;            // INTEGER, DURATION, SIZE: limits, if `max` is not 0
    int64_t max;
    const struct config_choice *choices;
    const struct config_option *section;
    const struct config_option *group;  // without a key: these options stand here, in the section itself
    const char *word;                   // SECTION, ADDRESS: replaces it and means that there is none
    const struct config_rules *rules;
    const char *doc;  // one sentence for the reference and for editors
};

/** A walk over a section's options: those of a group come in its place. */
struct config_walk {
    const struct config_option *next;
    const struct config_option *outer;  // what follows the group whose options come now; NULL: no group
};

/** The next option; NULL: that was the last. Begin with {.next = options}. */
const struct config_option *config_walk_next(struct config_walk *w);

/** A kind of file. */
struct config_kind {
    const char *name;   // "connector"
    const char *place;  // "connectors/NAME.yaml"
    const char *doc;
    const char *example;  // a complete valid file, for the reference
    const struct config_option *options;
    const struct config_foreigner *foreigner;  // whose settings users bring along; NULL: none
    size_t size;                               // of the struct
    /** Sets defaults that depend on other options; checks rules between options. */
    void (*finish)(const struct config_file *file, void *config);
};

/**
 * Reads the text of one file.
 *
 * @param file    the caller fills in path, name, is_private and complaints
 * @param config  a zeroed struct of kind->size; missing and wrong values get their defaults
 * @return        false when there was a complaint; in both cases the caller clears `config` and frees
 *                file->root
 */
bool config_read(const struct config_kind *kind, struct config_file *file, struct slice text, void *config);

/** As config_read, for the file at file->path; sets is_private from its mode. */
bool config_read_file(const struct config_kind *kind, struct config_file *file, void *config);

/** Releases the values of the options in the struct and leaves them dangling; secrets are overwritten. */
void config_clear(const struct config_option *options, void *config);

/** The node at a path such as "retry.max", else the innermost existing section around it (find: NULL). */
struct yaml_node *config_node(const struct config_file *file, const char *path);
struct yaml_node *config_find(const struct config_file *file, const char *path);

/** Adds a complaint at the node's place and marks the node as bad. */
void config_complain_at(const struct config_file *file, struct yaml_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Adds a complaint at a place of the file, for instance inside a tree. */
void config_complain_place(const struct config_file *file, uint32_t line, uint32_t column, const char *format,
                           ...) __attribute__((format(printf, 4, 5)));

/** As config_complain_at, for the node that config_node returns. */
void config_complain(const struct config_file *file, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** False when the value at the path has a complaint already: checks that depend on it are pointless. */
bool config_is_sound(const struct config_file *file, const char *path);

/** Append the Markdown reference of the kinds (NULL-ended), the JSON Schema of one kind, or that of all. */
void config_reference(const struct config_kind *const *kinds, struct bytes *out);
void config_schema(const struct config_kind *kind, struct bytes *out);
void config_schemas(const struct config_kind *const *kinds, struct bytes *out);

/** Appends the effective values as YAML, secrets as "***". */
void config_show(const struct config_kind *kind, const void *config, struct bytes *out);

#endif
