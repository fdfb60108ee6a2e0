// bridge/payload/dynamodb_stream, sequence_number: AWS Lambda's event for DynamoDB Streams.
#include "payload_sample.h"

#include "bridge/payload/sequence_number.h"

static struct payload_options stream_options(enum function_images view)
{
    struct payload_options options = options_of(FUNCTION_PAYLOAD_DYNAMODB_STREAM);
    options.is_batch = true;
    options.view = view;
    return options;
}

#define HEAD(name)                                                                                           \
    "{\"Records\":[{\"eventID\":\"0000000000000010-00000001\",\"eventName\":\"" name                         \
    "\",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":\"local\","                  \
    "\"eventSourceARN\":\"arn:aws:dynamodb:local:000000000000:table/public.orders/stream/shop\","            \
    "\"dynamodb\":{\"ApproximateCreationDateTime\":1704164645,\"Keys\":{\"id\":{\"N\":\"7\"}}"
#define IMAGE(name) ",\"" name "\":{\"id\":{\"N\":\"7\"},\"note\":{\"S\":\"x\"}}"

static void check(char op, enum function_images view, const char *start, const char *view_name)
{
    struct sample s;
    struct payload p = {0};
    struct payload_options options = stream_options(view);
    sample_init(&s, op, "x");
    CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
    CLEANUP(memory_free_pointer)
    char *want = memory_format("%s,\"SequenceNumber\":\"000000000000000000160000000001\",\"SizeBytes\":%zu,"
                               "\"StreamViewType\":\"%s\"}}]}",
                               start, s.record.key.size + s.record.value.size, view_name);
    assert_string_equal(body, want);
    payload_clear(&p);
    sample_clear(&s);
}

static void a_change_has_the_images_that_its_view_wants(void **state)
{
    (void)state;
    static const enum function_images BOTH = FUNCTION_IMAGES_NEW_AND_OLD;
    check('c', BOTH, HEAD("INSERT") IMAGE("NewImage"), "NEW_AND_OLD_IMAGES");
    check('r', BOTH, HEAD("INSERT") IMAGE("NewImage"), "NEW_AND_OLD_IMAGES");
    check('u', BOTH, HEAD("MODIFY") IMAGE("NewImage"), "NEW_AND_OLD_IMAGES");
    check('d', BOTH, HEAD("REMOVE") IMAGE("OldImage"), "NEW_AND_OLD_IMAGES");
    check('c', FUNCTION_IMAGES_OLD, HEAD("INSERT"), "OLD_IMAGE");
    check('d', FUNCTION_IMAGES_OLD, HEAD("REMOVE") IMAGE("OldImage"), "OLD_IMAGE");
    check('u', FUNCTION_IMAGES_NEW, HEAD("MODIFY") IMAGE("NewImage"), "NEW_IMAGE");
    check('d', FUNCTION_IMAGES_NEW, HEAD("REMOVE"), "NEW_IMAGE");
    check('u', FUNCTION_IMAGES_NONE, HEAD("MODIFY"), "KEYS_ONLY");
}

static void a_key_may_be_absent_or_no_record(void **state)
{
    (void)state;
    static const char *const KEYS[] = {"\"Keys\":{},", "\"Keys\":{\"key\":{\"S\":\"k\\u0001\"}},",
                                       "\"Keys\":{\"key\":{\"S\":\"\\u0000\\u0000\\u0000\\u0000\\u0001\"}},"};
    struct sample s;
    struct payload p = {0};
    struct payload_options options = stream_options(FUNCTION_IMAGES_NONE);
    sample_init(&s, 'c', "x");
    const struct avro_type *type = s.record.key_type;
    for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
        s.record.has_key = i > 0;
        s.record.key = i == 1 ? slice_of("k\x01") : slice_make("\0\0\0\0\1", 5);
        s.record.key_type = i == 2 ? type : NULL;  // cut off behind its frame
        CLEANUP(memory_free_pointer) char *body = body_of(&p, &options, &s);
        assert_non_null(strstr(body, KEYS[i]));
    }
    payload_clear(&p);
    sample_clear(&s);
}

static void other_producers_json_is_an_insert(void **state)
{
    (void)state;
    struct fault f;
    struct payload p = {0};
    struct record r = {.topic = "t",
                       .id = slice_of("t-0-1"),
                       .value = slice_of(" {\"a\":[1.5]}"),
                       .timestamp_ms = 5000,
                       .is_json = true};
    struct payload_options options = stream_options(FUNCTION_IMAGES_NEW);
    options.region = "eu-central-1";
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &r, &f), PAYLOAD_ADDED);
    assert_non_null(
        strstr(bytes_text(&p.body),
               "\"eventName\":\"INSERT\",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\","
               "\"awsRegion\":\"eu-central-1\",\"eventSourceARN\":"
               "\"arn:aws:dynamodb:eu-central-1:000000000000:table/t/stream/t\",\"dynamodb\":{"
               "\"ApproximateCreationDateTime\":5,\"Keys\":{},\"NewImage\":{\"a\":{\"L\":[{\"N\":"
               "\"1.5\"}]}},"));
    r.value = slice_of("[1]");
    payload_begin(&p, &options);
    assert_int_equal(payload_add(&p, &r, &f), PAYLOAD_ADDED);
    assert_non_null(strstr(bytes_text(&p.body), "\"NewImage\":{\"value\":{\"L\":[{\"N\":\"1\"}]}},"));
    payload_clear(&p);
}

static void check_number(const char *id, const char *want)
{
    char digits[SEQUENCE_NUMBER_DIGITS_MAX];
    size_t size = sequence_number_of(slice_of(id), digits);
    assert_int_equal(size, strlen(want));
    assert_memory_equal(digits, want, size);
    assert_true(sequence_number_is(slice_make(digits, size)));
}

static void sequence_numbers_are_in_the_order_of_changes(void **state)
{
    (void)state;
    check_number("0000000000000010-00000001", "000000000000000000160000000001");
    check_number("0000000000000010-FFFFFFFF", "000000000000000000164294967295");
    check_number("0000000000000010-ffffffff", "000000000000000000164294967295");
    check_number("0000000000000011-00000000", "000000000000000000170000000000");
    check_number("FFFFFFFFFFFFFFFF-FFFFFFFF", "184467440737095516154294967295");
    // FNV-1a of "t-0", then the offset.
    check_number("t-0-7", "1062079395159565036300000000000000000007");
    check_number("t-0-9223372036854775807", "1062079395159565036309223372036854775807");
    char a[SEQUENCE_NUMBER_DIGITS_MAX];
    char b[SEQUENCE_NUMBER_DIGITS_MAX];
    assert_int_equal(sequence_number_of(slice_of("t-1-7"), a), SEQUENCE_NUMBER_DIGITS_MAX);
    assert_int_equal(sequence_number_of(slice_of("free text"), b), SEQUENCE_NUMBER_DIGITS_MAX);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_false(sequence_number_is(slice_of("00000000000000000016000000000")));
    assert_false(sequence_number_is(slice_of("00000000000000000016000000000x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_has_the_images_that_its_view_wants),
        cmocka_unit_test(a_key_may_be_absent_or_no_record),
        cmocka_unit_test(other_producers_json_is_an_insert),
        cmocka_unit_test(sequence_numbers_are_in_the_order_of_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
