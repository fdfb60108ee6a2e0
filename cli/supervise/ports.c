#include "cli/supervise/ports.h"

#include "core/base/log.h"

bool ports_are_wanted(const struct settings *settings)
{
    return settings->admin.host != NULL || settings->registry.listen_host != NULL;
}

static bool open_admin(const struct ports_params *params, struct ports *ret, struct fault *f)
{
    const struct settings *settings = params->settings;
    const struct admin_params admin = {
        .loop = params->loop,
        .host = settings->admin.host,
        .port = settings->admin.port,
        .key = "admin.listen",
        .hosts = &settings->admin.hosts,
    };
    if (!admin_start(&admin, &ret->admin, f)) {
        return false;
    }
    health_serve(ret->admin, params->provider);
    registry_serve(params->registry, ret->admin, "/registry");
    log_info(params->component, "admin_listening",
             LOG_WITH(LOG_TEXT("host", admin.host), LOG_NUMBER("port", admin_port(ret->admin))),
             "admin port at http://%s:%d", admin.host, admin_port(ret->admin));
    return true;
}

static bool open_registry(const struct ports_params *params, struct ports *ret, struct fault *f)
{
    const struct settings *settings = params->settings;
    const struct admin_params admin = {
        .loop = params->loop,
        .host = settings->registry.listen_host,
        .port = settings->registry.listen_port,
        .key = "registry.listen",
        .hosts = &settings->admin.hosts,
    };
    if (!admin_start(&admin, &ret->registry, f)) {
        return false;
    }
    registry_serve(params->registry, ret->registry, "");
    log_info(params->component, "registry_listening",
             LOG_WITH(LOG_TEXT("host", admin.host), LOG_NUMBER("port", admin_port(ret->registry))),
             "registry at http://%s:%d", admin.host, admin_port(ret->registry));
    return true;
}

bool ports_open(const struct ports_params *params, struct ports *ret, struct fault *f)
{
    const struct settings *settings = params->settings;
    return (settings->admin.host == NULL || open_admin(params, ret, f)) &&
           (settings->registry.listen_host == NULL || open_registry(params, ret, f));
}

void ports_close(struct ports *p)
{
    admin_stop(p->registry);
    admin_stop(p->admin);
    *p = (struct ports){0};
}
