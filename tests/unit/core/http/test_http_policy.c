// core/http/http_policy: every range and notation, under each policy.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <stdio.h>
#include <uv.h>

#include "core/http/http_head.h"
#include "core/http/http_policy.h"

struct example {
    const char *address;
    bool is_private;  // permitted by `private`
    bool is_public;   // permitted by `public`
};

static const struct example EXAMPLES[] = {
    {"8.8.8.8", true, true},
    {"1.0.0.0", true, true},
    {"0.255.255.255", false, false},
    {"0.0.0.0", false, false},
    {"0.0.0.1", false, false},
    {"9.255.255.255", true, true},
    {"10.0.0.0", true, false},
    {"10.255.255.255", true, false},
    {"11.0.0.0", true, true},
    {"100.63.255.255", true, true},
    {"100.64.0.0", true, false},
    {"100.127.255.255", true, false},
    {"100.128.0.0", true, true},
    {"100.100.100.200", false, false},
    {"127.0.0.1", true, false},
    {"127.255.255.254", true, false},
    {"128.0.0.1", true, true},
    {"168.63.129.16", false, false},
    {"168.63.129.17", true, true},
    {"169.253.255.255", true, true},
    {"169.254.0.0", false, false},
    {"169.254.169.254", false, false},
    {"169.254.170.2", false, false},
    {"169.254.255.255", false, false},
    {"169.255.0.0", true, true},
    {"172.15.255.255", true, true},
    {"172.16.0.0", true, false},
    {"172.31.255.255", true, false},
    {"172.32.0.0", true, true},
    {"191.255.255.255", true, true},
    {"192.0.0.0", true, false},
    {"192.0.0.192", false, false},
    {"192.0.0.255", true, false},
    {"192.0.1.0", true, true},
    {"192.0.2.1", true, false},
    {"192.88.99.1", true, false},
    {"192.168.0.1", true, false},
    {"192.168.255.255", true, false},
    {"192.169.0.0", true, true},
    {"198.17.255.255", true, true},
    {"198.18.0.0", true, false},
    {"198.19.255.255", true, false},
    {"198.20.0.0", true, true},
    {"198.51.100.7", true, false},
    {"203.0.113.7", true, false},
    {"223.255.255.255", true, true},
    {"224.0.0.1", false, false},
    {"239.255.255.255", false, false},
    {"240.0.0.1", true, false},
    {"255.255.255.254", true, false},
    {"255.255.255.255", false, false},
    {"::", false, false},
    {"::1", true, false},
    {"2606:4700:4700::1111", true, true},
    {"2000::1", true, true},
    {"3ffe::1", true, true},
    {"3fff::1", true, false},
    {"4000::1", true, false},
    {"1fff::1", true, false},
    {"2001::1", true, false},
    {"2001:1ff:ffff::1", true, false},
    {"2001:200::1", true, true},
    {"2001:db8::1", true, false},
    {"2002:808:808::1", true, false},
    {"fc00::1", true, false},
    {"fd12:3456::1", true, false},
    {"fd00:ec2::254", false, false},
    {"fd00:ec2::23", false, false},
    {"fd20:ce::254", false, false},
    {"fe80::1", false, false},
    {"febf::1", false, false},
    {"fec0::1", true, false},
    {"ff02::1", false, false},
    // IPv4 inside.
    {"::ffff:8.8.8.8", true, false},
    {"::ffff:10.0.0.1", true, false},
    {"::ffff:127.0.0.1", true, false},
    {"::ffff:169.254.169.254", false, false},
    {"::ffff:0.0.0.0", false, false},
    {"::ffff:a9fe:a9fe", false, false},
    {"::8.8.8.8", true, false},
    {"::169.254.169.254", false, false},
    {"64:ff9b::8.8.8.8", true, false},
    {"64:ff9b::169.254.169.254", false, false},
    {"64:ff9b:1::10.0.0.1", true, false},
    {"64:ff9b:1::169.254.169.254", false, false},
    {"2002:a9fe:a9fe::1", false, false},
    {"2001:0:4136:e378:8000:63bf:5601:5601", false, false},  // Teredo of 169.254.169.254
};

