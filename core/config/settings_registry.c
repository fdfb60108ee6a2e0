#include "core/config/settings_registry.h"

#include "core/base/memory.h"
#include "core/config/config_value.h"

// Paths are appended to it.
static bool check_base_url(const struct config_file *file, const char *value, struct fault *f)
{
    if (!config_value_check_url(file, value, f)) {
        return false;
    }
    return strpbrk(value, "?#") == NULL ||
           fault_set(f, FAULT_CONFIG,
                     "a registry's address ends with its path, without ? and #; credentials belong in auth");
}

static const struct config_rules base_url_rules = {.check = check_base_url,
                                                   .redact = config_value_redact_url};
static const struct config_rules url_rules = {.check = config_value_check_url,
                                              .redact = config_value_redact_url};

static const struct config_option registry_auth[] = {
    {.key = "username",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct settings, registry.username),
     .doc = "Name for basic authentication."},
    {.key = "password",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct settings, registry.password),
     .doc = "Its password."},
    {.key = "token",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct settings, registry.token),
     .doc = "Bearer token, in place of name and password."},
    {.key = NULL},
};

static const struct config_option registry_tls[] = {
    {.key = "ca",
     .type = CONFIG_FILE,
     .otherwise = "the system's authorities",
     .offset = offsetof(struct settings, registry.ca),
     .doc = "Certificates of the authorities to trust (PEM)."},
    {.key = "certificate",
     .type = CONFIG_FILE,
     .offset = offsetof(struct settings, registry.certificate),
     .doc = "The client's certificate, then those between it and its authority (PEM)."},
    {.key = "key",
     .type = CONFIG_SECRET,
     .offset = offsetof(struct settings, registry.key),
     .doc = "Private key of the certificate (PEM, without a passphrase)."},
    {.key = NULL},
};

static const struct config_choice subject_names[] = {{"topic", SUBJECT_NAMES_TOPIC},
                                                     {"record", SUBJECT_NAMES_RECORD},
                                                     {"topic_record", SUBJECT_NAMES_TOPIC_RECORD},
                                                     {NULL, 0}};

const struct config_option settings_registry_options[] = {
    {.key = "url",
     .type = CONFIG_TEXT,
     .otherwise = "the embedded registry",
     .offset = offsetof(struct settings, registry.url),
     .rules = &base_url_rules,
     .doc = "Address of a registry with Confluent's REST API."},
    {.key = "urls",
     .type = CONFIG_LIST,
     .offset = offsetof(struct settings, registry.urls),
     .rules = &base_url_rules,
     .doc = "Further addresses of the same registry: when one does not respond, or responds with 5xx or 429, "
            "the next is asked."},
    {.key = "public_url",
     .type = CONFIG_TEXT,
     .otherwise = "`url`",
     .offset = offsetof(struct settings, registry.public_url),
     .rules = &url_rules,
     .doc = "Address under which functions reach the registry, the embedded one too "
            "(`https://millrace.example/registry`): the `dataschema` of events begins with it. Without any "
            "address events have no `dataschema`."},
    {.key = "auth",
     .type = CONFIG_SECTION,
     .section = registry_auth,
     .doc = "Credentials for the registry: username and password, or a token."},
    {.key = "tls",
     .type = CONFIG_SECTION,
     .section = registry_tls,
     .doc = "TLS for https:// addresses of the registry."},
    {.key = "subject_names",
     .type = CONFIG_CHOICE,
     .choices = subject_names,
     .initial = "topic",
     .offset = offsetof(struct settings, registry.subject_names),
     .doc = "Subjects of the connectors' schemas: topic (TOPIC-key, TOPIC-value), record (the record's full "
            "name) or topic_record (TOPIC-, then the record's full name), as Confluent's strategies."},
    {.key = "auto_register",
     .type = CONFIG_BOOL,
     .initial = "true",
     .offset = offsetof(struct settings, registry.auto_register),
     .doc = "Whether connectors register their schemas in the registry at `url`. Without it they look for "
            "them, and a table whose schema is not there stops."},
    {.key = "use_latest",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct settings, registry.use_latest),
     .doc =
         "Whether connectors take the id of the subject's newest version in the registry at `url`, which "
         "may differ from their own schema in documentation, defaults, aliases and other attributes only."},
    {.key = "normalize",
     .type = CONFIG_BOOL,
     .initial = "false",
     .offset = offsetof(struct settings, registry.normalize),
     .doc = "Whether the registry at `url` is asked to register and look for schemas in normal form."},
    {.key = "listen",
     .type = CONFIG_ADDRESS,
     .otherwise = "none",
     .offset = offsetof(struct settings, registry.listen_host),
     .port_offset = offsetof(struct settings, registry.listen_port),
     .doc =
         "Address on which the embedded registry serves its REST API at `/` for clients that must not reach "
         "the admin port, or that want a registry without a path; port 0 takes any free one. It has no "
         "authentication, and accepts the Host names of `admin.hosts`."},
    {.key = NULL},
};

static void check_auth(const struct config_file *file, const struct settings *s)
{
    bool has_name = s->registry.username != NULL;
    bool has_password = s->registry.password != NULL;
    bool has_token = s->registry.token != NULL;
    if (has_name != has_password || (has_token && has_name)) {
        config_complain(file, "registry.auth", "auth: set username and password, or token");
    }
    if ((s->registry.certificate.text != NULL) != (s->registry.key != NULL)) {
        config_complain(file, "registry.tls", "tls: certificate and key belong together");
    }
}

// A setting of the client that is not the default, which `config show` prints for the embedded registry, too.
static const char *client_setting(const struct settings *s)
{
    return !s->registry.auto_register ? "auto_register"
           : s->registry.use_latest   ? "use_latest"
           : s->registry.normalize    ? "normalize"
                                      : NULL;
}

void settings_registry_check(const struct config_file *file, const struct settings *s)
{
    const struct yaml_node *registry = yaml_get(file->root, "registry");
    if (registry == NULL || registry->kind != YAML_MAP || !config_is_sound(file, "registry")) {
        return;
    }
    static const char *const REMOTE[] = {"auth", "urls", "tls"};
    for (size_t i = 0; yaml_get(registry, "url") == NULL && i < COUNT_OF(REMOTE); i++) {
        if (yaml_get(registry, REMOTE[i]) != NULL) {
            CLEANUP(memory_free_pointer) char *key = memory_format("registry.%s", REMOTE[i]);
            config_complain(file, key, "%s: the embedded registry has no %s; set url, too", REMOTE[i],
                            i == 0 ? "credentials" : "such setting");
            return;
        }
    }
    const char *setting = client_setting(s);
    if (s->registry.url == NULL && setting != NULL) {
        CLEANUP(memory_free_pointer) char *key = memory_format("registry.%s", setting);
        config_complain(file, key, "%s: the embedded registry has no such setting; set url, too", setting);
        return;
    }
    bool has_own = yaml_get(registry, "listen") != NULL || yaml_get(registry, "public_url") != NULL ||
                   yaml_get(registry, "subject_names") != NULL;
    if (yaml_get(registry, "url") == NULL && !has_own) {
        config_complain(file, "registry",
                        "registry: set url, or listen or public_url for the embedded registry");
    }
    if (s->registry.url != NULL && s->registry.listen_host != NULL) {
        config_complain(
            file, "registry.listen",
            "listen: only the embedded registry is served; clients reach the one at url themselves");
    }
    check_auth(file, s);
}
