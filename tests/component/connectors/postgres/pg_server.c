#include "tests/component/connectors/postgres/pg_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void pg_server_die(const char *what, const char *why)
{
    (void)fprintf(stderr, "pg_server: %s: %s\n", what, why);
    exit(1);
}

// The newest server's folder: $MILLRACE_PG_BIN, else Debian's folders.
static const char *pg_server_bin(void)
{
    static char found[512];
    const char *given = getenv("MILLRACE_PG_BIN");
    if (given != NULL) {
        return given;
    }
    glob_t matches;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &matches) != 0 || matches.gl_pathc == 0) {
        pg_server_die("no PostgreSQL server programs", "apt-get install postgresql, or set MILLRACE_PG_BIN");
    }
    (void)snprintf(found, sizeof(found), "%s", matches.gl_pathv[matches.gl_pathc - 1]);
    *strrchr(found, '/') = '\0';
    globfree(&matches);
    return found;
}

static int pg_server_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        pg_server_die("no free port", "bind");
    }
    (void)close(fd);
    return ntohs(address.sin_port);
}

// initdb and postgres refuse to run as root.
static void pg_server_become_nobody(void)
{
    const struct passwd *nobody = geteuid() == 0 ? getpwnam("nobody") : NULL;
    if (nobody != NULL &&
        (setgroups(0, NULL) != 0 || setgid(nobody->pw_gid) != 0 || setuid(nobody->pw_uid) != 0)) {
        _exit(127);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);  // a crashed test must not leave a server running
}

static pid_t pg_server_run(const struct pg_server *s, const char *program, char *const *arguments)
{
    char path[600];
    char log[128];
    (void)snprintf(path, sizeof(path), "%s/%s", pg_server_bin(), program);
    (void)snprintf(log, sizeof(log), "%s/log", s->folder);
    pid_t pid = fork();
    if (pid == 0) {
        pg_server_become_nobody();
        int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)dup2(fd, 1);
        (void)dup2(fd, 2);
        (void)chdir(s->folder);
        (void)setenv("PATH", pg_server_bin(), 1);  // initdb and postgres find each other there
        execv(path, arguments);
        _exit(127);
    }
    return pid;
}

static void pg_server_connect(struct pg_server *s)
{
    char dsn[128];
    (void)snprintf(dsn, sizeof(dsn), "host=127.0.0.1 port=%d dbname=postgres user=postgres", s->port);
    for (int i = 0; i < 200; i++) {
        s->conn = PQconnectdb(dsn);
        if (PQstatus(s->conn) == CONNECTION_OK) {
            return;
        }
        PQfinish(s->conn);
        s->conn = NULL;
        (void)usleep(50000);
    }
    pg_server_die("the server did not start; see the log", s->folder);
}

static void pg_server_launch(struct pg_server *s, const char *setting)
{
    char port[32];
    (void)snprintf(port, sizeof(port), "port=%d", s->port);
    char *arguments[] = {"postgres",
                         "-D",
                         "data",
                         "-c",
                         port,
                         "-c",
                         "listen_addresses=127.0.0.1",
                         "-c",
                         "unix_socket_directories=",
                         "-c",
                         "fsync=off",
                         "-c",
                         "wal_level=logical",
                         "-c",
                         "max_prepared_transactions=2",
                         "-c",
                         "max_wal_senders=6",
                         "-c",
                         "max_replication_slots=4",
                         "-c",
                         (char *)setting,
                         NULL};
    s->pid = pg_server_run(s, "postgres", arguments);
    pg_server_connect(s);
}

void pg_server_start(struct pg_server *s)
{
    *s = (struct pg_server){0};
    (void)snprintf(s->folder, sizeof(s->folder), "/tmp/millrace-pg-XXXXXX");
    if (mkdtemp(s->folder) == NULL) {
        pg_server_die("mkdtemp", s->folder);
    }
    const struct passwd *nobody = geteuid() == 0 ? getpwnam("nobody") : NULL;
    if (nobody != NULL && chown(s->folder, nobody->pw_uid, nobody->pw_gid) != 0) {
        pg_server_die("chown", s->folder);
    }
    char *arguments[] = {"initdb", "-D", "data", "-U",         "postgres",  "-A",
                         "trust",  "-E", "UTF8", "--locale=C", "--no-sync", NULL};
    int status = 0;
    pid_t pid = pg_server_run(s, "initdb", arguments);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        pg_server_die("initdb failed; see the log", s->folder);
    }
    s->port = pg_server_free_port();
    pg_server_launch(s, "log_statement=none");
    pg_server_sql(s, "CREATE ROLE millrace LOGIN SUPERUSER REPLICATION");
}

static void pg_server_end(struct pg_server *s)
{
    PQfinish(s->conn);
    s->conn = NULL;
    (void)kill(s->pid, SIGQUIT);
    (void)waitpid(s->pid, NULL, 0);
}

void pg_server_shut_down(struct pg_server *s)
{
    PQfinish(s->conn);
    s->conn = NULL;
    (void)kill(s->pid, SIGINT);
}

void pg_server_restart(struct pg_server *s, const char *setting)
{
    if (s->conn != NULL) {
        pg_server_shut_down(s);
    }
    (void)waitpid(s->pid, NULL, 0);
    pg_server_launch(s, setting);
}

static int pg_server_remove(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void pg_server_stop(struct pg_server *s)
{
    pg_server_end(s);
    (void)nftw(s->folder, pg_server_remove, 16, FTW_DEPTH | FTW_PHYS);
}

void pg_server_sql(struct pg_server *s, const char *sql)
{
    PGresult *result = PQexec(s->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "%s\n", sql);
        pg_server_die("SQL", PQerrorMessage(s->conn));
    }
    PQclear(result);
}

const char *pg_server_ask(struct pg_server *s, const char *sql)
{
    static char answer[1024];
    PGresult *result = PQexec(s->conn, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        pg_server_die(sql, PQerrorMessage(s->conn));
    }
    (void)snprintf(answer, sizeof(answer), "%s", PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0));
    PQclear(result);
    return answer;
}

const char *pg_server_dsn(const struct pg_server *s)
{
    static char dsn[128];
    (void)snprintf(dsn, sizeof(dsn), "host=localhost port=%d dbname=postgres user=millrace", s->port);
    return dsn;
}
