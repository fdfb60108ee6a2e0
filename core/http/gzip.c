#include "core/http/gzip.h"

#include <zlib.h>

#include "core/base/memory.h"

enum { WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };  // 16: a gzip header, without a time

struct gzip {
    z_stream stream;
};

struct gzip *gzip_new(void)
{
    struct gzip *g = memory_zeroed(1, sizeof(*g));
    // Level 1: most of the gain for a fraction of the time.
    INVARIANT(deflateInit2(&g->stream, 1, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
    return g;
}

bool gzip_append(struct gzip *g, struct slice body, struct bytes *out)
{
    if (body.size > UINT32_MAX) {
        return false;
    }
    INVARIANT(deflateReset(&g->stream) == Z_OK);
    g->stream.next_in = (Bytef *)(uintptr_t)body.data;
    g->stream.avail_in = (uInt)body.size;
    g->stream.next_out = bytes_reserve(out, body.size);
    g->stream.avail_out = (uInt)body.size;
    if (deflate(&g->stream, Z_FINISH) != Z_STREAM_END) {
        return false;
    }
    out->size += body.size - g->stream.avail_out;
    return true;
}

void gzip_free(struct gzip *g)
{
    if (g == NULL) {
        return;
    }
    (void)deflateEnd(&g->stream);
    free(g);
}
