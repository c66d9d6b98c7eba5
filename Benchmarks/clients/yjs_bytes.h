// Numbers of lib0 and structs of Yjs's v1 updates, as far as a load generator meets them.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at, *end;
    bool is_bad;
} Reader;

static uint64_t read_number(Reader *reader) {
    uint64_t value = 0;
    for (int shift = 0; shift < 63 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return value;
    }
    reader->is_bad = true;
    return 0;
}

static void skip(Reader *reader, uint64_t count) {
    if (count > (uint64_t)(reader->end - reader->at)) {
        reader->is_bad = true;
        count = (uint64_t)(reader->end - reader->at);
    }
    reader->at += count;
}

static size_t write_number(uint8_t *to, uint64_t value) {
    size_t count = 0;
    for (; value > 127; value >>= 7) to[count++] = (uint8_t)(128 | (value & 127));
    to[count++] = (uint8_t)value;
    return count;
}

// Reads one struct; returns how many units it covers.
static uint64_t read_struct(Reader *reader) {
    if (reader->at >= reader->end) reader->is_bad = true;
    if (reader->is_bad) return 0;
    uint8_t info = *reader->at++;
    if ((info & 31) == 0 || (info & 31) == 10) return read_number(reader);
    for (int origin = 0; origin < 2; origin++) {
        if (!(info & (origin ? 0x40 : 0x80))) continue;
        read_number(reader);
        read_number(reader);
    }
    if (!(info & 0xC0)) {
        if (read_number(reader) == 1) {
            skip(reader, read_number(reader));
        } else {
            read_number(reader);
            read_number(reader);
        }
        if (info & 0x20) skip(reader, read_number(reader));
    }
    uint64_t count = read_number(reader);
    switch (info & 31) {
        case 1: return count;
        case 4: skip(reader, count); return count;  // only ASCII is written here
        case 7: return 1;  // a type: its number was `count`, and text has no more
        default: reader->is_bad = true; return 0;
    }
}
