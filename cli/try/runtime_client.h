// Finds the runtime interface client that runs a handler of a language: awslambdaric for Python,
// aws-lambda-ric for Node.
#ifndef CLI_TRY_RUNTIME_CLIENT_H
#define CLI_TRY_RUNTIME_CLIENT_H

#include "cli/try/handler_user.h"
#include "core/base/text.h"

struct runtime_client_params {
    const char *folder;        // of the handler, absolute
    const char *folder_shown;  // as the user gave it, for what to type
    const char *handler;       // "app.handler"
    const struct handler_user *user;
};

/**
 * Tries the Pythons of .venv and venv in the handler's folder, of .venv in this process's, and of PATH.
 *
 * @param ret  the command is appended: PYTHON -m awslambdaric HANDLER
 * @param f    FAULT_CONFIG, with what to type: there is no Python, or none that can import awslambdaric
 */
bool runtime_client_python(const struct runtime_client_params *params, struct text_list *ret,
                           struct fault *f) MUST_USE;

/**
 * Looks for aws-lambda-ric in node_modules of the handler's folder and those above it, in the folders of
 * NODE_PATH, and in the global ones of node and npm.
 *
 * @param ret  the command is appended: NODE SCRIPT HANDLER
 * @param f    FAULT_CONFIG, with what to type: there is no node, or no client
 */
bool runtime_client_node(const struct runtime_client_params *params, struct text_list *ret,
                         struct fault *f) MUST_USE;

#endif
