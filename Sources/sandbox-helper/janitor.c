#define _GNU_SOURCE
#include "janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroups.h"
#include "descriptors.h"

static pid_t janitor = -1;
/// Closed by the end of the helper, whatever ended it.
static int life_line = -1;

static _Noreturn void wait_and_clean(int helper) {
    char byte;
    ssize_t count;
    int kept[] = {helper};
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "sandbox-janitor", 0, 0, 0);
    close_all_except(kept, 1);
    do {
        count = read(helper, &byte, 1);
    } while (count > 0 || (count < 0 && errno == EINTR));
    cgroups_remove_all();
    _exit(0);
}

int janitor_start(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    janitor = fork();
    if (janitor == 0) {
        close(ends[1]);
        wait_and_clean(ends[0]);
    }
    close(ends[0]);
    life_line = ends[1];
    if (janitor < 0) close_if_open(&life_line);
    return janitor > 0 ? 0 : -1;
}

void janitor_finish(void) {
    close_if_open(&life_line);
    while (waitpid(janitor, NULL, 0) < 0 && errno == EINTR) continue;
}
