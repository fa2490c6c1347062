/* The yardstick of the process layer: IN_FLIGHT checks at a time, as fast as they go.
 * usage: spawn PROGRAM CHECKS IN_FLIGHT; prints checks a second, and the microseconds of processor
 * time that each cost here. */
#include "check.h"
#include <sys/resource.h>

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
    double wall = (now() - began) / 1e9;
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    double spent = (own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1e6;
    spent += own.ru_utime.tv_usec + own.ru_stime.tv_usec;
    printf("%.1f %.1f\n", total / wall, spent / total);
    return 0;
}
