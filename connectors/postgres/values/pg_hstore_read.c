// The text form, from hstore_out: "key"=>"value", "key"=>NULL; \ escapes the next byte between the quotes.
// The binary form, from hstore_send: an int32 count and, for each pair, the key and the value, with an int32
// length in front of each (-1: NULL).
#include "connectors/postgres/values/pg_hstore_read.h"

#include "connectors/postgres/values/pg_write.h"
#include "core/base/cursor.h"

static bool take_text(struct slice data, size_t *at, struct pg_hstore_text *ret)
{
    *ret = (struct pg_hstore_text){0};
    if (data.size - *at >= 4 && memcmp(data.data + *at, "NULL", 4) == 0) {
        ret->is_null = true;
        *at += 4;
        return true;
    }
    if (*at >= data.size || data.data[*at] != '"') {
        return false;
    }
    size_t begin = ++*at;
    for (; *at < data.size && data.data[*at] != '"'; ++*at) {
        if (data.data[*at] == '\\') {
            ret->escapes++;
            ++*at;
        }
    }
    if (*at >= data.size) {
        return false;
    }
    ret->data = slice_make(data.data + begin, *at - begin);
    ++*at;
    return true;
}

static bool take_mark(struct slice data, size_t *at, const char *mark)
{
    if (data.size - *at < 2 || memcmp(data.data + *at, mark, 2) != 0) {
        return false;
    }
    *at += 2;
    return true;
}

static bool take_text_pair(struct slice data, size_t *at, struct pg_hstore_pair *ret)
{
    return (*at == 0 || take_mark(data, at, ", ")) && take_text(data, at, &ret->key) && !ret->key.is_null &&
           take_mark(data, at, "=>") && take_text(data, at, &ret->value);
}

static bool take_binary_pair(struct slice data, size_t *at, struct pg_hstore_pair *ret)
{
    struct cursor c = cursor_over(slice_make(data.data + *at, data.size - *at));
    *ret = (struct pg_hstore_pair){0};
    ret->key.data = cursor_take(&c, cursor_u32(&c));
    uint32_t size = cursor_u32(&c);
    ret->value.is_null = size == UINT32_MAX;
    if (!ret->value.is_null) {
        ret->value.data = cursor_take(&c, size);
    }
    *at = data.size - cursor_left(&c);
    return !c.is_short;
}

bool pg_hstore_take(const struct pg_hstore *h, size_t *at, struct pg_hstore_pair *ret)
{
    return h->is_binary ? take_binary_pair(h->data, at, ret) : take_text_pair(h->data, at, ret);
}

size_t pg_hstore_begin(const struct pg_hstore *h)
{
    return h->is_binary ? sizeof(uint32_t) : 0;
}

enum value_step pg_hstore_refuse(const struct pg_hstore *h, struct fault *f)
{
    return h->is_binary ? pg_write_refuse_binary("an hstore", h->data, f)
                        : pg_write_refuse("an hstore", h->data, f);
}

bool pg_hstore_count(const struct pg_hstore *h, size_t *ret)
{
    if (h->is_binary && h->data.size < sizeof(uint32_t)) {
        return false;
    }
    size_t count = 0;
    for (size_t at = pg_hstore_begin(h); at < h->data.size; count++) {
        struct pg_hstore_pair pair;
        if (!pg_hstore_take(h, &at, &pair)) {
            return false;
        }
    }
    *ret = count;
    struct cursor c = cursor_over(h->data);
    return !h->is_binary || cursor_u32(&c) == count;
}
