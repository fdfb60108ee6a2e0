// The trace of a call as AWS's services pass it on: the header X-Amzn-Trace-Id.
#ifndef BRIDGE_ENDPOINTS_AWS_AWS_TRACE_H
#define BRIDGE_ENDPOINTS_AWS_AWS_TRACE_H

#include <stdbool.h>

enum { AWS_TRACE_ID_SIZE = 76 };  // with the NUL

/**
 * Writes the trace that the header lines (joined by CR LF; NULL: none) have as `traceparent`, as
 * `Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1`. False: they have none, or an
 * invalid one. Source: AWS X-Ray's documentation, "Tracing header" and "Sending trace data": the id of a W3C
 * trace is taken as it is.
 */
bool aws_trace_write(const char *header_lines, char ret[AWS_TRACE_ID_SIZE]);

#endif
