// Each header: a head, the name with its NUL, the value. Heads are not aligned.
#include "connectors/kafka/record_headers.h"

#include "core/base/memory.h"

#define NULL_SIZE UINT32_MAX

struct head {
    uint32_t name_size;  // with its NUL
    uint32_t value_size;
};

void record_headers_add(struct bytes *out, const char *name, struct slice value)
{
    struct head head = {(uint32_t)strlen(name) + 1, value.data == NULL ? NULL_SIZE : (uint32_t)value.size};
    bytes_append(out, &head, sizeof(head));
    bytes_append(out, name, head.name_size);
    bytes_append_slice(out, value);
}

bool record_headers_next(struct slice *io_headers, const char **ret_name, struct slice *ret_value)
{
    struct head head;
    if (io_headers->size == 0) {
        return false;
    }
    INVARIANT(io_headers->size >= sizeof(head));
    memcpy(&head, io_headers->data, sizeof(head));
    size_t value_size = head.value_size == NULL_SIZE ? 0 : head.value_size;
    size_t size = sizeof(head) + head.name_size + value_size;
    INVARIANT(io_headers->size >= size);
    const uint8_t *name = io_headers->data + sizeof(head);
    *ret_name = (const char *)name;
    *ret_value = slice_make(head.value_size == NULL_SIZE ? NULL : name + head.name_size, value_size);
    *io_headers = slice_make(io_headers->data + size, io_headers->size - size);
    return true;
}
