// bridge/filter/condition: each operator, what it matches and what it refuses.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/bridge/filter/filter_case.h"

struct verdict {
    const char *leaf;
    const char *value;
    bool is_match;
};

static void all_must_be(const struct verdict *verdicts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        leaf_must_be(verdicts[i].leaf, verdicts[i].value, verdicts[i].is_match);
    }
}

/** Leaves that are refused, each with the complaint about {"v":LEAF}. */
static void all_must_refuse(const char *const (*leaves)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(memory_free_pointer) char *pattern = memory_format("{\"v\":%s}", leaves[i][0]);
        filter_must_refuse(pattern, leaves[i][1]);
    }
}

static void literals_match_their_own_type_only(void **state)
{
    (void)state;
    static const struct verdict VERDICTS[] = {
        {"[\"a\"]", "\"a\"", true},
        {"[\"a\"]", "\"A\"", false},
        {"[\"a\"]", "\"ab\"", false},
        {"[\"\"]", "\"\"", true},
        {"[\"\"]", "null", false},
        {"[null]", "null", true},
        {"[null]", "\"null\"", false},
        {"[true]", "true", true},
        {"[true]", "\"true\"", false},
        {"[false]", "true", false},
        {"[false]", "false", true},
        {"[\"a\",\"b\"]", "\"b\"", true},
        {"[300]", "3e2", true},
        {"[300]", "300.0", true},
        {"[300]", "\"300\"", false},
        {"[\"300\"]", "300", false},
        {"[0]", "-0", true},
        {"[0]", "false", false},
        {"[\"\\u00e9\"]", "\"é\"", true},
        {"[\"a\"]", "{\"v\":\"a\"}", false},
        {"[1]", "[]", false},
        {"[12345678901234567890]", "12345678901234567890", true},
        {"[12345678901234567890]", "12345678901234567891", false},
        {"[{\"exactly\":\"a\"}]", "\"a\"", true},
        {"[{\"exactly\":\"a\"}]", "\"b\"", false},
    };
    all_must_be(VERDICTS, COUNT_OF(VERDICTS));
    static const char *const WRONG[][2] = {
        {"[]", "1:6: an empty array matches nothing"},
        {"\"a\"", "1:6: a field takes an array of what it may be, or an object of fields"},
        {"[[\"a\"]]", "1:7: takes a string, a number, true, false, null or an operator"},
        {"[{\"exactly\":1}]", "1:18: \"exactly\" takes a string"},
        {"[{}]", "1:7: an operator is missing"},
        {"[{\"prefix\":\"a\",\"suffix\":\"b\"}]", "1:21: only one operator in an object"},
        {"[{\"prefx\":\"a\"}]", "1:8: unknown operator \"prefx\"; did you mean \"prefix\"?"},
        {"[{\"zzzzzz\":\"a\"}]", "1:8: unknown operator \"zzzzzz\""},
    };
    all_must_refuse(WRONG, COUNT_OF(WRONG));
}

static void prefix_and_suffix_match_ends_of_strings(void **state)
{
    (void)state;
    static const struct verdict VERDICTS[] = {
        {"[{\"prefix\":\"ab\"}]", "\"abc\"", true},
        {"[{\"prefix\":\"ab\"}]", "\"ab\"", true},
        {"[{\"prefix\":\"ab\"}]", "\"a\"", false},
        {"[{\"prefix\":\"ab\"}]", "\"xab\"", false},
        {"[{\"prefix\":\"\"}]", "\"\"", true},
        {"[{\"prefix\":\"\"}]", "5", false},
        {"[{\"prefix\":\"5\"}]", "55", false},
        {"[{\"suffix\":\"bc\"}]", "\"abc\"", true},
        {"[{\"suffix\":\"bc\"}]", "\"bcd\"", false},
        {"[{\"suffix\":\"\"}]", "\"x\"", true},
        {"[{\"suffix\":\"bc\"}]", "\"c\"", false},
        {"[{\"suffix\":\"5\"}]", "null", false},
        {"[{\"prefix\":{\"equals-ignore-case\":\"aB\"}}]", "\"AbX\"", true},
        {"[{\"prefix\":{\"equals-ignore-case\":\"aB\"}}]", "\"xab\"", false},
        {"[{\"suffix\":{\"equals-ignore-case\":\"éX\"}}]", "\"aÉx\"", true},
        {"[{\"suffix\":{\"equals-ignore-case\":\"éX\"}}]", "\"Éxa\"", false},
    };
    all_must_be(VERDICTS, COUNT_OF(VERDICTS));
    static const char *const WRONG[][2] = {
        {"[{\"prefix\":1}]", "1:17: \"prefix\" takes a string or {\"equals-ignore-case\": string}"},
        {"[{\"prefix\":{\"prefix\":\"a\"}}]",
         "1:17: \"prefix\" takes a string or {\"equals-ignore-case\": string}"},
        {"[{\"prefix\":{\"equals-ignore-case\":1}}]",
         "1:17: \"prefix\" takes a string or {\"equals-ignore-case\": string}"},
        {"[{\"suffix\":[\"a\"]}]", "1:17: \"suffix\" takes a string or {\"equals-ignore-case\": string}"},
        {"[{\"suffix\":null}]", "1:17: \"suffix\" takes a string or {\"equals-ignore-case\": string}"},
    };
    all_must_refuse(WRONG, COUNT_OF(WRONG));
}

