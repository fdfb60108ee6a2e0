// Which requests the admin port refuses by their headers alone, before it reads a body.
#ifndef CORE_HTTP_ADMIN_GUARD_H
#define CORE_HTTP_ADMIN_GUARD_H

#include "core/base/text.h"

/**
 * Whether the Host header names this server. A web page that rebinds its own name to our address is refused
 * by that name: an IP address, localhost, a name without a dot (no public name has none) and the names of
 * `hosts` are right.
 *
 * @param host   NULL when absent, as with HTTP/1.0 clients, which no browser is
 * @param hosts  globs from admin.hosts; NULL for none
 */
bool admin_guard_host(const char *host, const struct text_list *hosts);

/** Whether the Origin header (NULL when absent) is that of the server itself: browsers send it for other
 * sites' pages. */
bool admin_guard_origin(const char *origin, const char *host);

/** Whether the Content-Type is a schema registry's: a page can't send these to another site without asking
 * first. */
bool admin_guard_content_type(const char *type);

#endif