static bool permits(const struct http_policy *policy, const char *host, const char *address, struct fault *f)
{
    struct sockaddr_storage at;
    bool is_v4 = uv_ip4_addr(address, 80, (struct sockaddr_in *)&at) == 0;
    assert_true(is_v4 || uv_ip6_addr(address, 80, (struct sockaddr_in6 *)&at) == 0);
    return http_policy_permits(policy, host, (const struct sockaddr *)&at, f);
}

static void every_range_is_judged(void **state)
{
    (void)state;
    const struct http_policy private = {.kind = HTTP_POLICY_PRIVATE};
    const struct http_policy public = {.kind = HTTP_POLICY_PUBLIC};
    const struct http_policy list = {.kind = HTTP_POLICY_LIST};
    for (size_t i = 0; i < COUNT_OF(EXAMPLES); i++) {
        const struct example *e = &EXAMPLES[i];
        struct fault f = {.text = "permitted"};
        if (permits(&private, "a.example", e->address, &f) != e->is_private) {
            fail_msg("private, %s: %s", e->address, f.text);
        }
        if (permits(&public, "a.example", e->address, &f) != e->is_public) {
            fail_msg("public, %s: %s", e->address, f.text);
        }
        assert_false(permits(&list, "a.example", e->address, &f));
        assert_int_equal(f.kind, FAULT_RETRY);
        assert_string_equal(f.origin, HTTP_POLICY_ORIGIN);
    }
}

static void a_range_permits_whatever_it_has(void **state)
{
    (void)state;
    char *items[] = {"10.1.0.0/16", "169.254.1.2", "fd00::/8", "[2001:db8::7]", "64:ff9b::/96"};
    const struct text_list allow = {items, COUNT_OF(items)};
    static const char *const PERMITTED[] = {"10.1.0.0",          "10.1.255.255",    "169.254.1.2",
                                            "fd00:ec2::254",     "::ffff:10.1.2.3", "2001:db8::7",
                                            "64:ff9b::a9fe:a9fe"};
    static const char *const REFUSED[] = {"10.0.255.255", "10.2.0.0",    "169.254.1.3",
                                          "fc00::1",      "2001:db8::8", "::ffff:169.254.1.3"};
    static const enum http_policy_kind KINDS[] = {HTTP_POLICY_PUBLIC, HTTP_POLICY_LIST};
    for (size_t k = 0; k < COUNT_OF(KINDS); k++) {
        const struct http_policy policy = {KINDS[k], &allow};
        struct fault f = {.text = "permitted"};
        for (size_t i = 0; i < COUNT_OF(PERMITTED); i++) {
            if (!permits(&policy, "a.example", PERMITTED[i], &f)) {
                fail_msg("%s", f.text);
            }
        }
        for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
            if (permits(&policy, "a.example", REFUSED[i], &f)) {
                fail_msg("%s is permitted", REFUSED[i]);
            }
        }
    }
}

static void a_name_permits_all_but_what_private_refuses(void **state)
{
    (void)state;
    char *items[] = {"*.svc.internal", "fn.example"};
    const struct text_list allow = {items, COUNT_OF(items)};
    const struct http_policy list = {HTTP_POLICY_LIST, &allow};
    const struct http_policy public = {HTTP_POLICY_PUBLIC, &allow};
    struct fault f;
    assert_true(permits(&list, "a.svc.internal", "10.0.0.1", &f));
    assert_true(permits(&public, "fn.example", "127.0.0.1", &f));
    assert_false(permits(&list, "svc.internal.example", "10.0.0.1", &f));
    assert_false(permits(&public, "other.example", "127.0.0.1", &f));
    assert_false(permits(&list, "a.svc.internal", "169.254.169.254", &f));
    assert_false(permits(&list, "a.svc.internal", "::ffff:169.254.169.254", &f));
}

