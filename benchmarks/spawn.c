/* The yardstick: a check as HEAT runs it, in C. posix_spawn into a group of its own with
 * stdin from /dev/null and a pipe each for stdout and stderr, N in flight, waitpid, what the
 * pipes hold. usage: spawn PROGRAM CHECKS IN_FLIGHT; prints checks a second. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct check { pid_t pid; int out, err; };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void drain(int fd) {
    static char buffer[65536];
    if (read(fd, buffer, sizeof buffer) < 0 && errno != EAGAIN) exit(1);
    close(fd);
}

static struct check start(char *program, int null) {
    struct check c;
    int out[2], err[2];
    char *argv[] = {program, NULL};
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t actions;
    sigset_t mask, reset;
    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) exit(1);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, null, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawnattr_init(&attr);
    sigemptyset(&mask);
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &mask);
    posix_spawnattr_setsigdefault(&attr, &reset);
    if (posix_spawn(&c.pid, program, &actions, &attr, argv, environ)) exit(1);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    close(out[1]);
    close(err[1]);
    c.out = out[0];
    c.err = err[0];
    return c;
}

int main(int argc, char **argv) {
    int total, flight, started = 0, ended = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (argc != 4) return 2;
    total = atoi(argv[2]);
    flight = atoi(argv[3]);
    struct check *checks = calloc(flight, sizeof *checks);
    double began = now();
    while (started < flight && started < total) checks[started++] = start(argv[1], null);
    while (ended < total) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        if (pid < 0) return 1;
        ended++;
        for (int i = 0; i < flight; i++) {
            if (checks[i].pid != pid) continue;
            kill(-pid, 0);
            drain(checks[i].out);
            drain(checks[i].err);
            if (started < total) { checks[i] = start(argv[1], null); started++; }
            else checks[i].pid = 0;
            break;
        }
    }
    printf("%.1f\n", total / (now() - began));
    return 0;
}
