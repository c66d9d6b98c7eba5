/// What the helper knows of each language. The server hands the table over once, before it says anything else
/// and before it faces a network; from then on it names a language by its id and nothing more: file names,
/// arguments, environments and mounts of guests come from this table alone.
#ifndef CODUEL_LANGUAGES_H
#define CODUEL_LANGUAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ceilings.h"

enum memory_model {
    /// An address-space limit may stand in where no memory group is.
    MEMORY_ADDRESS_SPACE,
    /// The runtime reserves far more than it uses: only resident memory can be limited.
    MEMORY_RESIDENT,
};

/// A list of texts that ends in NULL, as execve(2) takes it.
struct text_list {
    const char *texts[MAX_LANGUAGE_ARGUMENTS + 1];
    int count;
};

struct language {
    const char *id;
    /// The name under which the source lies in the working folder.
    const char *source_name;
    /// The file the compiler leaves; NULL: the source itself is what runs.
    const char *artefact_name;
    enum memory_model memory_model;
    /// Processes and threads of a run.
    int64_t processes;
    /// Compiler, or the checker of an interpreted language.
    struct text_list compile;
    /// Interpreter with its arguments; empty: the artefact is executed itself, in a root without system folders.
    struct text_list run;
    struct text_list version;
    /// NAME=value, beside `guest_environment`.
    struct text_list environment;
    /// Host folders beside the system's, shown read-only.
    struct text_list mounts;
};

/// Reads the table from a sealed memfd; 0, or -1 with errno (EINVAL: it is not one).
int languages_read(int table);

/// The entry with that id, or NULL.
const struct language *language_named(const char *id);

/// Ids of all languages, comma-separated.
void languages_text(char *text, size_t size);

/// The environment of every guest.
extern const char *const guest_environment[];

#endif
