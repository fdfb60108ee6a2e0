// What a local function says about its failure.
#ifndef BRIDGE_ENDPOINTS_PROCESS_ERROR_DOCUMENT_H
#define BRIDGE_ENDPOINTS_PROCESS_ERROR_DOCUMENT_H

#include "core/base/bytes.h"

/**
 * Appends "ValueError: no such order", from the document that runtime clients post:
 * {"errorType":"ValueError","errorMessage":"no such order","stackTrace":[…]}. A document that is not of this
 * form is appended as it is, its beginning at most.
 *
 * @param type  of the header, for a document that names none; NULL: none
 */
void error_document_describe(const char *type, struct slice document, struct bytes *out);

#endif
