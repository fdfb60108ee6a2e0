// What column types become in Avro: the keys of types_options.
#ifndef CONNECTORS_CONFIG_TYPE_MODES_H
#define CONNECTORS_CONFIG_TYPE_MODES_H

enum type_mode_types { TYPE_MODE_DEBEZIUM, TYPE_MODE_NATIVE };
enum type_mode_decimal { TYPE_MODE_DECIMAL_PRECISE, TYPE_MODE_DECIMAL_DOUBLE, TYPE_MODE_DECIMAL_STRING };
enum type_mode_temporal { TYPE_MODE_TEMPORAL_DEBEZIUM, TYPE_MODE_TEMPORAL_CONNECT, TYPE_MODE_TEMPORAL_ISO };
enum type_mode_binary { TYPE_MODE_BINARY_BYTES, TYPE_MODE_BINARY_BASE64, TYPE_MODE_BINARY_HEX };
enum type_mode_interval { TYPE_MODE_INTERVAL_NUMERIC, TYPE_MODE_INTERVAL_STRING };
enum type_mode_hstore { TYPE_MODE_HSTORE_JSON, TYPE_MODE_HSTORE_MAP };
enum type_mode_unknown { TYPE_MODE_UNKNOWN_INCLUDE, TYPE_MODE_UNKNOWN_SKIP };

/** What an unchanged value that was not sent becomes. */
enum toast_mode { TOAST_MODE_DEBEZIUM, TOAST_MODE_TYPED, TOAST_MODE_COMPLETE };

/** What column types become. Zero-initialised: Debezium's defaults. */
struct type_modes {
    enum type_mode_types types;
    enum type_mode_decimal decimal;
    enum type_mode_temporal temporal;
    enum type_mode_binary binary;
    enum type_mode_interval interval;
    enum type_mode_hstore hstore;
    enum type_mode_unknown unknown;
};

#endif
