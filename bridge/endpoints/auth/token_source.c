#include "bridge/endpoints/auth/token_source.h"

#include <openssl/rand.h>
#include <utlist.h>

#include "bridge/endpoints/auth/auth_waits.h"
#include "bridge/endpoints/auth/oauth2_request.h"
#include "bridge/endpoints/auth/oauth2_response.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/outage.h"
#include "core/config/config_value.h"
#include "core/http/http_client.h"

enum token_state { TOKEN_IDLE, TOKEN_FETCHING, TOKEN_FAILED };

struct token_source {
    struct token_source *next;
    uv_loop_t *loop;
    size_t users;
    struct oauth2_config config;
    const struct http_policy *policy;
    char *place;  // the token endpoint, for logs and faults
    struct http_head *head;
    struct jws_key *key;  // of private_key_jwt; NULL: none
    enum token_state state;
    struct http_client *client;  // FETCHING: of this request alone, so that its buffers are freed
    struct bytes form;
    struct bytes lines;
    int64_t begun_us;
    struct oauth2_token token;
    uint64_t number;  // of the token; 0: there is none
    bool is_refused;  // by a function: it is renewed, and used until then by calls that it was not refused to
    int64_t renew_us;  // when it is to be renewed, and when it is no longer sent
    int64_t expires_us;
    int64_t retry_us;  // no request begins before
    struct backoff backoff;
    struct fault last;  // FAILED: why
    struct outage outage;
    struct auth_waits waits;
};

/** Of this process: functions come and go on one thread. */
static struct token_source *sources;

static const struct http_header HEADERS[] = {{"Content-Type", "application/x-www-form-urlencoded", false},
                                             {"Accept", "application/json", false}};

/** Frees all but the struct, which has the waits' timer. */
static void clear(struct token_source *s)
{
    http_client_free(s->client);
    http_head_free(s->head);
    jws_key_free(s->key);
    bytes_wipe(&s->form);
    bytes_wipe(&s->lines);
    bytes_wipe(&s->token.text);
    oauth2_config_clear(&s->config);
    free(s->place);
}

static bool init(struct token_source *s, const struct oauth2_config *config, struct fault *f)
{
    const struct http_head_params params = {
        .method = "POST",
        .url = config->token_url,
        .headers = HEADERS,
        .header_count = COUNT_OF(HEADERS),
    };
    if (!http_head_new(&params, &s->head, f)) {
        return fault_context(f, "oauth2.token_url");
    }
    if (config->assertion.key != NULL &&
        !jws_key_new(config->assertion.key, config->assertion.algorithm, &s->key, f)) {
        return fault_context(f, "oauth2.private_key_jwt");
    }
    CLEANUP(bytes_clear) struct bytes place = {0};
    config_value_redact_url(config->token_url, &place);
    s->place = memory_string(bytes_text(&place));
    s->config = oauth2_config_copy(config);
    s->form.is_secret = s->lines.is_secret = true;
    s->backoff = backoff_make(TOKEN_RETRY_INITIAL_US, TOKEN_RETRY_MAX_US);
    s->retry_us = INT64_MIN;
    return true;
}

static void on_fail_soon(struct auth_waits *waits)
{
    struct token_source *s = CONTAINER_OF(waits, struct token_source, waits);
    if (s->state == TOKEN_FAILED) {
        s->users++;
        auth_waits_end(&s->waits, &s->last);
        token_source_close(s);
    }
}

bool token_source_open(const struct oauth2_config *config, const struct http_policy *policy, uv_loop_t *loop,
                       struct token_source **ret, struct fault *f)
{
    struct token_source *s;
    LL_FOREACH (sources, s) {
        if (s->loop == loop && oauth2_config_is_same(&s->config, config)) {
            s->users++;
            *ret = s;
            return true;
        }
    }
    s = memory_zeroed(1, sizeof(*s));
    if (!init(s, config, f)) {
        clear(s);
        free(s);
        return false;
    }
    s->loop = loop;
    s->policy = policy;
    s->users = 1;
    auth_waits_init(&s->waits, loop, on_fail_soon);
    LL_PREPEND(sources, s);
    *ret = s;
    return true;
}

void token_source_close(struct token_source *s)
{
    if (s == NULL || --s->users > 0) {
        return;
    }
    LL_DELETE(sources, s);
    clear(s);
    auth_waits_close(&s->waits, s);
}

/** Between 75 and 85 hundredths, so that processes with the same token don't renew it together. */
static int64_t early_us(int64_t life_us)
{
    uint16_t random;
    INVARIANT(RAND_bytes((unsigned char *)&random, sizeof(random)) == 1);
    return life_us / 100 * 75 + life_us / 10 * random / (UINT16_MAX + 1);
}

