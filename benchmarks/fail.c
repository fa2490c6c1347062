/* A check that fails, and leaves the moment of its exit in the shared memory of FILE: in its
 * first 64-bit word, or the one of that NUMBER.
 * usage: fail FILE [NUMBER] */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec t;
    int fd = argc >= 2 ? open(argv[1], O_RDWR) : -1, number = argc == 3 ? atoi(argv[2]) : 0;
    int64_t *cells =
        mmap(0, (number + 1) * sizeof *cells, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (cells == MAP_FAILED) return 0;
    volatile int64_t *moment = cells + number;
    *moment = 0; /* the page fault comes before the clock is read */
    clock_gettime(CLOCK_MONOTONIC, &t);
    *moment = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
    _exit(1);
}
