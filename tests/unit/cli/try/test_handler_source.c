#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "cli/try/handler_source.h"

static void the_end_of_the_name_says_the_language(void **state)
{
    (void)state;
    assert_int_equal(handler_language_of("app.py"), HANDLER_PYTHON);
    assert_int_equal(handler_language_of("a.b/app.js"), HANDLER_NODE);
    assert_int_equal(handler_language_of("app.mjs"), HANDLER_NODE);
    assert_int_equal(handler_language_of("app.cjs"), HANDLER_NODE);
    assert_int_equal(handler_language_of("bootstrap"), HANDLER_OTHER);
    assert_int_equal(handler_language_of("folder.py/bootstrap"), HANDLER_OTHER);
    assert_int_equal(handler_language_of("bootstrap.sh"), HANDLER_OTHER);
}

/** Reads from a block of exactly the text's size, so that a sanitizer detects a read past its end. */
static const char *name_in(enum handler_language language, const char *text)
{
    size_t size = strlen(text);
    uint8_t *exact = malloc(size + (size == 0));
    memcpy(exact, text, size);
    const char *name = handler_name_in(language, slice_make(exact, size));
    free(exact);
    return name;
}

static void a_python_handler_is_found_however_it_is_defined(void **state)
{
    (void)state;
    static const char *const handlers[] = {
        "import json\n\ndef handler(event, context):\n    return 1\n",
        "async def handler (event, context):\n    pass",
        "handler = Mangum(app)",
        "handler: Callable = make()\n",
        "from shop.orders import other, handler\n",
        "@logger.inject\ndef handler(event, context): ...\n",
    };
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        assert_string_equal(name_in(HANDLER_PYTHON, handlers[i]), "handler");
    }
    assert_string_equal(name_in(HANDLER_PYTHON, "def handler(e):\n  0\ndef lambda_handler(e, c):\n  0\n"),
                        "lambda_handler");
}

static void what_a_python_file_only_uses_is_no_handler(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "def my_handler(event, context):\n    handler = 1\n",
        "class A:\n    def handler(self):\n        pass\n",
        "handler(1)\nprint(handler)\n",
        "import handler\n",
        "def handlers(e):\n    pass",
        "def",
        "async def",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_null(name_in(HANDLER_PYTHON, others[i]));
    }
}

static void a_node_handler_is_found_however_it_is_exported(void **state)
{
    (void)state;
    static const char *const handlers[] = {
        "exports.handler = async (event) => 1;",
        "module.exports.handler = async function (event) {};\n",
        "export const handler = async (event) => {\n};\n",
        "export async function handler(event) {}\n",
        "const handler = 1;\nexport { handler };\n",
        "function handler() {}\nmodule.exports = {\n  other,\n  handler,\n};\n",
    };
    for (size_t i = 0; i < sizeof handlers / sizeof handlers[0]; i++) {
        assert_string_equal(name_in(HANDLER_NODE, handlers[i]), "handler");
    }
    assert_string_equal(name_in(HANDLER_NODE, "exports.lambda_handler = 1"), "lambda_handler");
}

static void what_a_node_file_keeps_for_itself_is_no_handler(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "const handler = async () => 1;\n",
        "exports.main = () => 1;\nconst handler = 2;\n",
        "module.exports = {\n  main,\n};\nfunction handler() {}\n",
        "module.exports = {\n  main,\n",
        "exports",
        "exports.myhandler = 1",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_null(name_in(HANDLER_NODE, others[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_the_name_says_the_language),
        cmocka_unit_test(a_python_handler_is_found_however_it_is_defined),
        cmocka_unit_test(what_a_python_file_only_uses_is_no_handler),
        cmocka_unit_test(a_node_handler_is_found_however_it_is_exported),
        cmocka_unit_test(what_a_node_file_keeps_for_itself_is_no_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
