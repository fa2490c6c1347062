/* The yardstick of the process layer: IN_FLIGHT checks at a time, as fast as they go.
 * usage: spawn PROGRAM CHECKS IN_FLIGHT; prints checks a second. */
#include "check.h"

int main(int argc, char **argv) {
    int total, flight, started = 0, ended = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (argc != 4) return 2;
    char *program[] = {argv[1], NULL};
    total = atoi(argv[2]);
    flight = atoi(argv[3]);
    struct check *checks = calloc(flight, sizeof *checks);
    int64_t began = now();
    while (started < flight && started < total) {
        checks[started] = start(program, null);
        started++;
    }
    while (ended < total) {
        pid_t pid = exited();
        reap(pid);
        ended++;
        for (int i = 0; i < flight; i++) {
            if (checks[i].pid != pid) continue;
            drain(checks[i].out);
            drain(checks[i].err);
            checks[i].pid = 0;
            if (started < total) {
                checks[i] = start(program, null);
                started++;
            }
            break;
        }
    }
    printf("%.1f\n", total / ((now() - began) / 1e9));
    return 0;
}
