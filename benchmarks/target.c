/* The target: at each SIGHUP it notes how long ago the check exited, by the moment in FILE;
 * at SIGTERM it prints these, nanoseconds, one a line. Prints an empty line when it is ready. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#define MOST 100000

static int64_t spans[MOST];

int main(int argc, char **argv) {
    sigset_t set;
    int noted = 0, fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
    volatile int64_t *moment = mmap(0, sizeof *moment, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (moment == MAP_FAILED) return 1;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    puts("");
    fflush(stdout);
    while (sigwaitinfo(&set, NULL) == SIGHUP && noted < MOST) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        spans[noted++] = t.tv_sec * INT64_C(1000000000) + t.tv_nsec - *moment;
    }
    for (int i = 0; i < noted; i++) printf("%lld\n", (long long)spans[i]);
    return 0;
}
