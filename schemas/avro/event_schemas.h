// Schemas of records that do not depend on a table, as Debezium with Confluent's AvroConverter registers
// them: schemas/events/NAME.avsc, compiled in.
#ifndef SCHEMAS_AVRO_EVENT_SCHEMAS_H
#define SCHEMAS_AVRO_EVENT_SCHEMAS_H

/** The minified text of NAME.avsc; NULL: there is none. */
const char *event_schemas_text(const char *name);

#endif
