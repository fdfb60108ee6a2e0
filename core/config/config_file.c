#include "core/config/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 4096 };

static bool system_fault(struct fault *f, const char *path, int code)
{
    char why[120];
    return fault_from(f, FAULT_CONFIG, "errno", code, "%s: %s", path, strerror_r(code, why, sizeof(why)));
}

static bool read_all(int file, const char *path, size_t size_max, struct bytes *text, struct fault *f)
{
    for (;;) {
        uint8_t *place = bytes_reserve(text, READ_BYTES);
        ssize_t got = read(file, place, READ_BYTES);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return system_fault(f, path, errno);
        }
        if (got == 0) {
            return true;
        }
        text->size += (size_t)got;
        if (text->size > size_max) {
            return fault_set(f, FAULT_CONFIG, "%s: larger than %zu KiB", path, size_max / 1024);
        }
    }
}

static void close_file(const int *file)
{
    if (*file >= 0) {
        (void)close(*file);
    }
}

bool config_file_load(const char *path, size_t size_max, struct bytes *ret, bool *ret_is_private,
                      struct fault *f)
{
    // O_NONBLOCK: opening a named pipe would block before fstat can refuse it.
    CLEANUP(close_file) int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) {
        return system_fault(f, path, errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return fault_set(f, FAULT_CONFIG, "%s: not a file", path);
    }
    CLEANUP(bytes_wipe) struct bytes text = {0};
    // Room for all of it at once: a buffer that moves as it grows leaves pieces of a secret behind.
    size_t size = (size_t)status.st_size < size_max ? (size_t)status.st_size : size_max;
    (void)bytes_reserve(&text, size + 2 * (size_t)READ_BYTES);
    if (!read_all(file, path, size_max, &text, f)) {
        return false;
    }
    *ret = text;
    text = (struct bytes){0};
    if (ret_is_private != NULL) {
        *ret_is_private = (status.st_mode & 077) == 0;
    }
    return true;
}

char *config_file_resolve(const char *configuration_path, const char *path)
{
    const char *slash = strrchr(configuration_path, '/');
    if (path[0] == '/' || slash == NULL) {
        return memory_string(path);
    }
    return memory_format("%.*s/%s", (int)(slash - configuration_path), configuration_path, path);
}