static void case_is_ignored_in_every_script(void **state)
{
    (void)state;
    static const struct verdict VERDICTS[] = {
        {"[{\"equals-ignore-case\":\"aBc\"}]", "\"AbC\"", true},
        {"[{\"equals-ignore-case\":\"aBc\"}]", "\"AbCd\"", false},
        {"[{\"equals-ignore-case\":\"aBc\"}]", "\"Ab\"", false},
        {"[{\"equals-ignore-case\":\"É\"}]", "\"é\"", true},
        {"[{\"equals-ignore-case\":\"жук\"}]", "\"ЖУК\"", true},
        {"[{\"equals-ignore-case\":\"k\"}]", "\"\\u212a\"", false},  // the Kelvin sign is neither k nor K
        {"[{\"equals-ignore-case\":\"ſ\"}]", "\"S\"", true},
        {"[{\"equals-ignore-case\":\"\"}]", "\"\"", true},
        {"[{\"equals-ignore-case\":\"true\"}]", "true", false},
    };
    all_must_be(VERDICTS, COUNT_OF(VERDICTS));
    static const char *const WRONG[][2] = {
        {"[{\"equals-ignore-case\":1}]", "1:29: \"equals-ignore-case\" takes a string"},
    };
    all_must_refuse(WRONG, COUNT_OF(WRONG));
}

static void wildcards_match_any_run(void **state)
{
    (void)state;
    static const struct verdict VERDICTS[] = {
        {"[{\"wildcard\":\"*\"}]", "\"\"", true},
        {"[{\"wildcard\":\"*\"}]", "5", false},
        {"[{\"wildcard\":\"a*\"}]", "\"a\"", true},
        {"[{\"wildcard\":\"a*c\"}]", "\"abcc\"", true},
        {"[{\"wildcard\":\"a*c\"}]", "\"abcd\"", false},
        {"[{\"wildcard\":\"*b*\"}]", "\"abc\"", true},
        {"[{\"wildcard\":\"*b*b*\"}]", "\"abc\"", false},
        {"[{\"wildcard\":\"ab*ba\"}]", "\"aba\"", false},
        {"[{\"wildcard\":\"a*b*c\"}]", "\"acbbc\"", true},
        {"[{\"wildcard\":\"abc\"}]", "\"abc\"", true},
        {"[{\"wildcard\":\"\"}]", "\"\"", true},
        {"[{\"wildcard\":\"\"}]", "\"a\"", false},
        {"[{\"wildcard\":\"a\\\\*\"}]", "\"a*\"", true},
        {"[{\"wildcard\":\"a\\\\*\"}]", "\"ab\"", false},
        {"[{\"wildcard\":\"\\\\\\\\*\"}]", "\"\\\\x\"", true},
        {"[{\"wildcard\":\"*\\\\**\"}]", "\"a*b\"", true},
        {"[{\"wildcard\":\"*é*\"}]", "\"caféx\"", true},
    };
    all_must_be(VERDICTS, COUNT_OF(VERDICTS));
    static const char *const WRONG[][2] = {
        {"[{\"wildcard\":\"a**b\"}]", "1:19: the wildcard has two \"*\" in a row"},
        {"[{\"wildcard\":\"\\\\n\"}]",
         "1:19: the wildcard has a \"\\\" before something else than \"*\" or \"\\\""},
        {"[{\"wildcard\":\"a\\\\\"}]",
         "1:19: the wildcard has a \"\\\" before something else than \"*\" or \"\\\""},
        {"[{\"wildcard\":1}]", "1:19: \"wildcard\" takes a string"},
    };
    all_must_refuse(WRONG, COUNT_OF(WRONG));
}

