/// The long-lived process that takes requests from the server and keeps the boxes.
#ifndef CODUEL_KEEPER_H
#define CODUEL_KEEPER_H

#include <stdint.h>

#include "box.h"
#include "slot.h"

struct keeper {
    int server; /* SOCK_SEQPACKET to the server */
    int slot_count;
    struct slot *slots;
    struct isolation isolation;
    char detail[DETAIL_TEXT_SIZE]; /* why no isolation was found */
};

/// Finds by trial runs how boxes can be built here. 0, or -1 with `detail` set: requests are answered with
/// errors.
int isolation_find(struct keeper *keeper);

/// Serves until the server closes its end; then ends every run.
void keeper_serve(struct keeper *keeper);

#endif
