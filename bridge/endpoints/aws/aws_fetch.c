#include "bridge/endpoints/aws/aws_fetch.h"

#include "bridge/endpoints/aws/aws_authorities.h"
#include "bridge/endpoints/aws/aws_process.h"
#include "bridge/endpoints/aws/aws_sts.h"
#include "bridge/endpoints/aws/sigv4.h"
#include "core/base/clock.h"
#include "core/config/config_value.h"
#include "core/http/http_client.h"
#include "core/http/http_head.h"

enum step {
    STEP_INSTANCE_TOKEN,
    STEP_INSTANCE_ROLE,
    STEP_INSTANCE_KEYS,
    STEP_CONTAINER,
    STEP_PROCESS,
    STEP_ROLE,
};

enum { BODY_MAX = 64 * 1024, STATUS_OK = 200, STATUS_NOT_FOUND = 404 };

// Source: IMDS answers within milliseconds; a packet that the hop limit stops is never answered.
#define INSTANCE_TIMEOUT_US (INT64_C(2) * 1000000)
#define CONTAINER_TIMEOUT_US (INT64_C(5) * 1000000)
#define STS_TIMEOUT_US (INT64_C(10) * 1000000)
#define PROCESS_TIMEOUT_MS (UINT64_C(60) * 1000)  // as in AWS's SDK for Go

struct aws_fetch {
    uv_loop_t *loop;
    struct aws_plan plan;
    char *region;
    char *sts_url;
    aws_on_keys on_keys;
    void *self;
    enum step step;
    size_t role;                  // STEP_ROLE: which one
    struct aws_process *process;  // STEP_PROCESS: it runs
    struct http_client *client;
    struct http_head *head;
    struct bytes lines;
    struct bytes body;
    struct bytes authorities;  // PEM of AWS_CA_BUNDLE
    char *token;               // of IMDSv2
    struct aws_keys keys;
    struct sigv4 *signer;
};

void aws_fetch_cancel(struct aws_fetch *x)
{
    if (x == NULL) {
        return;
    }
    aws_process_cancel(x->process);
    http_client_free(x->client);
    http_head_free(x->head);
    bytes_wipe(&x->lines);
    bytes_wipe(&x->body);
    bytes_clear(&x->authorities);
    memory_free_secret(x->token);
    aws_keys_clear(&x->keys);
    aws_plan_clear(&x->plan);
    sigv4_free(x->signer);
    free(x->region);
    memory_free_secret(x->sts_url);
    free(x);
}

static void finish(struct aws_fetch *x, const struct fault *f)
{
    struct aws_keys keys = x->keys;
    aws_on_keys on_keys = x->on_keys;
    void *self = x->self;
    x->keys = (struct aws_keys){0};
    if (f != NULL) {
        aws_keys_clear(&keys);
    }
    aws_fetch_cancel(x);
    on_keys(self, &keys, f);
    aws_keys_clear(&keys);
}

static void on_done(void *self, const struct http_response *r);

static bool open_head(struct aws_fetch *x, const char *method, const char *url, const char *content_type,
                      struct fault *f)
{
    const struct http_header headers[] = {{"Accept", "*/*", false}, {"Content-Type", content_type, false}};
    const struct http_head_params params = {
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = content_type == NULL ? 1 : 2,
    };
    http_head_free(x->head);
    x->head = NULL;
    return http_head_new(&params, &x->head, f);
}

static void send_request(struct aws_fetch *x, int64_t timeout_us)
{
    const struct http_request request = {
        .head = x->head,
        .header_lines = x->lines.size == 0 ? NULL : bytes_text(&x->lines),
        .body = bytes_slice(&x->body),
        .timeout_us = timeout_us,
        .response_max_bytes = BODY_MAX,
    };
    (void)http_client_send(x->client, &request, on_done, x);
}