static void anything_but_wants_another_value(void **state)
{
    (void)state;
    static const struct verdict VERDICTS[] = {
        {"[{\"anything-but\":\"a\"}]", "\"b\"", true},
        {"[{\"anything-but\":\"a\"}]", "\"a\"", false},
        {"[{\"anything-but\":\"a\"}]", "5", true},
        {"[{\"anything-but\":\"a\"}]", "null", true},
        {"[{\"anything-but\":\"a\"}]", "{}", false},
        {"[{\"anything-but\":\"a\"}]", "[\"a\",\"b\"]", true},
        {"[{\"anything-but\":\"a\"}]", "[\"a\"]", false},
        {"[{\"anything-but\":5}]", "5.0", false},
        {"[{\"anything-but\":5}]", "\"5\"", true},
        {"[{\"anything-but\":[5,6]}]", "6", false},
        {"[{\"anything-but\":[5,6]}]", "7", true},
        {"[{\"anything-but\":[\"a\",\"b\"]}]", "\"b\"", false},
        {"[{\"anything-but\":\"10.0.0.1\"}]", "\"010.0.0.1\"", true},  // a string here, no address
        {"[{\"anything-but\":{\"prefix\":\"a\"}}]", "\"ab\"", false},
        {"[{\"anything-but\":{\"prefix\":[\"a\",\"b\"]}}]", "\"ca\"", true},
        {"[{\"anything-but\":{\"prefix\":\"a\"}}]", "5", true},
        {"[{\"anything-but\":{\"suffix\":\"a\"}}]", "\"ba\"", false},
        {"[{\"anything-but\":{\"suffix\":[\"a\",\"b\"]}}]", "\"ac\"", true},
        {"[{\"anything-but\":{\"equals-ignore-case\":\"aB\"}}]", "\"Ab\"", false},
        {"[{\"anything-but\":{\"equals-ignore-case\":[\"a\",\"b\"]}}]", "\"C\"", true},
        {"[{\"anything-but\":{\"wildcard\":\"*/a/*\"}}]", "\"x/a/y\"", false},
        {"[{\"anything-but\":{\"wildcard\":[\"*a\",\"b*\"]}}]", "\"cc\"", true},
    };
    all_must_be(VERDICTS, COUNT_OF(VERDICTS));
    filter_must_be("{\"v\":[{\"anything-but\":\"a\"}]}", "{}", false);
    static const char *const WRONG[][2] = {
        {"[{\"anything-but\":[]}]", "1:23: \"anything-but\" takes no empty array"},
        {"[{\"anything-but\":true}]", "1:23: \"anything-but\" takes strings or numbers"},
        {"[{\"anything-but\":null}]", "1:23: \"anything-but\" takes strings or numbers"},
        {"[{\"anything-but\":[\"a\",1]}]",
         "1:28: \"anything-but\" takes either strings or numbers, not both"},
        {"[{\"anything-but\":[[\"a\"]]}]", "1:24: \"anything-but\" takes strings or numbers"},
        {"[{\"anything-but\":[\"a\",null]}]", "1:28: \"anything-but\" takes strings or numbers"},
        {"[{\"anything-but\":{\"prefix\":\"\"}}]", "1:33: an empty prefix: no string would be left"},
        {"[{\"anything-but\":{\"suffix\":[\"a\",\"\"]}}]", "1:38: an empty suffix: no string would be left"},
        {"[{\"anything-but\":{\"prefix\":1}}]", "1:33: \"prefix\" within \"anything-but\" takes strings"},
        {"[{\"anything-but\":{\"prefix\":{\"equals-ignore-case\":\"a\"}}}]",
         "1:33: \"prefix\" within \"anything-but\" takes strings"},
        {"[{\"anything-but\":{\"equals-ignore-case\":[null]}}]",
         "1:46: \"equals-ignore-case\" within \"anything-but\" takes strings"},
        {"[{\"anything-but\":{\"equals-ignore-case\":[]}}]", "1:45: \"anything-but\" takes no empty array"},
        {"[{\"anything-but\":{\"wildcard\":\"**\"}}]", "1:35: the wildcard has two \"*\" in a row"},
        {"[{\"anything-but\":{\"numeric\":[\"=\",1]}}]",
         "1:23: \"anything-but\" takes one of \"prefix\", \"suffix\", \"equals-ignore-case\", \"wildcard\""},
        {"[{\"anything-but\":{}}]",
         "1:23: \"anything-but\" takes one of \"prefix\", \"suffix\", \"equals-ignore-case\", \"wildcard\""},
    };
    all_must_refuse(WRONG, COUNT_OF(WRONG));
}

