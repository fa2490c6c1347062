/* A check that appends its number and the moment of its start, nanoseconds of CLOCK_MONOTONIC,
 * to FILE: two 64-bit words, one write. One number in a hundred fails, and says so.
 * usage: tick FILE NUMBER */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SAID "tick: this one always fails\n"

int main(int argc, char **argv) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    if (argc != 3) return 2;
    int64_t record[] = {atoll(argv[2]), t.tv_sec * INT64_C(1000000000) + t.tv_nsec};
    int fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (write(fd, record, sizeof record) != sizeof record) return 3;
    return record[0] % 100 == 0 && write(2, SAID, strlen(SAID)) ? 7 : 0;
}