static void a_refusal_says_which_address_why_and_what_to_do(void **state)
{
    (void)state;
    const struct http_policy private = {.kind = HTTP_POLICY_PRIVATE};
    struct fault f;
    assert_false(permits(&private, "metadata.example", "169.254.169.254", &f));
    assert_string_equal(f.text, "endpoint_policy private refuses metadata.example, which is 169.254.169.254: "
                                "a link-local address, where metadata services are; if it is meant, name it "
                                "in endpoint_allow in millrace.yaml");
}

/** A host in a URL that is an address, in the notations that resolvers take. */
static void notations_of_an_address_are_seen_without_a_look_up(void **state)
{
    (void)state;
    static const char *const REFUSED[] = {
        "http://169.254.169.254/",
        "http://0xa9fea9fe/",
        "http://2852039166/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://0xa9.254.0251.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/",
        "https://[fe80::1%25eth0]:8443/x",
        "http://0/",
        "http://[::]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://user:pass@169.254.169.254:80/",
    };
    static const char *const PERMITTED[] = {"http://10.0.0.1/", "http://localhost/",
                                            "http://fn.example/169.254.1.1"};
    const struct http_policy private = {.kind = HTTP_POLICY_PRIVATE};
    for (size_t i = 0; i < COUNT_OF(REFUSED) + COUNT_OF(PERMITTED); i++) {
        bool is_refused = i < COUNT_OF(REFUSED);
        const char *url = is_refused ? REFUSED[i] : PERMITTED[i - COUNT_OF(REFUSED)];
        struct http_head *head = NULL;
        struct fault f;
        if (!http_head_new(&(struct http_head_params){.method = "POST", .url = url}, &head, &f)) {
            fail_msg("%s: %s", url, f.text);
        }
        if (http_policy_permits_head(&private, head, &f) == is_refused) {
            fail_msg("%s (%s)", url, head->host);
        }
        http_head_free(head);
    }
}

static bool permits_url(const struct http_policy *policy, const char *url, struct fault *f)
{
    struct http_head *head = NULL;
    assert_true(http_head_new(&(struct http_head_params){.method = "POST", .url = url}, &head, f));
    bool is_permitted = http_policy_permits_head(policy, head, f);
    http_head_free(head);
    return is_permitted;
}

static void a_name_that_no_list_can_permit_is_seen_without_a_look_up(void **state)
{
    (void)state;
    char *names[] = {"*.svc.internal"};
    char *both[] = {"*.svc.internal", "10.0.0.0/8"};
    const struct text_list allow_names = {names, COUNT_OF(names)};
    const struct text_list allow_both = {both, COUNT_OF(both)};
    struct fault f;
    const struct http_policy list = {HTTP_POLICY_LIST, &allow_names};
    assert_true(permits_url(&list, "http://a.svc.internal/", &f));
    assert_false(permits_url(&list, "http://a.example/", &f));
    assert_string_equal(f.text, "endpoint_policy list refuses a.example: neither its name nor any range of "
                                "addresses is in endpoint_allow in millrace.yaml");
    const struct http_policy with_range = {HTTP_POLICY_LIST, &allow_both};
    assert_true(permits_url(&with_range, "http://a.example/", &f));
    const struct http_policy empty = {.kind = HTTP_POLICY_LIST};
    assert_false(permits_url(&empty, "http://a.example/", &f));
    const struct http_policy public = {HTTP_POLICY_PUBLIC, &allow_names};
    assert_true(permits_url(&public, "http://a.example/", &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_range_is_judged),
        cmocka_unit_test(a_range_permits_whatever_it_has),
        cmocka_unit_test(a_name_permits_all_but_what_private_refuses),
        cmocka_unit_test(a_refusal_says_which_address_why_and_what_to_do),
        cmocka_unit_test(notations_of_an_address_are_seen_without_a_look_up),
        cmocka_unit_test(a_name_that_no_list_can_permit_is_seen_without_a_look_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
