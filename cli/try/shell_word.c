#include "cli/try/shell_word.h"

#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:@%"

void shell_word_append(struct bytes *out, const char *text)
{
    if (*text != '\0' && text[strspn(text, PLAIN)] == '\0') {
        bytes_append_string(out, text);
        return;
    }
    bytes_append_byte(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            bytes_append_string(out, "'\\''");
        } else {
            bytes_append_byte(out, (uint8_t)*text);
        }
    }
    bytes_append_byte(out, '\'');
}
