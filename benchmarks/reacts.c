/* The yardstick of the reaction of many monitors: each has its check at an interval, at a phase
 * of its own; when one fails, SCRIPT is started with the monitor's name in HEAT_NAME.
 * usage: reacts SECONDS MONITORS SCRIPT PROGRAM [ARG...] %d; the number takes the place of %d. */
#include "check.h"

#define MOST 1024

struct running { struct check check; int number; };

static struct running running[MOST];

/* An odd number of any size, below 2^31: neighbours are strewn over the interval. */
static int64_t phase_of(int number, int64_t interval) {
    return (number * INT64_C(1140071481) & 0x7fffffff) * interval >> 31;
}

static int64_t interval;

static int by_phase(const void *a, const void *b) {
    int64_t span = phase_of(*(int *)a, interval) - phase_of(*(int *)b, interval);
    return span < 0 ? -1 : span > 0;
}

static struct running *with(pid_t pid) {
    for (int i = 0; i < MOST; i++)
        if (running[i].check.pid == pid) return running + i;
    return NULL;
}

static void react(char *script, int number, int null) {
    char name[16], *argv[] = {script, NULL};
    snprintf(name, sizeof name, "m%d", number);
    setenv("HEAT_NAME", name, 1);
    spawn_with(argv, null, null, null);
}

/* A child that is no check is a reaction. */
static void ended(pid_t pid, int failed, char *script, int null) {
    struct running *run = with(pid);
    if (run && failed) react(script, run->number, null);
    reap(pid);
    if (!run) return;
    drain(run->check.out);
    drain(run->check.err);
    run->check.pid = 0;
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    interval = atof(argv[1]) * 1e9;
    int monitors = atoi(argv[2]), null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int *order = calloc(monitors, sizeof *order);
    char number[16], **words = calloc(argc - 3, sizeof *words);
    for (int i = 4; i < argc; i++) words[i - 4] = argv[i];
    words[argc - 5] = number;
    for (int i = 0; i < monitors; i++) order[i] = i;
    qsort(order, monitors, sizeof *order, by_phase);
    sigset_t chld;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    int64_t began = now();
    for (int64_t k = 0;;) {
        int which = order[k % monitors];
        int64_t left = began + k / monitors * interval + phase_of(which, interval) - now();
        struct running *place = with(0);
        if (left <= 0 && place) {
            snprintf(number, sizeof number, "%d", which);
            *place = (struct running){start(words, null), which};
            k++;
        } else {
            struct timespec span = {left / 1000000000, left % 1000000000};
            sigtimedwait(&chld, NULL, place ? &span : NULL);
        }
        siginfo_t info = {0};
        while (!waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) && info.si_pid) {
            ended(info.si_pid, info.si_status, argv[3], null);
            info.si_pid = 0;
        }
    }
}
