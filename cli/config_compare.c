#include "cli/config_compare.h"

#include "core/base/clock.h"
#include "core/base/glob_meet.h"
#include "core/config/config_value.h"
#include "core/http/http_head.h"
#include "core/http/http_policy.h"
#include "core/http/http_tls.h"

void config_compare_connectors(const char *other, const struct connector_config *a,
                               const struct config_file *file, const struct connector_config *b)
{
    if (a->topic_prefix != NULL && b->topic_prefix != NULL && strcmp(a->topic_prefix, b->topic_prefix) == 0) {
        config_complain(file, "topic_prefix",
                        "topic_prefix: %s has the same one, so both would use the same topics", other);
    }
    if (!connector_config_same_database(a, b) || a->slot.name == NULL || b->slot.name == NULL) {
        return;
    }
    if (strcmp(a->slot.name, b->slot.name) == 0) {
        config_complain(file, "slot.name", "name: %s uses the same slot of the same database", other);
    }
    if (strcmp(a->slot.publication, b->slot.publication) == 0) {
        config_complain(file, "slot.publication",
                        "publication: %s uses the same publication of the same database", other);
    }
}

/** Whether a file of the folder writes to this topic, or to one that this glob could match. */
static bool has_writer(const struct text_list *writers, const char *topic)
{
    if (topic[0] == '/' || strncmp(topic, "millrace.", strlen("millrace.")) == 0) {
        return true;  // a regular expression, which is not checked; a dead-letter topic
    }
    for (size_t i = 0; i < writers->count; i++) {
        if (glob_meet(topic, writers->items[i])) {
            return true;
        }
    }
    return false;
}

void config_compare_topics(const struct config_file *file, const struct text_list *writers,
                           struct complaints *warnings)
{
    const struct yaml_node *list = config_node(file, "source.topics");
    if (list == NULL || list->kind != YAML_LIST) {
        return;  // the file has an error there
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *topic = list->items[i];
        if (topic->kind == YAML_TEXT && !topic->is_bad && !has_writer(writers, topic->text)) {
            CLEANUP(bytes_clear) struct bytes quoted = {0};
            config_value_quote(topic->text, &quoted);
            complaints_add(warnings, file->path, topic->line, topic->column,
                           "topics: no connector of this folder writes to %s", bytes_text(&quoted));
        }
    }
}

void config_compare_replies(const struct config_file *file, const struct function_config *c,
                            struct complaints *warnings)
{
    const struct yaml_node *topic = config_node(file, "reply.topic");
    if (c->reply.topic != NULL && topic != NULL && text_list_glob_match(&c->source.topics, c->reply.topic)) {
        complaints_add(
            warnings, file->path, topic->line, topic->column,
            "topic: the function reads its own replies; each is answered again, until reply.max_hops "
            "ends it");
    }
}

void config_compare_certificate(const struct config_file *file, const struct function_config *c,
                                struct complaints *warnings)
{
    const struct yaml_node *node = config_node(file, "endpoint.http.tls.certificate");
    const char *certificate = c->http.tls.certificate.text;
    int64_t end_us;
    if (node == NULL || certificate == NULL || !http_tls_end_of(certificate, &end_us) ||
        end_us > clock_wall_us()) {
        return;
    }
    CLEANUP(bytes_clear) struct bytes end = {0};
    text_append_time(&end, end_us);
    complaints_add(warnings, file->path, node->line, node->column,
                   "certificate: it expired at %s; servers refuse it until the file has a new one",
                   bytes_text(&end));
}

void config_compare_limit(const struct config_file *file, const struct function_config *c,
                          const struct settings *settings)
{
    const char *name = c->delivery.limit;
    if (name == NULL || settings_limit(settings, name) != NULL) {
        return;
    }
    const char **words = memory_zeroed(settings->limits.count + 1, sizeof(*words));
    for (size_t i = 0; i < settings->limits.count; i++) {
        words[i] = settings->limits.items[i].name;
    }
    CLEANUP(bytes_clear) struct bytes quoted = {0};
    config_value_quote(name, &quoted);
    const char *near = text_nearest(name, words);
    config_complain(file, "delivery.limit", "limit: millrace.yaml has no limit %s%s%s%s", bytes_text(&quoted),
                    near == NULL ? "; name it there under limits" : "; did you mean \"",
                    near == NULL ? "" : near, near == NULL ? "" : "\"?");
    free(words);
}

static void check_url(const struct config_file *file, const char *path, const char *url,
                      const struct http_policy *policy)
{
    struct http_head *head = NULL;
    struct fault f;
    if (url == NULL || !http_head_new(&(struct http_head_params){.method = "GET", .url = url}, &head, &f)) {
        return;  // the file has an error there
    }
    if (!http_policy_permits_head(policy, head, &f)) {
        config_complain(file, path, "%s: %s", strrchr(path, '.') + 1, f.text);
    }
    http_head_free(head);
}

void config_compare_policy(const struct config_file *file, const struct function_config *c,
                           const struct settings *settings)
{
    const struct http_policy policy = http_policy_of(settings);
    CLEANUP(memory_free_pointer)
    char *origin = c->http.url == NULL ? NULL : template_config_origin(c->http.url);
    check_url(file, "endpoint.http.url", origin, &policy);
    check_url(file, "endpoint.lambda.url", c->lambda.url, &policy);
    check_url(file, "endpoint.http.proxy.url", c->http.proxy.url, &policy);
    check_url(file, "endpoint.http.auth.oauth2.token_url", c->http.auth.oauth2.token_url, &policy);
    check_url(file, "endpoint.http.auth.oauth2.proxy.url", c->http.auth.oauth2.proxy.url, &policy);
}
