// Rules between the files of a folder: what two connectors may not share, and topics that none of them
// writes.
#ifndef CLI_CONFIG_COMPARE_H
#define CLI_CONFIG_COMPARE_H

#include "bridge/config/function_config.h"
#include "connectors/config/connector_config.h"
#include "core/base/text.h"

/**
 * Complains in `file`, the second connector's, about what it shares with the first one.
 *
 * @param other  path of the first connector's file
 */
void config_compare_connectors(const char *other, const struct connector_config *a,
                               const struct config_file *file, const struct connector_config *b);

/**
 * Warns of each topic in the function's file that no connector and no reply of the folder can be written to.
 *
 * @param writers  globs over the topics that they write
 */
void config_compare_topics(const struct config_file *file, const struct text_list *writers,
                           struct complaints *warnings);

/** Warns of a function that reads its own replies. */
void config_compare_replies(const struct config_file *file, const struct function_config *c,
                            struct complaints *warnings);

/** Warns of a client certificate that has expired. */
void config_compare_certificate(const struct config_file *file, const struct function_config *c,
                                struct complaints *warnings);

/** Complains in the function's file about a limit that millrace.yaml does not have. */
void config_compare_limit(const struct config_file *file, const struct function_config *c,
                          const struct settings *settings);

/** Complains about URLs in the function's file that lead to an address which endpoint_policy refuses, as far
 * as that is visible without a look-up. */
void config_compare_policy(const struct config_file *file, const struct function_config *c,
                           const struct settings *settings);

#endif
