// A local function for the tests: asks the Runtime API for invocations and does as its name says.
#ifndef TESTS_COMPONENT_BRIDGE_ENDPOINTS_PROCESS_FUNCTION_CLIENT_H
#define TESTS_COMPONENT_BRIDGE_ENDPOINTS_PROCESS_FUNCTION_CLIENT_H

/**
 * The whole process. What it does with each invocation:
 *   echo        posts the body as the result
 *   error       posts an error document
 *   crash       ends with code 7
 *   silent      posts nothing
 *               or, when the body is the path of a file, once the file is there
 *   big         posts 7 MiB
 *   grow        starts processes that hold ever more memory
 *   other       posts a result for another id, then its own
 *   busy        computes for ever
 *   twice       posts its result twice
 *   as-told     does as the body says: echo, crash or silent; has three threads, each of which asks
 *   once        echo, and asks for nothing after the first
 *   ahead       echo, and asks for the next one, on another connection, before it posts the result
 *   hang-up     echo, after a first request for an invocation whose connection it closes at once
 * or when it starts:
 *   exit        ends with code 3
 *   idle        asks for nothing
 *   init-error  posts an error of its initialisation, and ends
 *   init-long   likewise, an error of 5 MiB
 *   deaf        echo, and ignores SIGTERM
 */
int function_client(const char *what);

#endif
