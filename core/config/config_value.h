// Parses, checks and formats the values of options: numbers, durations, sizes, addresses, names.
#ifndef CORE_CONFIG_CONFIG_VALUE_H
#define CORE_CONFIG_CONFIG_VALUE_H

#include "core/config/config.h"

/** Parsers: on failure FAULT_CONFIG says what is wrong and what is allowed, and `ret` is untouched. */
bool config_value_integer(const char *text, int64_t *ret, struct fault *f) MUST_USE;
bool config_value_duration(const char *text, int64_t *ret_us, struct fault *f) MUST_USE;
bool config_value_size(const char *text, int64_t *ret_bytes, struct fault *f) MUST_USE;
bool config_value_bool(const char *text, bool *ret, struct fault *f) MUST_USE;

/** host:port or [::1]:port. */
bool config_value_address(const char *text, char **ret_host, int *ret_port, struct fault *f) MUST_USE;

/** Appends the words as `a, b or c`. */
void config_value_words(const struct config_choice *choices, struct bytes *out);

/** The word's value; the fault suggests the nearest word. */
bool config_value_choice(const struct config_choice *choices, const char *text, uint32_t *ret,
                         struct fault *f) MUST_USE;

/** Append the number in the largest unit that leaves no remainder: 60000000 is "1m". */
void config_value_write_duration(int64_t us, struct bytes *out);
void config_value_write_size(int64_t size, struct bytes *out);

/** Appends the text quoted and shortened, for a complaint. Not for secrets. */
void config_value_quote(const char *text, struct bytes *out);

/** Appends a URL without its secret parts: user, password, and the values of the query. */
void config_value_redact_url(const char *url, struct bytes *out);

/** Checks for config_rules.check. */
bool config_value_check_glob(const struct config_file *file, const char *value, struct fault *f);
bool config_value_check_url(const struct config_file *file, const char *value, struct fault *f);
bool config_value_check_topic(const struct config_file *file, const char *value, struct fault *f);
bool config_value_check_topic_glob(const struct config_file *file, const char *value, struct fault *f);

/** `[a-z0-9][a-z0-9-]{0,62}`: names of connectors and functions. */
bool config_value_is_name(const char *text);

#endif
