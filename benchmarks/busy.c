/* Keeps a core busy until it is killed, or until the one who started it has ended. */
#include <signal.h>
#include <sys/prctl.h>

int main(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {}
}
