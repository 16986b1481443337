/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: one function per command. The only room that prints. */
#ifndef RECOW_CLI_H
#define RECOW_CLI_H

#include <getopt.h>

#include "src/base/base.h"
#include "src/base/error.h"

struct json_t;

/* Find the command and execute it. Returns the process's exit status. */
int cli_main(int argc, char **argv);

/* Commands: argv[0] is the command's name. Each returns an exit status, or -1 with *e filled in. */
int command_audit(int argc, char **argv, struct error *e);
int command_doctor(int argc, char **argv, struct error *e);
int command_journal(int argc, char **argv, struct error *e);
int command_list(int argc, char **argv, struct error *e);
int command_model(int argc, char **argv, struct error *e);
int command_replay(int argc, char **argv, struct error *e);
int command_report(int argc, char **argv, struct error *e);
int command_restore(int argc, char **argv, struct error *e);
int command_run(int argc, char **argv, struct error *e);
int command_verify(int argc, char **argv, struct error *e);

/* As getopt_long(), but a wrong option is an error with the nearest known one: returns the option's value, -1
 * at the end, -2 with *e filled in. */
int cli_option(int argc, char **argv, const char *letters, const struct option *options, struct error *e);

/* For commands with no other options than --json and --help. Returns 0, 1 when there is nothing more to do
 * (the help was printed), or -1 with *e filled in. */
int cli_json_option(int argc, char **argv, bool *json, struct error *e);

/* The help of a command ("": of all) on stdout. Returns EXIT_CLEAN; -1 when there is no such command. */
int cli_help(const char *command);

/* The whole result of a command (--json) on stdout. Takes the reference. */
void cli_print_json(struct json_t *j);

/* The only argument that is left; -1 and *e when there is none or another one. */
int cli_one_argument(int argc, char **argv, const char *what, const char **out, struct error *e);

#endif
