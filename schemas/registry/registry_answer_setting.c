// Configuration and modes.
#include "core/base/memory.h"
#include "schemas/avro/avro_parsed.h"
#include "schemas/registry/registry_answer.h"
#include "schemas/registry/schema_scope.h"

int registry_answer_config(struct bytes *out, const struct schema_index *index, struct registry_query *query)
{
    json_t *config CLEANUP(json_decrefp) = query->is_in_scope
                                               ? schema_scope_config(index, query->subject)
                                               : schema_scope_own_config(index, query->subject);
    if (config == NULL) {
        return registry_answer_error(out, REGISTRY_ERROR_NO_SUBJECT_CONFIG,
                                     "Subject '%s' does not have subject-level compatibility configured",
                                     query->subject);
    }
    avro_parsed_write_json(out, config);
    return 200;
}

int registry_answer_mode(struct bytes *out, const struct schema_index *index, struct registry_query *query)
{
    enum schema_mode mode = query->is_in_scope ? schema_scope_mode(index, query->subject)
                                               : schema_scope_own_mode(index, query->subject);
    if (mode == SCHEMA_MODE_NONE) {
        return registry_answer_error(out, REGISTRY_ERROR_NO_SUBJECT_MODE,
                                     "Subject '%s' does not have subject-level mode configured",
                                     query->subject);
    }
    bytes_format(out, "{\"mode\":\"%s\"}", schema_scope_mode_name(mode));
    return 200;
}
