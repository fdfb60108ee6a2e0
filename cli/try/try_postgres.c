#include "cli/try/try_postgres.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/try/try_process.h"
#include "core/base/clock.h"

enum { START_WAIT_S = 30, READY_POLL_MS = 10, PORT_ATTEMPTS = 3, PASSWORD_BYTES = 16 };

struct try_postgres {
    char *bin;      // folder of initdb and postgres
    char *folder;   // temporary: data/, log, password
    char *version;  // "15.20"
    char *dsn;
    char password[2 * PASSWORD_BYTES + 1];
    bool is_kept;
    uid_t uid;
    gid_t gid;
    int port;
    pid_t server;  // 0: none
};

// The matching folder with the highest version; NULL: none.
static char *newest_of(const char *pattern)
{
    glob_t found = {0};
    char *best = NULL;
    long best_version = -1;
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *digits = found.gl_pathv[i] + strcspn(found.gl_pathv[i], "0123456789");
            long version = strtol(digits, NULL, 10);
            if (version > best_version) {
                best_version = version;
                free(best);
                best = memory_format("%.*s", (int)(strrchr(found.gl_pathv[i], '/') - found.gl_pathv[i]),
                                     found.gl_pathv[i]);
            }
        }
    }
    globfree(&found);
    return best;
}

static char *bin_of_pg_config(void)
{
    CLEANUP(bytes_clear) struct bytes out = {0};
    if (!try_process_output((const char *const[]){"pg_config", "--bindir", NULL}, &out)) {
        return NULL;
    }
    char *bin = slice_to_string((struct slice){out.data, out.size});
    bin[strcspn(bin, "\r\n")] = '\0';
    CLEANUP(memory_free_pointer) char *initdb = memory_format("%s/initdb", bin);
    if (access(initdb, X_OK) != 0) {
        free(bin);
        return NULL;
    }
    return bin;
}

static char *bin_of_path(void)
{
    CLEANUP(memory_free_pointer) char *initdb = try_process_find("initdb");
    CLEANUP(memory_free_pointer) char *real = initdb == NULL ? NULL : realpath(initdb, NULL);
    return real == NULL ? NULL : memory_format("%.*s", (int)(strrchr(real, '/') - real), real);
}

static bool find_server(struct try_postgres *p, struct fault *f)
{
    p->bin = newest_of("/usr/lib/postgresql/*/bin/initdb");
    if (p->bin == NULL) {
        p->bin = newest_of("/usr/pgsql-*/bin/initdb");
    }
    if (p->bin == NULL) {
        p->bin = bin_of_pg_config();
    }
    if (p->bin == NULL) {
        p->bin = bin_of_path();
    }
    if (p->bin == NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "no PostgreSQL server found on this machine; run: apt-get install postgresql "
                         "(or use a running server: millrace try --dsn DSN)");
    }
    return true;
}

// PostgreSQL refuses to run as root, so it runs as `postgres`, or as `nobody` if there is no such user.
static bool choose_user(struct try_postgres *p, struct fault *f)
{
    p->uid = geteuid();
    p->gid = getegid();
    if (p->uid != 0) {
        return true;
    }
    const struct passwd *user = getpwnam("postgres");
    if (user == NULL) {
        user = getpwnam("nobody");
    }
    if (user == NULL) {
        return fault_set(f, FAULT_CONFIG,
                         "PostgreSQL does not run as root and there is no user postgres or nobody");
    }
    p->uid = user->pw_uid;
    p->gid = user->pw_gid;
    return true;
}

static bool write_password(struct try_postgres *p, struct fault *f)
{
    uint8_t random[PASSWORD_BYTES];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return fault_from(f, FAULT_FATAL, "errno", errno, "getrandom: %s", strerror(errno));
    }
    for (size_t i = 0; i < sizeof random; i++) {
        snprintf(p->password + 2 * i, 3, "%02x", random[i]);
    }
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/password", p->folder);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_written = file >= 0 && fchown(file, p->uid, p->gid) == 0 &&
                      write(file, p->password, strlen(p->password)) == (ssize_t)strlen(p->password);
    if (file >= 0) {
        close(file);
    }
    return is_written || fault_from(f, FAULT_FATAL, "errno", errno, "%s: %s", path, strerror(errno));
}

static bool make_folder(struct try_postgres *p, struct fault *f)
{
    // The server's user may not have access to root's TMPDIR.
    const char *parent = geteuid() == 0 ? NULL : getenv("TMPDIR");
    p->folder = memory_format("%s/millrace-try-XXXXXX", parent == NULL || *parent == '\0' ? "/tmp" : parent);
    if (mkdtemp(p->folder) == NULL) {
        fault_from(f, FAULT_FATAL, "errno", errno, "%s: %s", p->folder, strerror(errno));
        free(TAKE(p->folder));
        return false;
    }
    if (chown(p->folder, p->uid, p->gid) != 0) {
        return fault_from(f, FAULT_FATAL, "errno", errno, "%s: %s", p->folder, strerror(errno));
    }
    return write_password(p, f);
}

// Fills the fault with the last line of the server's log, which says why it does not start.
static bool fault_with_log(const struct try_postgres *p, const char *what, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *path = memory_format("%s/log", p->folder);
    char line[256] = "";
    char last[256] = "its log is empty";
    FILE *log = fopen(path, "re");
    while (log != NULL && fgets(line, (int)sizeof line, log) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0' && (strstr(line, "FATAL") != NULL || strstr(last, "FATAL") == NULL)) {
            memcpy(last, line, sizeof last);
        }
    }
    if (log != NULL) {
        fclose(log);
    }
    return fault_set(f, FAULT_FATAL, "%s of %s failed: %s", what, p->bin, last);
}

