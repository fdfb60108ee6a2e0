// Header checks of the admin port, done before it reads a body.
#ifndef CORE_HTTP_ADMIN_GUARD_H
#define CORE_HTTP_ADMIN_GUARD_H

#include "core/base/text.h"

/**
 * Whether the Host header names this server: an IP address, localhost, a name without a dot (public names
 * have one), or one of `hosts`. This stops DNS rebinding: a web page that points its own name at our address
 * sends that name as Host.
 *
 * @param host   NULL when absent (HTTP/1.0 clients; browsers always send it): accepted
 * @param hosts  globs from admin.hosts; NULL for none
 */
bool admin_guard_host(const char *host, const struct text_list *hosts);

/** Whether the Origin header is absent (NULL) or that of this server: browsers send it for pages of other
 * sites. */
bool admin_guard_origin(const char *origin, const char *host);

/** Whether the Content-Type is a schema registry's: browsers send these to another site only after a CORS
 * preflight. */
bool admin_guard_content_type(const char *type);

#endif
