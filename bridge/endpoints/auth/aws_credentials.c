#include "bridge/endpoints/auth/aws_credentials.h"

#include <openssl/rand.h>
#include <utlist.h>

#include "bridge/endpoints/auth/auth_waits.h"
#include "bridge/endpoints/aws/aws_fetch.h"
#include "bridge/endpoints/aws/aws_region.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/outage.h"
#include "core/base/text.h"

enum aws_state { AWS_IDLE, AWS_FETCHING, AWS_FAILED };

struct aws_credentials {
    struct aws_credentials *next;
    uv_loop_t *loop;
    size_t users;
    struct aws_config config;
    char *region;
    char *place;
    enum aws_state state;
    struct aws_fetch *fetch;  // FETCHING
    struct aws_keys keys;
    uint64_t number;  // of the keys; 0: there are none
    bool is_fixed;    // a renewal gives the same ones
    bool is_refused;  // they are renewed, and used until then by calls that they were not refused to
    int64_t renew_wall_us;
    int64_t retry_us;   // no renewal begins before
    int64_t forced_us;  // none because of a refusal before
    struct backoff backoff;
    struct fault last;  // FAILED: why
    struct outage outage;
    struct auth_waits waits;
};

/** Of this process: functions come and go on one thread. */
static struct aws_credentials *all;

static char *copy(const char *text)
{
    return text == NULL ? NULL : memory_string(text);
}

static bool is_for(const struct aws_credentials *c, const struct aws_config *config, const char *region,
                   const uv_loop_t *loop)
{
    return c->loop == loop && text_is_same(c->region, region) &&
           text_is_same(c->config.profile, config->profile) &&
           text_is_same(c->config.access_key_id, config->access_key_id) &&
           text_is_same(c->config.secret_access_key, config->secret_access_key) &&
           text_is_same(c->config.session_token, config->session_token);
}

static void end_waits(struct aws_credentials *c, const struct fault *f)
{
    c->users++;  // on_ready may end the last of them
    auth_waits_end(&c->waits, f);
    aws_credentials_close(c);
}

static void on_soon(struct auth_waits *waits)
{
    struct aws_credentials *c = CONTAINER_OF(waits, struct aws_credentials, waits);
    if (c->state == AWS_FAILED) {
        end_waits(c, &c->last);
    } else if (c->state == AWS_IDLE) {
        end_waits(c, NULL);  // a later call of the same turn got keys that need no request
    }
}

struct aws_credentials *aws_credentials_open(const struct aws_config *config, const char *region,
                                             uv_loop_t *loop)
{
    struct aws_credentials *c;
    LL_FOREACH (all, c) {
        if (is_for(c, config, region, loop)) {
            c->users++;
            return c;
        }
    }
    c = memory_zeroed(1, sizeof(*c));
    c->loop = loop;
    c->users = 1;
    c->region = memory_string(region);
    c->config = (struct aws_config){
        .profile = copy(config->profile),
        .access_key_id = copy(config->access_key_id),
        .secret_access_key = copy(config->secret_access_key),
        .session_token = copy(config->session_token),
    };
    c->place = memory_string("AWS's credential sources");
    c->backoff = backoff_make(AWS_RETRY_INITIAL_US, AWS_RETRY_MAX_US);
    c->retry_us = c->forced_us = INT64_MIN;
    auth_waits_init(&c->waits, loop, on_soon);
    LL_PREPEND(all, c);
    return c;
}

void aws_credentials_close(struct aws_credentials *c)
{
    if (c == NULL || --c->users > 0) {
        return;
    }
    LL_DELETE(all, c);
    aws_fetch_cancel(c->fetch);
    aws_keys_clear(&c->keys);
    free(c->config.profile);
    memory_free_secret(c->config.access_key_id);
    memory_free_secret(c->config.secret_access_key);
    memory_free_secret(c->config.session_token);
    free(c->region);
    free(c->place);
    auth_waits_close(&c->waits, c);
}

static bool has_valid_keys(const struct aws_credentials *c)
{
    return c->number > 0 && (c->keys.expires_wall_us == AWS_KEYS_FOR_EVER ||
                             clock_wall_us() < c->keys.expires_wall_us - AWS_EXPIRES_MARGIN_US);
}

/** When keys with this end are renewed: not all processes at the same moment, and not in the first half of a
 * short life. */
static int64_t renewal_of(int64_t expires_wall_us)
{
    if (expires_wall_us == AWS_KEYS_FOR_EVER) {
        return AWS_KEYS_FOR_EVER;
    }
    uint16_t random;
    INVARIANT(RAND_bytes((unsigned char *)&random, sizeof(random)) == 1);
    int64_t span_us = AWS_RENEW_EARLY_MAX_US - AWS_RENEW_EARLY_MIN_US;
    int64_t early_us = AWS_RENEW_EARLY_MIN_US + span_us / (UINT16_MAX + 1) * random;
    int64_t now_us = clock_wall_us();
    int64_t half_us = now_us + (expires_wall_us - now_us) / 2;
    int64_t at_us = expires_wall_us - early_us;
    return at_us > half_us ? at_us : half_us;
}

