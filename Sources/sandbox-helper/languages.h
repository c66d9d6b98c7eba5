/// What the helper knows of each language. The server names a language by its id and nothing more: file
/// names, arguments and environments of guests come from this table alone.
#ifndef CODUEL_LANGUAGES_H
#define CODUEL_LANGUAGES_H

#include <stdbool.h>
#include <stddef.h>

enum memory_model {
    /// An address-space limit may stand in where no memory group is.
    MEMORY_ADDRESS_SPACE,
    /// The runtime reserves far more than it uses: only resident memory can be limited.
    MEMORY_RESIDENT,
};

struct language {
    const char *id;
    /// The name under which the source lies in the working folder.
    const char *source_name;
    /// Compiler, or the checker of an interpreted language.
    const char *const *compile;
    /// The file the compiler leaves; NULL: the source itself is what runs.
    const char *artefact_name;
    /// Interpreter with its arguments; NULL: the artefact is executed itself, in a root without system
    /// folders.
    const char *const *run;
    const char *const *version;
    enum memory_model memory_model;
};

/// The entry with that id, or NULL.
const struct language *language_named(const char *id);

/// Ids of the languages whose tools can be executed here, comma-separated.
void languages_installed(char *text, size_t size);

/// The environment of every guest.
extern const char *const guest_environment[];

#endif
