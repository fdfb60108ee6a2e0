// A handler's source file: its language, and the name of the function in it that is to be called.
#ifndef CLI_TRY_HANDLER_SOURCE_H
#define CLI_TRY_HANDLER_SOURCE_H

#include "core/base/bytes.h"

enum handler_language {
    HANDLER_PYTHON,
    HANDLER_NODE,
    HANDLER_OTHER,  // a program of its own
};

/** By the end of the file's name: .py, .js, .mjs, .cjs. */
enum handler_language handler_language_of(const char *path);

/**
 * The name that the file most likely has its handler under: `lambda_handler` or `handler`, the first of them
 * that a line defines (Python) or exports (Node). Reads the text only, so a definition in a comment or string
 * counts. Static; NULL: neither.
 */
const char *handler_name_in(enum handler_language language, struct slice source);

#endif
