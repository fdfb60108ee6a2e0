// uthash for our tables: hashed by text_hash, since its own functions do not compile without warnings
// everywhere.
#ifndef CORE_BASE_TABLE_H
#define CORE_BASE_TABLE_H

#include "core/base/text.h"

#define HASH_FUNCTION(key, size, hash) ((hash) = (unsigned)text_hash(slice_make((key), (size))))

#include <uthash.h>

#endif
