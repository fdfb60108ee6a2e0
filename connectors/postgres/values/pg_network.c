// The binary form of inet and cidr: family (2 IPv4, 3 IPv6), bits of the prefix, 1 for cidr, bytes of the
// address (4, 16), the address. The text has the prefix when it is not the whole address, cidr's always.
// macaddr is 6 bytes, macaddr8 is 8. Source: PostgreSQL, network.c and inet_net_ntop.c, whose IPv6 text is
// that of inet_ntop(3).
#include "connectors/postgres/values/pg_network.h"

#include <arpa/inet.h>

#include "connectors/postgres/values/pg_array.h"
#include "connectors/postgres/values/pg_write.h"

enum { FAMILY_IPV4 = 2, FAMILY_IPV6 = 3, HEAD = 4 };

static enum value_step write_inet(struct bytes *out, const struct value_type *t, struct slice data,
                                  struct fault *f)
{
    (void)t;
    const uint8_t *at = data.data;
    bool is_ipv4 = data.size == HEAD + 4 && at[0] == FAMILY_IPV4 && at[3] == 4;
    bool is_ipv6 = data.size == HEAD + 16 && at[0] == FAMILY_IPV6 && at[3] == 16;
    unsigned bits = is_ipv4 ? 32 : 128;
    char text[INET6_ADDRSTRLEN];
    if ((!is_ipv4 && !is_ipv6) || at[1] > bits || at[2] > 1 ||
        inet_ntop(is_ipv4 ? AF_INET : AF_INET6, at + HEAD, text, sizeof(text)) == NULL) {
        return pg_write_refuse_binary("a network address", data, f);
    }
    bytes_append_string(out, text);
    if (at[1] != bits || at[2] == 1) {
        bytes_format(out, "/%u", at[1]);
    }
    return VALUE_DONE;
}

static enum value_step write_macaddr(struct bytes *out, const struct value_type *t, struct slice data,
                                     struct fault *f)
{
    (void)t;
    if (data.size != 6 && data.size != 8) {
        return pg_write_refuse_binary("a MAC address", data, f);
    }
    for (size_t i = 0; i < data.size; i++) {
        bytes_format(out, i == 0 ? "%02x" : ":%02x", data.data[i]);
    }
    return VALUE_DONE;
}

const struct type_ops PG_NETWORK_INET = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_inet,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_PLACEHOLDER,
};
const struct type_ops PG_NETWORK_MACADDR = {
    .append_text = pg_write_text_string,
    .append_binary = pg_write_binary_string,
    .write_text = write_macaddr,
    .append_zero = pg_write_empty,
    .append_placeholder = pg_write_unchanged,
    .append_schema = pg_write_schema_string,
    .array = &PG_ARRAY_PLACEHOLDER,
};
