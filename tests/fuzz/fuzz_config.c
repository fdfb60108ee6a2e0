// Any bytes as each kind of configuration file: no crash, no leak, no endless work; false exactly with a
// complaint.
#include <stdint.h>

#include "bridge/config/function_config.h"
#include "connectors/config/connector_config.h"
#include "core/config/settings_kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_kind(const struct config_kind *kind, struct slice text, void *config)
{
    struct complaints complaints = {0};
    // Private, so that plain secrets go all the way.
    struct config_file file = {
        .path = "/nowhere/f.yaml", .name = "fuzz", .is_private = true, .complaints = &complaints};
    struct bytes out = {0};
    bool is_good = config_read(kind, &file, text, config);
    complaints_write(&complaints, "error", &out);
    INVARIANT(is_good == (out.size == 0));
    if (is_good) {
        config_show(kind, config, &out);
    }
    bytes_clear(&out);
    complaints_clear(&complaints);
    yaml_node_free(file.root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make(data, size);
    struct settings settings = {0};
    struct connector_config connector = {0};
    struct function_config function = {0};
    fuzz_kind(&settings_kind, text, &settings);
    fuzz_kind(&connector_config_kind, text, &connector);
    fuzz_kind(&function_config_kind, text, &function);
    settings_clear(&settings);
    connector_config_clear(&connector);
    function_config_clear(&function);
    return 0;
}
