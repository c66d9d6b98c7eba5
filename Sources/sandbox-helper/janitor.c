#define _GNU_SOURCE
#include "janitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include "cgroups.h"
#include "descriptors.h"

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
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        wait_and_clean(ends[0]);
    }
    close(ends[0]);
    if (pid > 0) return ends[1];
    close(ends[1]);
    return -1;
}