static void take_keys(struct aws_credentials *c, struct aws_keys *keys)
{
    aws_keys_clear(&c->keys);
    c->keys = *keys;
    *keys = (struct aws_keys){0};
    c->number++;
    c->is_refused = false;
    c->renew_wall_us = renewal_of(c->keys.expires_wall_us);
    c->state = AWS_IDLE;
    c->retry_us = INT64_MIN;
    backoff_reset(&c->backoff);
    log_debug("aws", "credentials_obtained", LOG_WITH(LOG_TEXT("from", c->place)),
              "credentials were obtained");
    int64_t lasted_us;
    if (outage_ended(&c->outage, &lasted_us)) {
        log_info("aws", "credentials_work",
                 LOG_WITH(LOG_TEXT("from", c->place), LOG_NUMBER("after_s", lasted_us / CLOCK_US_PER_S)),
                 "credentials can be had again");
    }
}

static void note_failure(struct aws_credentials *c, const struct fault *f)
{
    c->state = AWS_FAILED;
    c->retry_us = clock_boot_us() + backoff_next_us(&c->backoff);
    c->last = (struct fault){0};
    (void)fault_set(&c->last, FAULT_RETRY, "no AWS credentials: %.400s", f->text);
    if (outage_failed(&c->outage, c->last.text)) {
        log_warn("aws", "credentials_failed", LOG_WITH(LOG_TEXT("from", c->place)), "%s%s", c->last.text,
                 has_valid_keys(c) ? "; the old ones are still valid" : "");
    }
}

static void on_keys(void *self, struct aws_keys *keys, const struct fault *f)
{
    struct aws_credentials *c = self;
    c->fetch = NULL;
    if (f == NULL) {
        take_keys(c, keys);
    } else {
        note_failure(c, f);
    }
    end_waits(c, f == NULL ? NULL : &c->last);
}

/** Takes the plan over. */
static bool start_fetch(struct aws_credentials *c, struct aws_plan *plan, struct fault *f)
{
    CLEANUP(memory_free_secret_pointer) char *sts_url = NULL;
    if (!aws_region_endpoint(&c->config, "sts", c->region, &sts_url, f)) {
        return false;
    }
    const struct aws_fetch_params params = {
        .plan = plan,
        .region = c->region,
        .sts_url = sts_url,
        .on_keys = on_keys,
        .self = c,
    };
    return aws_fetch_start(c->loop, &params, &c->fetch, f);
}

/** Begins a renewal; keys that need no request are there at once. */
static void renew(struct aws_credentials *c)
{
    struct aws_plan plan CLEANUP(aws_plan_clear) = {0};
    struct fault f;
    if (!aws_plan_make(&c->config, &plan, &f)) {
        note_failure(c, &f);
        return;
    }
    free(c->place);
    c->place = memory_string(plan.place);
    c->is_fixed = plan.is_fixed;
    if (plan.origin == AWS_ORIGIN_KEYS && plan.role_count == 0) {
        take_keys(c, &plan.keys);
    } else if (start_fetch(c, &plan, &f)) {
        c->state = AWS_FETCHING;
    } else {
        note_failure(c, &f);
    }
}

enum auth_state aws_credentials_prepare(struct aws_credentials *c, struct auth_wait *wait)
{
    bool is_due = !has_valid_keys(c) || c->is_refused || clock_wall_us() >= c->renew_wall_us;
    if (is_due && c->state != AWS_FETCHING && clock_boot_us() >= c->retry_us) {
        renew(c);
    }
    if (has_valid_keys(c) && !(c->is_refused && c->number == wait->refused)) {
        return AUTH_READY;
    }
    auth_waits_add(&c->waits, wait);
    if (c->state != AWS_FETCHING) {
        if (c->state == AWS_IDLE) {
            (void)fault_set(&c->last, FAULT_RETRY, "no AWS credentials: those of %.200s have expired",
                            c->place);
            c->state = AWS_FAILED;
        }
        auth_waits_end_soon(&c->waits);
    }
    return AUTH_WAITS;
}

void aws_credentials_cancel(struct aws_credentials *c, struct auth_wait *wait)
{
    auth_waits_remove(&c->waits, wait);
}

const char *aws_credentials_place(const struct aws_credentials *c)
{
    return c->place;
}

const struct aws_keys *aws_credentials_keys(const struct aws_credentials *c, uint64_t *ret_number)
{
    *ret_number = c->number;
    return &c->keys;
}

bool aws_credentials_refuse(struct aws_credentials *c, uint64_t number)
{
    if (number != c->number || c->is_refused) {
        return true;  // they have been renewed since, or are being
    }
    int64_t now_us = clock_boot_us();
    if (c->is_fixed || now_us < c->forced_us) {
        return false;
    }
    c->forced_us = now_us + AWS_FORCED_MIN_US;
    c->is_refused = true;
    log_info("aws", "credentials_refused", LOG_WITH(LOG_TEXT("from", c->place)),
             "AWS refused the credentials; they are read again");
    return true;
}
