#include "cli/supervise/environment.h"
#include "core/config/settings_kind.h"

#include <fnmatch.h>
#include <unistd.h>

// Read by libc, OpenSSL and its engines, libcurl, libuv, libldap (of libpq), Kerberos and allocators;
// docs/operations.md lists them. None has a secret in it, except a proxy's password: a proxy is for whatever
// this process runs.
static const char *const EVERY_CHILD[] = {
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TZDIR",
    "TMPDIR",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "RES_OPTIONS",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "MALLOC_*",
    "SSL_CERT_*",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "KRB5*",
    "SASL_PATH",
    "SASL_CONF_PATH",
    "GSS_USE_PROXY",
    "GSSPROXY_*",
    "LDAP*",
    "PKCS11_*",
    "SOFTHSM2_CONF",
    "UV_THREADPOOL_SIZE",
    "GLIBC_TUNABLES",
    "*SAN_OPTIONS",
    "MILLRACE_CORE_DUMPS",
};

void environment_names(const struct config_set *set, const struct config_kind *kind, const char *name,
                       struct text_list *ret)
{
    for (size_t i = 0; i < set->variables_count; i++) {
        const struct config_variables *file = &set->variables[i];
        bool is_shared = file->kind == &settings_kind;
        bool is_own = file->kind == kind && (name == NULL || strcmp(file->name, name) == 0);
        for (size_t k = 0; (is_shared || is_own) && k < file->names.count; k++) {
            const char *variable = file->names.items[k];
            if (getenv(variable) != NULL && !text_list_has(ret, variable)) {
                text_list_add(ret, variable);
            }
        }
    }
}

static bool is_given(const struct text_list *names, const char *name, bool is_connector)
{
    for (size_t i = 0; i < COUNT_OF(EVERY_CHILD); i++) {
        if (fnmatch(EVERY_CHILD[i], name, 0) == 0) {
            return true;
        }
    }
    return (is_connector && strncmp(name, "PG", 2) == 0) || text_list_has(names, name);
}

char **environment_make(const struct text_list *names, bool is_connector)
{
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **made = memory_zeroed(count + 1, sizeof(*made));
    size_t given = 0;
    for (size_t i = 0; i < count; i++) {
        CLEANUP(memory_free_pointer)
        char *name = slice_to_string(slice_make(environ[i], strcspn(environ[i], "=")));
        if (is_given(names, name, is_connector)) {
            made[given++] = environ[i];
        }
    }
    return made;
}
