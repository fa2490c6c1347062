/* A check as HEAT runs it, in C: posix_spawn into a group of its own with stdin from
 * /dev/null and a pipe each for stdout and stderr; when it has exited, what it left in its
 * group is killed, it is reaped, and what the pipes hold is read. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct check { pid_t pid; int out, err; };

static inline int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void drain(int fd) {
    static char buffer[65536];
    if (read(fd, buffer, sizeof buffer) < 0 && errno != EAGAIN) exit(1);
    close(fd);
}

/* Starts it in a group of its own with these as stdin, stdout and stderr. */
static pid_t spawn_with(char **argv, int in, int out, int err) {
    pid_t pid;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t actions;
    sigset_t mask, reset;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawnattr_init(&attr);
    sigemptyset(&mask);
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    sigaddset(&reset, SIGXFSZ);
    posix_spawnattr_setflags(
        &attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &mask);
    posix_spawnattr_setsigdefault(&attr, &reset);
    if (posix_spawn(&pid, argv[0], &actions, &attr, argv, environ)) exit(1);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return pid;
}

static struct check start(char **argv, int null) {
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) exit(1);
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    struct check c = {spawn_with(argv, null, out[1], err[1]), out[0], err[0]};
    close(out[1]);
    close(err[1]);
    return c;
}

/* Waits until a child has exited; it stays unreaped, so that its group id is still its own. */
static inline pid_t exited(void) {
    siginfo_t info;
    if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT)) exit(1);
    return info.si_pid;
}

static int reap(pid_t pid) {
    int status;
    kill(-pid, SIGKILL);
    if (waitpid(pid, &status, 0) != pid) exit(1);
    return status;
}
