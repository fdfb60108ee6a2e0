// The templates of a function: those of its body, its URL and its headers, compiled when its file is read.
#ifndef BRIDGE_CONFIG_TEMPLATE_CONFIG_H
#define BRIDGE_CONFIG_TEMPLATE_CONFIG_H

#include "bridge/template/template.h"
#include "core/base/text.h"

/** A header whose value is a template. */
struct header_template {
    const char *name;  // lent by the configuration
    struct template *value;
};

/** Zero-initialised has none. */
struct template_config {
    char *content_type;
    char *body;                 // of payload template, as in the file; NULL: none
    struct template_refs refs;  // of all templates
    struct template *compiled;  // the body
    struct template *target;    // path and query of the URL; NULL: they are no template
    struct header_template *headers;
    size_t header_count;
};

/** Names or globs of columns. */
struct columns_config {
    struct text_list include;  // empty: all
    struct text_list exclude;
};

void template_config_clear(struct template_config *c);
void columns_config_clear(struct columns_config *c);

/** Whether a header's value is a template. One that is a secret never is. */
bool template_config_is_header(const struct text_pair *header);

/** What a URL is up to its path, with a `/`; the caller frees it. */
char *template_config_origin(const char *url);

#endif
