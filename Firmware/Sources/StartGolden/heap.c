// The heap of the program that checks recordings: the same checker runs on the host, so it uses arrays and dictionaries as
// there. Freed memory is kept in a list for each power of two. Firmware of devices has no heap.
#include <stddef.h>
#include <stdint.h>

extern uint8_t firmware_heap_start[], firmware_heap_end[];

struct part {
    uint32_t class;
    struct part *next;
    uint32_t unused[2]; // what follows is aligned to 16 bytes
};

static struct part *freed[32];
static uint8_t *end = firmware_heap_start;

// What Machine's malloc and free ask for.
uintptr_t firmware_take(size_t size) {
    uint32_t class = 4;
    while (class < 31 && ((size_t)1 << class) < size) class++;
    struct part *part = freed[class];
    if (part) {
        freed[class] = part->next;
    } else {
        size_t whole = sizeof(struct part) + ((size_t)1 << class);
        if (whole > (size_t)(firmware_heap_end - end)) return 0;
        part = (struct part *)end;
        part->class = class;
        end += whole;
    }
    return (uintptr_t)(part + 1);
}

_Bool firmware_give_back(uintptr_t memory) {
    struct part *part = (struct part *)memory - 1;
    part->next = freed[part->class];
    freed[part->class] = part;
    return 1;
}

// Seeds of hash tables; nobody chooses their keys to slow this program down.
void arc4random_buf(void *memory, size_t count) {
    uint8_t *bytes = memory;
    while (count--) *bytes++ = 0x5A;
}

double ceil(double number) {
    int32_t whole = (int32_t)number;
    return (double)whole < number ? (double)whole + 1 : (double)whole;
}

// Unicode tables, which comparing strings asks for when they hold more than ASCII. These never do.
const uint8_t _swift_stdlib_nfd_decompositions[1];
uint16_t _swift_stdlib_getNormData(uint32_t scalar) { (void)scalar; return 0; }
uint32_t _swift_stdlib_getComposition(uint32_t first, uint32_t second) { (void)first; (void)second; return UINT32_MAX; }
uint32_t _swift_stdlib_getDecompositionEntry(uint32_t scalar) { (void)scalar; return 0; }
