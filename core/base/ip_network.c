#include "core/base/ip_network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_v4(struct ip_bytes *address, const void *bytes)
{
    memcpy(address->bytes, MAPPED, sizeof(MAPPED));
    memcpy(address->bytes + sizeof(MAPPED), bytes, 4);
}

bool ip_bytes_of(const struct sockaddr *address, struct ip_bytes *ret)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        set_v4(ret, &v4.sin_addr);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        memcpy(ret->bytes, &v6.sin6_addr, sizeof(ret->bytes));
        return true;
    }
    return false;
}

bool ip_bytes_read(const char *text, struct ip_bytes *ret)
{
    uint8_t v4[4];
    char plain[IP_TEXT_MAX];
    size_t size = strlen(text);
    if (inet_pton(AF_INET, text, v4) == 1) {
        set_v4(ret, v4);
        return true;
    }
    if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
        text++;
        size -= 2;
    }
    if (size >= sizeof(plain)) {
        return false;
    }
    memcpy(plain, text, size);
    plain[size] = '\0';
    return inet_pton(AF_INET6, plain, ret->bytes) == 1;
}

bool ip_bytes_is_v4(const struct ip_bytes *address)
{
    return memcmp(address->bytes, MAPPED, sizeof(MAPPED)) == 0;
}

/** The number after the slash; -1: it is none. */
static int read_bits(const char *text, int max)
{
    int bits = 0;
    size_t count = 0;
    for (; text[count] >= '0' && text[count] <= '9' && count < 4; count++) {
        bits = bits * 10 + (text[count] - '0');
    }
    return count == 0 || text[count] != '\0' || bits > max ? -1 : bits;
}

static bool has_bits_behind(const struct ip_network *n)
{
    for (int bit = n->bits; bit < 128; bit++) {
        if ((n->address.bytes[bit / 8] & (0x80 >> bit % 8)) != 0) {
            return true;
        }
    }
    return false;
}

bool ip_network_read(const char *text, struct ip_network *ret, struct fault *f)
{
    const char *slash = strchr(text, '/');
    size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);
    char address[IP_TEXT_MAX + 2];
    struct ip_network n = {.bits = 128};
    if (size >= sizeof(address)) {
        return fault_set(f, FAULT_CONFIG, "\"%.60s\" is not an IP address or a range of them", text);
    }
    memcpy(address, text, size);
    address[size] = '\0';
    if (!ip_bytes_read(address, &n.address)) {
        return fault_set(f, FAULT_CONFIG,
                         "\"%.60s\" is not an IP address or a range of them such as 10.0.0.0/8", text);
    }
    bool is_v4 = strchr(address, ':') == NULL;
    int bits = slash == NULL ? (is_v4 ? 32 : 128) : read_bits(slash + 1, is_v4 ? 32 : 128);
    if (bits < 0) {
        return fault_set(f, FAULT_CONFIG, "\"%.60s\" must end in /0 to /%d", text, is_v4 ? 32 : 128);
    }
    n.bits = is_v4 ? 96 + bits : bits;
    if (has_bits_behind(&n)) {
        return fault_set(f, FAULT_CONFIG, "\"%.60s\" has bits set behind its prefix of %d bits", text, bits);
    }
    *ret = n;
    return true;
}

bool ip_network_has(const struct ip_network *network, const struct ip_bytes *address)
{
    size_t whole = (size_t)network->bits / 8;
    int rest = network->bits % 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0) {
        return false;
    }
    return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

void ip_bytes_write(const struct ip_bytes *address, char ret[IP_TEXT_MAX])
{
    bool is_v4 = ip_bytes_is_v4(address);
    const void *bytes = is_v4 ? address->bytes + sizeof(MAPPED) : address->bytes;
    if (inet_ntop(is_v4 ? AF_INET : AF_INET6, bytes, ret, IP_TEXT_MAX) == NULL) {
        ret[0] = '\0';
    }
}
