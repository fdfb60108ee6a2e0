// The schema of the orders in order_event.h.
#ifndef TESTS_UNIT_BRIDGE_FILTER_ORDER_SCHEMA_H
#define TESTS_UNIT_BRIDGE_FILTER_ORDER_SCHEMA_H

#define ORDER_ROW                                                                                            \
    "{\"type\":\"record\",\"name\":\"Value\",\"fields\":["                                                   \
    "{\"name\":\"id\",\"type\":\"long\"},"                                                                   \
    "{\"name\":\"status\",\"type\":[\"null\",\"string\"]},"                                                  \
    "{\"name\":\"total\",\"type\":[\"null\",{\"type\":\"bytes\",\"scale\":2,\"precision\":12,"               \
    "\"connect.name\":\"org.apache.kafka.connect.data.Decimal\",\"connect.parameters\":{\"scale\":\"2\"},"   \
    "\"logicalType\":\"decimal\"}]},"                                                                        \
    "{\"name\":\"any_number\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"VariableScaleDecimal\","    \
    "\"namespace\":\"io.debezium.data\",\"fields\":[{\"name\":\"scale\",\"type\":\"int\"},{\"name\":"        \
    "\"value\","                                                                                             \
    "\"type\":\"bytes\"}],\"connect.name\":\"io.debezium.data.VariableScaleDecimal\"}]},"                    \
    "{\"name\":\"paid\",\"type\":\"boolean\"},"                                                              \
    "{\"name\":\"ratio\",\"type\":[\"null\",\"double\"]},"                                                   \
    "{\"name\":\"weight\",\"type\":\"float\"},"                                                              \
    "{\"name\":\"day\",\"type\":[\"null\",{\"type\":\"int\",\"connect.name\":\"io.debezium.time.Date\"}]},"  \
    "{\"name\":\"at\",\"type\":[\"null\",{\"type\":\"long\",\"connect.name\":\"io.debezium.time."            \
    "MicroTime\"}]},"                                                                                        \
    "{\"name\":\"made\",\"type\":{\"type\":\"long\",\"connect.name\":\"io.debezium.time.MicroTimestamp\"}}," \
    "{\"name\":\"raw\",\"type\":[\"null\",\"bytes\"]},"                                                      \
    "{\"name\":\"doc\",\"type\":[\"null\",{\"type\":\"string\",\"connect.name\":\"io.debezium.data.Json\"}]" \
    "},"                                                                                                     \
    "{\"name\":\"tags\",\"type\":[\"null\",{\"type\":\"array\",\"items\":[\"null\",\"string\"]}]},"          \
    "{\"name\":\"attributes\",\"type\":[\"null\",{\"type\":\"map\",\"values\":\"string\"}]},"                \
    "{\"name\":\"items\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Item\","     \
    "\"fields\":[{\"name\":\"sku\",\"type\":\"string\"},{\"name\":\"count\",\"type\":\"int\"}]}}}]}"

#define ORDER_SCHEMA                                                                                         \
    "{\"type\":\"record\",\"name\":\"Envelope\",\"namespace\":\"shop.public.orders\",\"fields\":["           \
    "{\"name\":\"before\",\"type\":[\"null\"," ORDER_ROW "]},"                                               \
    "{\"name\":\"after\",\"type\":[\"null\",\"Value\"]},"                                                    \
    "{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"Source\",\"namespace\":\"\",\"fields\":[" \
    "{\"name\":\"version\",\"type\":\"string\"},{\"name\":\"name\",\"type\":\"string\"},"                    \
    "{\"name\":\"ts_ms\",\"type\":\"long\"},{\"name\":\"snapshot\",\"type\":[\"null\",\"string\"]},"         \
    "{\"name\":\"schema\",\"type\":\"string\"},{\"name\":\"table\",\"type\":\"string\"},"                    \
    "{\"name\":\"txId\",\"type\":[\"null\",\"long\"]},{\"name\":\"lsn\",\"type\":[\"null\",\"long\"]}]}},"   \
    "{\"name\":\"op\",\"type\":\"string\"},{\"name\":\"ts_ms\",\"type\":[\"null\",\"long\"]}]}"

#endif
