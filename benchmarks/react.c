/* The yardstick of the whole program: a check at an interval, a signal when it fails.
 * usage: react SECONDS CHECKS PID PROGRAM [ARG...]; PID 0 is no target. */
#include "check.h"

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int64_t interval = atof(argv[1]) * 1e9;
    int checks = atoi(argv[2]), null = open("/dev/null", O_RDWR | O_CLOEXEC);
    pid_t target = atoi(argv[3]);
    int64_t began = now();
    for (int k = 0; k < checks; k++) {
        int64_t due = began + k * interval;
        struct timespec at = {due / 1000000000, due % 1000000000};
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL)) {}
        struct check c = start(argv + 4, null);
        if (reap(exited()) && target) kill(target, SIGHUP);
        drain(c.out);
        drain(c.err);
    }
    return 0;
}