static bool start_program(const struct try_postgres *p, const char *const *argv, int death_signal, pid_t *ret,
                          struct fault *f)
{
    CLEANUP(memory_free_pointer) char *log_path = memory_format("%s/log", p->folder);
    struct try_process_spec spec = {
        .argv = argv,
        .directory = p->folder,
        .log_path = log_path,
        .uid = p->uid,
        .gid = p->gid,
        .death_signal = death_signal,
    };
    return try_process_start(&spec, ret, f);
}

static bool make_cluster(struct try_postgres *p, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *initdb = memory_format("%s/initdb", p->bin);
    CLEANUP(memory_free_pointer) char *password_file = memory_format("%s/password", p->folder);
    const char *const argv[] = {
        initdb,          "-D", "data", "-U",          "millrace",  "--pwfile",        password_file, "-A",
        "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync", "--wal-segsize=1", NULL,
    };
    pid_t pid = 0;
    int status = 0;
    if (!start_program(p, argv, SIGKILL, &pid, f)) {
        return false;
    }
    if (!try_process_wait(pid, START_WAIT_S * CLOCK_US_PER_S, &status, f)) {
        try_process_end(pid, SIGKILL);
        return fault_context(f, "initdb");
    }
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) || fault_with_log(p, "initdb", f);
}

// A free port. Another process may take it before the server does; then start_server tries another one.
static int free_port(void)
{
    int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int port = 0;
    if (socket_fd >= 0 && bind(socket_fd, (struct sockaddr *)&address, size) == 0 &&
        getsockname(socket_fd, (struct sockaddr *)&address, &size) == 0) {
        port = ntohs(address.sin_port);
    }
    if (socket_fd >= 0) {
        close(socket_fd);
    }
    return port;
}

// True when the server accepts connections; FAULT_REJECT when it has ended (for instance, its port was
// taken).
static bool wait_until_ready(struct try_postgres *p, struct fault *f)
{
    int64_t until_us = clock_now_us() + START_WAIT_S * CLOCK_US_PER_S;
    while (clock_now_us() < until_us) {
        int status = 0;
        if (try_process_wait(p->server, READY_POLL_MS * CLOCK_US_PER_MS, &status, f)) {
            p->server = 0;
            fault_with_log(p, "postgres", f);
            f->kind = FAULT_REJECT;
            return false;
        }
        if (f->kind != FAULT_RETRY) {
            return false;
        }
        if (PQping(p->dsn) == PQPING_OK) {
            *f = (struct fault){0};
            return true;
        }
    }
    return fault_with_log(p, "postgres", f);
}

static bool start_server(struct try_postgres *p, struct fault *f)
{
    CLEANUP(memory_free_pointer) char *program = memory_format("%s/postgres", p->bin);
    p->port = free_port();
    CLEANUP(memory_free_pointer) char *port = memory_format("%d", p->port);
    const char *const argv[] = {
        program,
        "-D",
        "data",
        "-p",
        port,
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "wal_level=logical",
        "-c",
        "fsync=off",
        "-c",
        "full_page_writes=off",
        "-c",
        "shared_buffers=16MB",
        "-c",
        "max_connections=20",
        "-c",
        "max_wal_senders=4",
        "-c",
        "max_replication_slots=4",
        "-c",
        "autovacuum=off",
        "-c",
        "jit=off",
        NULL,
    };
    free(p->dsn);
    p->dsn = memory_format("host=127.0.0.1 port=%d user=millrace dbname=postgres password=%s", p->port,
                           p->password);
    // SIGQUIT is PostgreSQL's immediate shutdown; the postmaster's children end with it.
    return start_program(p, argv, p->is_kept ? 0 : SIGQUIT, &p->server, f) && wait_until_ready(p, f);
}

static void read_version(struct try_postgres *p)
{
    PGconn *conn = PQconnectdb(p->dsn);
    const char *version = PQparameterStatus(conn, "server_version");
    p->version = memory_format("%.*s", (int)strcspn(version == NULL ? "?" : version, " "),
                               version == NULL ? "?" : version);
    PQfinish(conn);
}

bool try_postgres_start(bool is_kept, struct try_postgres **ret, struct fault *f)
{
    struct try_postgres *p = memory_zeroed(1, sizeof *p);
    p->is_kept = is_kept;
    bool is_running = false;
    if (find_server(p, f) && choose_user(p, f) && make_folder(p, f) && make_cluster(p, f)) {
        for (int attempt = 0; attempt < PORT_ATTEMPTS && !is_running; attempt++) {
            is_running = start_server(p, f);
            if (!is_running && f->kind != FAULT_REJECT) {
                break;
            }
        }
    }
    if (!is_running) {
        try_postgres_stop(p);
        return false;
    }
    read_version(p);
    *ret = p;
    return true;
}

const char *try_postgres_dsn(const struct try_postgres *p)
{
    return p->dsn;
}

const char *try_postgres_version(const struct try_postgres *p)
{
    return p->version;
}

static void free_ours(struct try_postgres *p)
{
    free(p->bin);
    free(p->folder);
    free(p->version);
    free(p->dsn);
    free(p);
}

void try_postgres_stop(struct try_postgres *p)
{
    if (p == NULL) {
        return;
    }
    try_process_end(p->server, SIGQUIT);
    if (p->folder != NULL) {
        try_process_remove_tree(p->folder);
    }
    free_ours(p);
}

void try_postgres_leave(struct try_postgres *p, FILE *out)
{
    fprintf(out, "PostgreSQL keeps running (process %d):\n", (int)p->server);
    fprintf(out, "  connect:  psql '%s'\n", p->dsn);
    fprintf(out, "  remove:   kill -QUIT %d && rm -rf %s\n", (int)p->server, p->folder);
    free_ours(p);
}
