// uthash with text_hash as its hash function: uthash's own ones cause warnings with some compilers.
#ifndef CORE_BASE_TABLE_H
#define CORE_BASE_TABLE_H

#include "core/base/text.h"

#define HASH_FUNCTION(key, size, hash) ((hash) = (unsigned)text_hash(slice_make((key), (size))))

#include <uthash.h>

#endif