static void numeric_compares_numbers_exactly(void **state)
{
    (void)state;
    static const struct verdict VERDICTS[] = {
        {"[{\"numeric\":[\"=\",5]}]", "5.00", true},
        {"[{\"numeric\":[\"=\",5]}]", "\"5\"", false},
        {"[{\"numeric\":[\"<\",5]}]", "4.9", true},
        {"[{\"numeric\":[\"<\",5]}]", "5", false},
        {"[{\"numeric\":[\"<=\",5]}]", "5", true},
        {"[{\"numeric\":[\">\",5]}]", "5", false},
        {"[{\"numeric\":[\">=\",5]}]", "5", true},
        {"[{\"numeric\":[\">=\",5]}]", "null", false},
        {"[{\"numeric\":[\">\",0,\"<=\",5]}]", "5", true},
        {"[{\"numeric\":[\">\",0,\"<=\",5]}]", "0", false},
        {"[{\"numeric\":[\">=\",0,\"<\",5]}]", "5", false},
        {"[{\"numeric\":[\">=\",-1e3,\"<\",5]}]", "-1000", true},
        {"[{\"numeric\":[\">\",9007199254740992]}]", "9007199254740993", true},
        {"[{\"numeric\":[\"=\",0.1]}]", "0.1000000000000000055511151231257827", false},
        {"[{\"numeric\":[\"<\",1e400]}]", "1e399", true},
    };
    all_must_be(VERDICTS, COUNT_OF(VERDICTS));
    static const char *const WRONG[][2] = {
        {"[{\"numeric\":5}]", "1:18: \"numeric\" takes an array of an operator and a number"},
        {"[{\"numeric\":[]}]", "1:18: \"numeric\" takes an array of an operator and a number"},
        {"[{\"numeric\":[\"=\",\"5\"]}]", "1:23: a comparison takes a number"},
        {"[{\"numeric\":[\"=\"]}]", "1:19: a comparison takes a number"},
        {"[{\"numeric\":[5]}]", "1:19: \"numeric\" begins with one of \"=\", \"<\", \"<=\", \">\", \">=\""},
        {"[{\"numeric\":[\"!=\",5]}]",
         "1:19: \"numeric\" begins with one of \"=\", \"<\", \"<=\", \">\", \">=\""},
        {"[{\"numeric\":[\"<\",5,\">\",0]}]",
         "1:25: too many terms: only a lower bound may be followed, by one upper bound"},
        {"[{\"numeric\":[\"=\",5,\"<\",9]}]",
         "1:25: too many terms: only a lower bound may be followed, by one upper bound"},
        {"[{\"numeric\":[\">\",5,\">\",9]}]", "1:25: the upper bound has \"<\" or \"<=\""},
        {"[{\"numeric\":[\">\",5,\"<\",5]}]", "1:25: the upper bound must be above the lower one"},
        {"[{\"numeric\":[\">=\",5,\"<=\",5]}]", "1:26: the upper bound must be above the lower one"},
        {"[{\"numeric\":[\">\",5,\"<\",4]}]", "1:25: the upper bound must be above the lower one"},
        {"[{\"numeric\":[\">\",5,\"<\"]}]", "1:25: a comparison takes a number"},
        {"[{\"numeric\":[\">\",1,\"<\",5,\"<\",6]}]",
         "1:25: too many terms: only a lower bound may be followed, by one upper bound"},
    };
    all_must_refuse(WRONG, COUNT_OF(WRONG));
}

static void exists_asks_for_a_value(void **state)
{
    (void)state;
    static const struct verdict VERDICTS[] = {
        {"[{\"exists\":true}]", "1", true},
        {"[{\"exists\":true}]", "null", true},
        {"[{\"exists\":true}]", "{\"a\":1}", false},
        {"[{\"exists\":true}]", "[]", false},
        {"[{\"exists\":true}]", "[1]", true},
        {"[{\"exists\":false}]", "1", false},
        {"[{\"exists\":false}]", "null", false},
        {"[{\"exists\":false}]", "{\"a\":1}", true},
        {"[{\"exists\":false}]", "[]", true},
        {"[{\"exists\":false}]", "[1]", false},
        {"[{\"exists\":false},\"a\"]", "\"a\"", true},
        {"[{\"exists\":false},\"a\"]", "\"b\"", false},
    };
    all_must_be(VERDICTS, COUNT_OF(VERDICTS));
    filter_must_be("{\"v\":[{\"exists\":false}]}", "{}", true);
    filter_must_be("{\"v\":[{\"exists\":true}]}", "{}", false);
    filter_must_be("{\"v\":[{\"exists\":false},\"a\"]}", "{}", true);
    static const char *const WRONG[][2] = {
        {"[{\"exists\":1}]", "1:17: \"exists\" takes true or false"},
        {"[{\"exists\":\"true\"}]", "1:17: \"exists\" takes true or false"},
    };
    all_must_refuse(WRONG, COUNT_OF(WRONG));
}

