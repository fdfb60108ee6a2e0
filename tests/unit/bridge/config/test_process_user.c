// bridge/config/process_user: users of this machine, and what they may do with its files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config/process_user.h"

static void a_user_is_a_name_or_a_number(void **state)
{
    (void)state;
    struct process_user user = {0};
    assert_true(process_user_find("nobody", &user));
    assert_string_equal(user.name, "nobody");
    assert_int_equal(user.uid, getpwnam("nobody")->pw_uid);
    assert_int_equal(user.gid, getpwnam("nobody")->pw_gid);
    process_user_clear(&user);
    assert_true(process_user_find("0", &user));
    assert_string_equal(user.name, "root");
    process_user_clear(&user);
    assert_false(process_user_find("no-such-user", &user));
    assert_null(user.name);
    assert_false(process_user_find("4294967295", &user));
    assert_false(process_user_find("0x0", &user));
    assert_false(process_user_find("-1", &user));
    bool is_known = getpwuid(geteuid()) != NULL;
    assert_int_equal(process_user_find(NULL, &user), is_known);
    assert_true(!is_known || user.uid == geteuid());
    process_user_clear(&user);
}

/** The rights of its primary and of its other groups, and then this thread's own again. */
static void rights_are_a_users_with_its_groups(void **state)
{
    (void)state;
    struct process_user nobody = {0};
    assert_true(process_user_find("nobody", &nobody));
    char path[] = "/tmp/process_user.XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(fchmod(file, 0644), 0);
    assert_int_equal(process_user_access(&nobody, path, R_OK), 0);
    assert_int_equal(process_user_access(&nobody, path, X_OK), EACCES);
    assert_int_equal(process_user_access(&nobody, "/no/such/file", X_OK), ENOENT);
    if (geteuid() == 0) {
        assert_int_equal(fchmod(file, 0640), 0);
        assert_int_equal(process_user_access(&nobody, path, R_OK), EACCES);
        assert_int_equal(fchown(file, 0, nobody.gid), 0);
        assert_int_equal(process_user_access(&nobody, path, R_OK), 0);
        assert_int_equal(process_user_access(&nobody, path, W_OK), EACCES);
        assert_int_equal(access(path, W_OK), 0);  // this thread's own rights
    }
    (void)close(file);
    assert_int_equal(unlink(path), 0);
    process_user_clear(&nobody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_a_name_or_a_number),
        cmocka_unit_test(rights_are_a_users_with_its_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
