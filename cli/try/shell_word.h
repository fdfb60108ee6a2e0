// Words of a command that a person is told to type.
#ifndef CLI_TRY_SHELL_WORD_H
#define CLI_TRY_SHELL_WORD_H

#include "core/base/bytes.h"

/** Appends the text as one word of a shell: as it is, or in single quotes. */
void shell_word_append(struct bytes *out, const char *text);

#endif
