#include "cli/try/try_function.h"

#include <arpa/inet.h>
#include <jansson.h>

#include "core/http/mhd_loop.h"

enum { BODY_BYTES_MAX = 1 << 20 };

struct try_function {
    struct mhd_loop server;
    char *url;
    try_function_on_call on_call;
    void *self;
};

bool try_function_read_data(struct slice body, struct try_function_call *call, void **ret_json)
{
    json_t *data = json_loadb((const char *)body.data, body.size, 0, NULL);
    const char *op = "";
    json_t *row = json_object_get(data, "after");
    if (!json_is_object(row)) {
        row = json_object_get(data, "before");
    }
    json_int_t id = 0;
    json_int_t commit_us = 0;
    const char *table = NULL;
    if (json_unpack(data, "{s:s, s:{s:s, s:I}}", "op", &op, "source", "table", &table, "ts_us", &commit_us) !=
            0 ||
        json_unpack(row, "{s:I}", "id", &id) != 0 || op[0] == '\0') {
        json_decref(data);
        return false;
    }
    call->op = op[0];
    call->table = table;
    call->row_id = id;
    call->commit_wall_us = commit_us;
    *ret_json = data;
    return true;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    const char *value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return value == NULL ? "" : value;
}

static enum MHD_Result answer(struct try_function *fn, struct MHD_Connection *connection, struct slice body)
{
    struct try_function_call call = {
        .id = header(connection, "ce-id"),
        .op = '?',
        .table = "",
        .status = MHD_HTTP_BAD_REQUEST,
    };
    void *json = NULL;
    if (try_function_read_data(body, &call, &json)) {
        call.status = MHD_HTTP_OK;
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned int)call.status, response);
    MHD_destroy_response(response);
    fn->on_call(fn->self, &call);
    json_decref(json);
    return result;
}

// libmicrohttpd calls this for a new request, for each part of its body, and once without data to respond.
// NOLINTNEXTLINE(readability-function-size): libmicrohttpd's signature
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload_data,
                                  size_t *upload_data_size, void **request)
{
    (void)url;
    (void)method;
    (void)version;
    struct bytes *body = *request;
    if (body == NULL) {
        *request = memory_zeroed(1, sizeof *body);
        return MHD_YES;
    }
    if (*upload_data_size != 0) {
        if (body->size + *upload_data_size > BODY_BYTES_MAX) {
            return MHD_NO;
        }
        bytes_append(body, upload_data, *upload_data_size);
        *upload_data_size = 0;
        return MHD_YES;
    }
    return answer(self, connection, bytes_slice(body));
}

static void on_request_over(void *self, struct MHD_Connection *connection, void **request,
                            enum MHD_RequestTerminationCode code)
{
    (void)self;
    (void)connection;
    (void)code;
    struct bytes *body = *request;
    bytes_clear(body);
    free(body);
    *request = NULL;
}

static struct MHD_Daemon *start_daemon(struct try_function *fn)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return MHD_start_daemon(MHD_LOOP_FLAGS, 0, NULL, NULL, on_request, fn, MHD_OPTION_SOCK_ADDR, &address,
                            MHD_OPTION_NOTIFY_COMPLETED, on_request_over, NULL, MHD_OPTION_END);
}

bool try_function_start(uv_loop_t *loop, try_function_on_call on_call, void *self, struct try_function **ret,
                        struct fault *f)
{
    struct try_function *fn = memory_zeroed(1, sizeof *fn);
    fn->on_call = on_call;
    fn->self = self;
    struct MHD_Daemon *daemon = start_daemon(fn);
    if (daemon == NULL) {
        free(fn);
        return fault_set(f, FAULT_FATAL, "the sample function can't listen on a port of 127.0.0.1");
    }
    int port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    fn->url = memory_format("http://127.0.0.1:%d/shop", port);
    mhd_loop_start(&fn->server, loop, daemon);
    *ret = fn;
    return true;
}

const char *try_function_url(const struct try_function *fn)
{
    return fn->url;
}

static void on_closed(void *self)
{
    struct try_function *fn = self;
    free(fn->url);
    free(fn);
}

void try_function_stop(struct try_function *fn)
{
    if (fn != NULL) {
        mhd_loop_stop(&fn->server, on_closed, fn);
    }
}