static int64_t within(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/** A life counts from the moment of the request: a slow endpoint may have used some of it up. */
static void take_token(struct token_source *s)
{
    int64_t now_us = clock_boot_us();
    int64_t life_us = s->token.life_us < 0 ? TOKEN_LIFE_DEFAULT_US : s->token.life_us;
    life_us = within(life_us, TOKEN_LIFE_MIN_US, TOKEN_LIFE_MAX_US);
    int64_t margin_us = within(life_us / 10, TOKEN_MARGIN_MIN_US, TOKEN_MARGIN_MAX_US);
    int64_t least_us = now_us + TOKEN_USE_MIN_US;
    s->expires_us = s->begun_us + life_us - margin_us;
    s->expires_us = s->expires_us < least_us ? least_us : s->expires_us;
    s->renew_us = within(s->begun_us + early_us(life_us), least_us, s->expires_us);
    s->number++;
    s->is_refused = false;
    s->state = TOKEN_IDLE;
    s->retry_us = INT64_MIN;
    backoff_reset(&s->backoff);
    log_debug("oauth2", "token_obtained",
              LOG_WITH(LOG_TEXT("endpoint", s->place), LOG_NUMBER("life_s", life_us / CLOCK_US_PER_S)),
              "a token was obtained");
    int64_t lasted_us;
    if (outage_ended(&s->outage, &lasted_us)) {
        log_info("oauth2", "token_endpoint_works",
                 LOG_WITH(LOG_TEXT("endpoint", s->place), LOG_NUMBER("after_s", lasted_us / CLOCK_US_PER_S)),
                 "the token endpoint works again");
    }
}

static bool has_valid_token(const struct token_source *s)
{
    return s->number > 0 && clock_boot_us() < s->expires_us;
}

static void note_failure(struct token_source *s, const struct http_response *r, const struct fault *f)
{
    int64_t wait_us = backoff_next_us(&s->backoff);
    s->retry_us = clock_boot_us() +
                  (r->retry_after_us > wait_us ? within(r->retry_after_us, 0, TOKEN_FORCED_MAX_US) : wait_us);
    s->state = TOKEN_FAILED;
    s->last = (struct fault){0};
    (void)fault_set(&s->last, FAULT_RETRY, "no token from %.200s: %.240s", s->place, f->text);
    if (outage_failed(&s->outage, s->last.text)) {
        log_warn("oauth2", "token_failed", LOG_WITH(LOG_TEXT("endpoint", s->place)), "%s%s", s->last.text,
                 has_valid_token(s) ? "; the old token is still valid" : "");
    }
}

static void on_done(void *self, const struct http_response *r)
{
    struct token_source *s = self;
    struct fault f;
    s->users++;  // on_ready may end the last of them
    if (oauth2_response_read(r, &s->config, clock_wall_us(), &s->token, &f)) {
        take_token(s);
    } else {
        note_failure(s, r, &f);
    }
    http_client_free(s->client);
    s->client = NULL;
    bytes_erase(&s->form);
    bytes_erase(&s->lines);
    auth_waits_end(&s->waits, s->state == TOKEN_FAILED ? &s->last : NULL);
    token_source_close(s);
}

static void fetch(struct token_source *s)
{
    struct http_client_params params = oauth2_config_http_params(&s->config);
    params.policy = s->policy;
    s->state = TOKEN_FETCHING;
    s->begun_us = clock_boot_us();
    oauth2_request_write(&s->config, s->key, clock_wall_us(), &s->form, &s->lines);
    const char *lines = s->lines.size == 0 ? NULL : bytes_text(&s->lines);
    const struct http_request request = {
        .head = s->head,
        .header_lines = lines,
        .credentials = lines,
        .body = bytes_slice(&s->form),
        .timeout_us = s->config.timeout_us,
        .response_max_bytes = OAUTH2_BODY_MAX + 1,
        .wants_fields = true,
    };
    s->client = http_client_new(s->loop, &params);
    (void)http_client_send(s->client, &request, on_done, s);
}

enum auth_state token_source_prepare(struct token_source *s, struct auth_wait *wait)
{
    int64_t now_us = clock_boot_us();
    bool has_token = has_valid_token(s) && !(s->is_refused && s->number == wait->refused);
    bool is_due = !has_token || s->is_refused || now_us >= s->renew_us;
    if (is_due && s->state != TOKEN_FETCHING && now_us >= s->retry_us) {
        fetch(s);
    }
    if (has_token) {
        return AUTH_READY;
    }
    auth_waits_add(&s->waits, wait);
    if (s->state == TOKEN_FAILED) {
        auth_waits_end_soon(&s->waits);
    }
    return AUTH_WAITS;
}

void token_source_cancel(struct token_source *s, struct auth_wait *wait)
{
    auth_waits_remove(&s->waits, wait);
}

const char *token_source_place(const struct token_source *s)
{
    return s->place;
}

struct slice token_source_token(const struct token_source *s, uint64_t *ret_number)
{
    *ret_number = s->number;
    return bytes_slice(&s->token.text);
}

bool token_source_refuse(struct token_source *s, struct token_refusals *of, uint64_t number)
{
    if (number != s->number || s->is_refused) {
        return true;  // it has been renewed since, or is being
    }
    int64_t now_us = clock_boot_us();
    if (of->wait_us > 0 && now_us < of->next_us) {
        return false;
    }
    s->is_refused = true;
    of->wait_us = within(of->wait_us * 2, TOKEN_FORCED_MIN_US, TOKEN_FORCED_MAX_US);
    of->next_us = now_us + of->wait_us;
    log_info("oauth2", "token_refused", LOG_WITH(LOG_TEXT("endpoint", s->place)),
             "the function refused a token (401); it is renewed");
    return true;
}

void token_source_accept(const struct token_source *s, struct token_refusals *of, uint64_t number)
{
    if (number == s->number) {
        *of = (struct token_refusals){0};
    }
}
