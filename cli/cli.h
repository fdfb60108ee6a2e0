// The commands of `millrace`, one file each; main.c chooses among them and is the only place that exits.
#ifndef CLI_CLI_H
#define CLI_CLI_H

enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,     // run-time failure
    CLI_USAGE = 64,     // the command line is wrong
    CLI_INTERNAL = 70,  // an invariant is violated; the supervisor restarts the process
    CLI_CONFIG = 78,    // the operator must change something
};

/**
 * Added to an exit code: other threads still use the command's memory, so the process ends without waiting
 * for them and without cleaning up.
 */
enum { CLI_AT_ONCE = 1 << 8 };

/** A command gets its own name as argv[0] and returns the exit code, possibly with CLI_AT_ONCE. */
int bridge_command(int argc, char **argv);
int check_command(int argc, char **argv);
int config_command(int argc, char **argv);
int connect_command(int argc, char **argv);
int dlq_command(int argc, char **argv);
int exec_function_command(int argc, char **argv);
int filter_command(int argc, char **argv);
int registry_command(int argc, char **argv);
int replay_command(int argc, char **argv);
int run_command(int argc, char **argv);
int status_command(int argc, char **argv);
int test_command(int argc, char **argv);
int try_command(int argc, char **argv);

#endif
