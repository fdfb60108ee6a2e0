// Numbers as DynamoDB has them: 38 significant digits, from 1E-130 to 9.99E+125.
// Source: Amazon DynamoDB Developer Guide, "Supported data types and naming rules".
#ifndef SCHEMAS_JSON_ATTRIBUTE_NUMBER_H
#define SCHEMAS_JSON_ATTRIBUTE_NUMBER_H

#include "core/base/bytes.h"

/**
 * Appends `{"N":"12.50"}`: plain digits, at most 38; 1 with 50 zeros is 1E+50, exactly. A number that
 * DynamoDB can't hold is a text, `{"S":"1e300"}`.
 *
 * @param text  a number as in JSON, with any count of digits
 */
void attribute_number_append(struct bytes *out, struct slice text);

#endif