static bool ask_instance(struct aws_fetch *x, const char *method, const char *path, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *url = memory_format("%s%s", x->plan.url, path);
    if (!open_head(x, method, url, NULL, f)) {
        return fault_context(f, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    }
    bytes_erase(&x->lines);
    bytes_erase(&x->body);
    if (x->token == NULL) {
        bytes_append_string(&x->lines, "x-aws-ec2-metadata-token-ttl-seconds: 21600");
    } else {
        bytes_format(&x->lines, "x-aws-ec2-metadata-token: %s", x->token);
    }
    send_request(x, INSTANCE_TIMEOUT_US);
    return true;
}

static bool ask_container(struct aws_fetch *x, struct fault *f)
{
    if (!open_head(x, "GET", x->plan.url, NULL, f)) {
        return fault_context(f, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    }
    if (x->plan.authorization != NULL) {
        bytes_format(&x->lines, "Authorization: %s", x->plan.authorization);
    }
    send_request(x, CONTAINER_TIMEOUT_US);
    return true;
}

/** Signed with the keys that there are. */
static void sign(struct aws_fetch *x)
{
    const struct sigv4_header headers[] = {
        {slice_of("host"), x->head->authority},
        {slice_of("content-type"), slice_of("application/x-www-form-urlencoded")},
    };
    const struct sigv4_keys keys = {x->keys.access_key_id, x->keys.secret_access_key, x->keys.session_token};
    const struct sigv4_request request = {
        .method = "POST",
        .target = slice_make(x->head->text.data + x->head->target_at, x->head->target_size),
        .headers = headers,
        .header_count = COUNT_OF(headers),
        .body = bytes_slice(&x->body),
        .wall_us = clock_wall_us(),
    };
    if (x->signer == NULL) {
        x->signer = sigv4_new(x->region, "sts");
    }
    sigv4_sign(x->signer, &keys, &request, &x->lines);
}

static const struct aws_role *role_of(const struct aws_fetch *x)
{
    bool is_identity = x->plan.origin == AWS_ORIGIN_WEB_IDENTITY;
    return is_identity && x->role == 0 ? &x->plan.identity : &x->plan.roles[x->role - (is_identity ? 1 : 0)];
}

static size_t role_count(const struct aws_fetch *x)
{
    return x->plan.role_count + (x->plan.origin == AWS_ORIGIN_WEB_IDENTITY ? 1 : 0);
}

static bool ask_sts(struct aws_fetch *x, struct fault *f)
{
    const struct aws_role *role = role_of(x);
    if (!open_head(x, "POST", x->sts_url, "application/x-www-form-urlencoded", f)) {
        return fault_context(f, "the URL of STS");
    }
    bytes_erase(&x->lines);
    bytes_erase(&x->body);
    if (!aws_sts_write(role, &x->body, f)) {
        return false;
    }
    if (role->token_file == NULL) {
        sign(x);
    }
    send_request(x, STS_TIMEOUT_US);
    return true;
}

static void on_process(void *self, struct slice output, const struct fault *f);

static bool start_process(struct aws_fetch *x, struct fault *f)
{
    const struct aws_process_params params = {
        .command = x->plan.command,
        .timeout_ms = PROCESS_TIMEOUT_MS,
        .on_done = on_process,
        .self = x,
    };
    return aws_process_start(x->loop, &params, &x->process, f) || fault_context(f, "%s", x->plan.place);
}

static bool begin(struct aws_fetch *x, struct fault *f)
{
    switch (x->step) {
    case STEP_INSTANCE_TOKEN:
        return ask_instance(x, "PUT", "/latest/api/token", f);
    case STEP_INSTANCE_ROLE:
        return ask_instance(x, "GET", "/latest/meta-data/iam/security-credentials/", f);
    case STEP_INSTANCE_KEYS:
        break;
    case STEP_CONTAINER:
        return ask_container(x, f);
    case STEP_PROCESS:
        return start_process(x, f);
    case STEP_ROLE:
        return ask_sts(x, f);
    }
    return false;
}

/** What is wrong with a response that has no keys. */
static bool refuse(const struct aws_fetch *x, const struct http_response *r, struct fault *f)
{
    static const char *const WHAT[] = {"the instance's metadata service",
                                       "the instance's metadata service",
                                       "the instance's metadata service",
                                       "the container's credentials endpoint",
                                       "",
                                       "STS"};
    CLEANUP(bytes_clear) struct bytes place = {0};
    config_value_redact_url(x->head->url, &place);
    if (r->transport.kind != FAULT_NONE) {
        const char *hint = x->step == STEP_INSTANCE_TOKEN && r->is_timeout
                               ? " (in a container the instance's hop limit must be at least 2)"
                               : "";
        return fault_set(f, FAULT_RETRY, "%s, %.120s: %.200s%s", WHAT[x->step], bytes_text(&place),
                         r->transport.text, hint);
    }
    if (x->step != STEP_ROLE) {
        return fault_set(
            f, FAULT_RETRY, "%s, %.120s, answered %d%s", WHAT[x->step], bytes_text(&place), r->status,
            x->step == STEP_INSTANCE_ROLE && r->status == STATUS_NOT_FOUND ? ": the instance has no role"
                                                                           : "");
    }
    struct slice code = aws_xml_text(r->body, "Code");
    struct slice message = aws_xml_text(r->body, "Message");
    return fault_set(f, FAULT_RETRY, "%s, %.120s, answered %d for the role %.100s%s%.*s%s%.*s", WHAT[x->step],
                     bytes_text(&place), r->status, role_of(x)->arn, code.size > 0 ? ": " : "",
                     code.size > 60 ? 60 : (int)code.size, (const char *)code.data,
                     message.size > 0 ? ": " : "", message.size > 160 ? 160 : (int)message.size,
                     (const char *)message.data);
}

/** A header's value or a segment of a path: the first line, visible characters. */
static char *take_line(struct slice body)
{
    size_t size = 0;
    while (size < body.size && body.data[size] > ' ' && body.data[size] < 0x7f) {
        size++;
    }
    return size == 0 ? NULL : slice_to_string(slice_make(body.data, size));
}

/** Goes on with the response. False: *f says why not. */
static bool advance(struct aws_fetch *x, const struct http_response *r, bool *ret_is_over, struct fault *f)
{
    if (r->transport.kind != FAULT_NONE || r->status != STATUS_OK) {
        return refuse(x, r, f);
    }
    CLEANUP(memory_free_pointer) char *role = NULL;
    CLEANUP(memory_free_pointer) char *path = NULL;
    switch (x->step) {
    case STEP_INSTANCE_TOKEN:
        x->token = take_line(r->body);
        x->step = STEP_INSTANCE_ROLE;
        return x->token == NULL ? refuse(x, r, f) : begin(x, f);
    case STEP_INSTANCE_ROLE:
        role = take_line(r->body);
        if (role == NULL) {
            return refuse(x, r, f);
        }
        path = memory_format("/latest/meta-data/iam/security-credentials/%s", role);
        x->step = STEP_INSTANCE_KEYS;
        return ask_instance(x, "GET", path, f);
    case STEP_INSTANCE_KEYS:
    case STEP_CONTAINER:
        if (!aws_keys_read_json(&x->keys, r->body, f)) {
            return fault_context(f, "%s", x->plan.place);
        }
        x->step = STEP_ROLE;
        break;
    case STEP_PROCESS:
        break;
    case STEP_ROLE:
        if (!aws_keys_read_xml(&x->keys, r->body, f)) {
            return fault_context(f, "STS");
        }
        x->role++;
        break;
    }
    *ret_is_over = x->role == role_count(x);
    return *ret_is_over || begin(x, f);
}

static void on_done(void *self, const struct http_response *r)
{
    struct aws_fetch *x = self;
    struct fault f;
    bool is_over = false;
    if (!advance(x, r, &is_over, &f)) {
        finish(x, &f);
    } else if (is_over) {
        finish(x, NULL);
    }
}

static void on_process(void *self, struct slice output, const struct fault *failure)
{
    struct aws_fetch *x = self;
    struct fault f;
    x->process = NULL;
    if (failure != NULL) {
        f = *failure;
    }
    if (failure != NULL || !aws_keys_read_process(&x->keys, output, &f)) {
        (void)fault_context(&f, "%s", x->plan.place);
        finish(x, &f);
        return;
    }
    x->step = STEP_ROLE;
    if (role_count(x) == 0) {
        finish(x, NULL);
    } else if (!begin(x, &f)) {
        finish(x, &f);
    }
}

bool aws_fetch_start(uv_loop_t *loop, const struct aws_fetch_params *params, struct aws_fetch **ret,
                     struct fault *f)
{
    static const enum step FIRST[] = {
        [AWS_ORIGIN_KEYS] = STEP_ROLE,           [AWS_ORIGIN_WEB_IDENTITY] = STEP_ROLE,
        [AWS_ORIGIN_CONTAINER] = STEP_CONTAINER, [AWS_ORIGIN_INSTANCE] = STEP_INSTANCE_TOKEN,
        [AWS_ORIGIN_PROCESS] = STEP_PROCESS,
    };
    struct aws_fetch *x = memory_zeroed(1, sizeof(*x));
    x->loop = loop;
    x->plan = *params->plan;
    x->keys = x->plan.keys;
    x->plan.keys = (struct aws_keys){0};
    *params->plan = (struct aws_plan){0};
    x->region = memory_string(params->region);
    x->sts_url = memory_string(params->sts_url);
    x->on_keys = params->on_keys;
    x->self = params->self;
    x->step = FIRST[x->plan.origin];
    x->lines.is_secret = x->body.is_secret = true;
    if (!aws_authorities_load(&x->authorities, f)) {
        aws_fetch_cancel(x);
        return false;
    }
    const struct http_client_params client = {
        .connections_max = 1,
        .version = HTTP_VERSION_1_1,
        .tls = {.ca = x->authorities.size == 0 ? NULL : bytes_text(&x->authorities)},
    };
    x->client = http_client_new(loop, &client);
    if (!begin(x, f)) {
        aws_fetch_cancel(x);
        return false;
    }
    *ret = x;
    return true;
}
