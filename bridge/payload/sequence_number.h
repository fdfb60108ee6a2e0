// An event's place in the order of changes as a decimal number, for payload dynamodb-stream.
//
//   0000000001a2b3c4-00000007   ->  000000000000274400680000000007       commit LSN, index: 30 digits
//   shop.public.orders-3-15     ->  1 <hash of "shop.public.orders-3"> <offset>        40 digits
//
// Numbers of one form and equal length are in order as texts, too. Those of other producers' records are in
// order within their partition.
#ifndef BRIDGE_PAYLOAD_SEQUENCE_NUMBER_H
#define BRIDGE_PAYLOAD_SEQUENCE_NUMBER_H

#include "bridge/intake/record.h"

enum { SEQUENCE_NUMBER_DIGITS_MAX = 40 };

/** Writes the number of the event with this id, without a NUL, and returns its count of digits. */
size_t sequence_number_of(struct slice id, char *ret);

/** Whether a text has the form of such a number. */
bool sequence_number_is(struct slice text);

#endif
