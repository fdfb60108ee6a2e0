// The user's own function for `millrace try`: a handler file, or a command, that runs as a local process.
#ifndef CLI_TRY_TRY_HANDLER_H
#define CLI_TRY_TRY_HANDLER_H

#include "cli/try/handler_user.h"
#include "core/base/text.h"

/** Zero-initialised is none. */
struct try_handler {
    struct text_list command;
    char *handler;    // "app.handler"; NULL: the command knows
    char *directory;  // absolute
    struct handler_user user;
};

/**
 * Finds how to run it: FILE.py by awslambdaric, FILE.js, .mjs and .cjs by the Node runtime interface client,
 * an executable file as a bootstrap of its own; `command`, unless NULL, instead of these. Runs the candidates
 * for a moment. Call with signals blocked (try_process_block_signals).
 *
 * @param file     FILE or FILE:NAME; NULL: the command runs in the working directory
 * @param command  argv; NULL only with a file
 * @param f        FAULT_CONFIG, with what to type
 */
bool try_handler_find(const char *file, char *const *command, struct try_handler *ret,
                      struct fault *f) MUST_USE;

void try_handler_clear(struct try_handler *h);

/** Appends a function's members payload (NULL: its default) and endpoint, in YAML's flow style: `payload:
 * row, endpoint: {process: {…}}`. */
void try_handler_write(const struct try_handler *h, const char *payload, struct bytes *out);

#endif