static void addresses_are_compared_as_addresses(void **state)
{
    (void)state;
    static const struct verdict VERDICTS[] = {
        {"[{\"cidr\":\"10.0.0.0/8\"}]", "\"10.255.1.2\"", true},
        {"[{\"cidr\":\"10.0.0.0/8\"}]", "\"11.0.0.0\"", false},
        {"[{\"cidr\":\"10.1.2.3/31\"}]", "\"10.1.2.2\"", true},
        {"[{\"cidr\":\"10.1.2.3/31\"}]", "\"10.1.2.4\"", false},
        {"[{\"cidr\":\"0.0.0.0/0\"}]", "\"255.255.255.255\"", true},
        {"[{\"cidr\":\"0.0.0.0/0\"}]", "\"::1\"", false},
        {"[{\"cidr\":\"0.0.0.0/0\"}]", "5", false},
        {"[{\"cidr\":\"10.0.0.0/8\"}]", "\"0a12:3456::1\"", false},
        {"[{\"cidr\":\"10.0.0.0/8\"}]", "\"::ffff:a00:1\"", true},  // IPv4 mapped to IPv6
        {"[{\"cidr\":\"10.0.0.0/8\"}]", "\"10.0.0.256\"", false},
        {"[{\"cidr\":\"10.0.0.0/8\"}]", "\"host\"", false},
        {"[{\"cidr\":\"2001:db8::/33\"}]", "\"2001:DB8:7fff::9\"", true},
        {"[{\"cidr\":\"2001:db8::/33\"}]", "\"2001:db8:8000::9\"", false},
        {"[\"10.0.0.1\"]", "\"10.0.0.1\"", true},
        {"[\"10.0.0.1\"]", "\"10.0.0.2\"", false},
        {"[\"10.0.0.1\"]", "\"::ffff:a00:1\"", true},
        {"[\"::1\"]", "\"0:0:0:0:0:0:0:1\"", true},
        {"[\"a:b\"]", "\"a:b\"", true},
        {"[\"1.2.3.400\"]", "\"1.2.3.400\"", true},
        {"[{\"exactly\":\"::1\"}]", "\"0:0:0:0:0:0:0:1\"", false},
    };
    all_must_be(VERDICTS, COUNT_OF(VERDICTS));
    static const char *const WRONG[][2] = {
        {"[{\"cidr\":1}]", "1:15: \"cidr\" takes a string"},
        {"[{\"cidr\":\"10.0.0.0\"}]", "1:15: the range must be ADDRESS/BITS"},
        {"[{\"cidr\":\"host/8\"}]", "1:15: the range has no IPv4 or IPv6 address before the \"/\""},
        {"[{\"cidr\":\"10.0.0.0/\"}]", "1:15: the range must have a number of bits behind the \"/\""},
        {"[{\"cidr\":\"10.0.0.0/x\"}]", "1:15: the range must have a number of bits behind the \"/\""},
        {"[{\"cidr\":\"10.0.0.0/-1\"}]", "1:15: the range must have a number of bits behind the \"/\""},
        {"[{\"cidr\":\"10.0.0.0/8/9\"}]", "1:15: the range must have a number of bits behind the \"/\""},
        {"[{\"cidr\":\"10.0.0.0/32\"}]", "1:15: the range must have fewer than 32 bits"},
        {"[{\"cidr\":\"::/128\"}]", "1:15: the range must have fewer than 128 bits"},
    };
    all_must_refuse(WRONG, COUNT_OF(WRONG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_match_their_own_type_only),
        cmocka_unit_test(prefix_and_suffix_match_ends_of_strings),
        cmocka_unit_test(case_is_ignored_in_every_script),
        cmocka_unit_test(wildcards_match_any_run),
        cmocka_unit_test(anything_but_wants_another_value),
        cmocka_unit_test(numeric_compares_numbers_exactly),
        cmocka_unit_test(exists_asks_for_a_value),
        cmocka_unit_test(addresses_are_compared_as_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
