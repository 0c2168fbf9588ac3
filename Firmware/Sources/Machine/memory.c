// The memory functions that compilers call, and what a 32-bit processor has no instruction for. There is no C library.
#include "Machine.h"

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (count >= 8 && (((uintptr_t)out ^ (uintptr_t)in) & 3) == 0) {
        while ((uintptr_t)out & 3) { *out++ = *in++; count--; }
        typedef uint32_t __attribute__((may_alias)) word;
        while (count >= 4) {
            *(word *)out = *(const word *)in;
            out += 4, in += 4, count -= 4;
        }
    }
    while (count--) *out++ = *in++;
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    uint8_t *out = to;
    const uint8_t *in = from;
    if (out <= in) {
        while (count--) *out++ = *in++;
    } else {
        while (count--) out[count] = in[count];
    }
    return to;
}

void *memset(void *to, int value, size_t count) {
    uint8_t *out = to;
    while (count && ((uintptr_t)out & 3)) { *out++ = (uint8_t)value; count--; }
    typedef uint32_t __attribute__((may_alias)) word;
    uint32_t four = 0x01010101u * (uint8_t)value;
    while (count >= 4) { *(word *)out = four; out += 4, count -= 4; }
    while (count--) *out++ = (uint8_t)value;
    return to;
}

int memcmp(const void *one, const void *two, size_t count) {
    const uint8_t *a = one, *b = two;
    for (; count; count--, a++, b++)
        if (*a != *b) return *a - *b;
    return 0;
}

// Division of 64-bit numbers, bit by bit: short, and used only where the result is for people or once a second.
static uint64_t divide(uint64_t number, uint64_t by, uint64_t *rest) {
    if (by == 0) __builtin_trap();
    if (!(number >> 32) && !(by >> 32)) {
        *rest = (uint32_t)number % (uint32_t)by;
        return (uint32_t)number / (uint32_t)by;
    }
    uint64_t quotient = 0, left = 0;
    for (int bit = 63; bit >= 0; bit--) {
        uint32_t carry = (uint32_t)(left >> 63);
        left = left << 1 | ((number >> bit) & 1);
        if (carry || left >= by) {
            left -= by;
            quotient |= 1ull << bit;
        }
    }
    *rest = left;
    return quotient;
}

uint64_t __udivdi3(uint64_t number, uint64_t by) {
    uint64_t rest;
    return divide(number, by, &rest);
}
uint64_t __umoddi3(uint64_t number, uint64_t by) {
    uint64_t rest;
    divide(number, by, &rest);
    return rest;
}
int64_t __divdi3(int64_t number, int64_t by) {
    uint64_t rest, size = divide(number < 0 ? 0 - (uint64_t)number : (uint64_t)number, by < 0 ? 0 - (uint64_t)by : (uint64_t)by, &rest);
    return (number < 0) != (by < 0) ? (int64_t)(0 - size) : (int64_t)size;
}
int64_t __moddi3(int64_t number, int64_t by) {
    uint64_t rest;
    divide(number < 0 ? 0 - (uint64_t)number : (uint64_t)number, by < 0 ? 0 - (uint64_t)by : (uint64_t)by, &rest);
    return number < 0 ? (int64_t)(0 - rest) : (int64_t)rest;
}

// Shifts of 64-bit numbers by a count that is not known before, of two words each.
typedef union { uint64_t all; struct { uint32_t low, high; } word; } wide;

uint64_t __ashldi3(uint64_t number, int by) {
    wide in = {.all = number}, out;
    if (by & 32) { out.word.low = 0; out.word.high = in.word.low << (by & 31); }
    else if (by == 0) return number;
    else { out.word.low = in.word.low << by; out.word.high = in.word.high << by | in.word.low >> (32 - by); }
    return out.all;
}
uint64_t __lshrdi3(uint64_t number, int by) {
    wide in = {.all = number}, out;
    if (by & 32) { out.word.high = 0; out.word.low = in.word.high >> (by & 31); }
    else if (by == 0) return number;
    else { out.word.high = in.word.high >> by; out.word.low = in.word.low >> by | in.word.high << (32 - by); }
    return out.all;
}
int64_t __ashrdi3(int64_t number, int by) {
    wide in = {.all = (uint64_t)number}, out;
    uint32_t sign = (uint32_t)((int32_t)in.word.high >> 31);
    if (by & 32) { out.word.high = sign; out.word.low = (uint32_t)((int32_t)in.word.high >> (by & 31)); }
    else if (by == 0) return number;
    else { out.word.high = (uint32_t)((int32_t)in.word.high >> by); out.word.low = in.word.low >> by | in.word.high << (32 - by); }
    return (int64_t)out.all;
}

#if defined(__arm__)
// The names that the ARM run-time ABI gives to the same functions.
void __aeabi_memcpy(void *to, const void *from, size_t count) { memcpy(to, from, count); }
void __aeabi_memcpy4(void *to, const void *from, size_t count) { memcpy(to, from, count); }
void __aeabi_memcpy8(void *to, const void *from, size_t count) { memcpy(to, from, count); }
void __aeabi_memmove(void *to, const void *from, size_t count) { memmove(to, from, count); }
void __aeabi_memmove4(void *to, const void *from, size_t count) { memmove(to, from, count); }
void __aeabi_memmove8(void *to, const void *from, size_t count) { memmove(to, from, count); }
void __aeabi_memset(void *to, size_t count, int value) { memset(to, value, count); }
void __aeabi_memset4(void *to, size_t count, int value) { memset(to, value, count); }
void __aeabi_memset8(void *to, size_t count, int value) { memset(to, value, count); }
void __aeabi_memclr(void *to, size_t count) { memset(to, 0, count); }
void __aeabi_memclr4(void *to, size_t count) { memset(to, 0, count); }
void __aeabi_memclr8(void *to, size_t count) { memset(to, 0, count); }
uint64_t __aeabi_llsl(uint64_t number, int by) { return __ashldi3(number, by); }
uint64_t __aeabi_llsr(uint64_t number, int by) { return __lshrdi3(number, by); }
int64_t __aeabi_lasr(int64_t number, int by) { return __ashrdi3(number, by); }
// Quotient and remainder come back in r0:r1 and r2:r3, which C has no type for.
uint64_t machine_divide(uint64_t number, uint64_t by, uint64_t *rest) { return divide(number, by, rest); }
int64_t machine_divide_signed(int64_t number, int64_t by, int64_t *rest) {
    int64_t quotient = __divdi3(number, by);
    *rest = number - quotient * by;
    return quotient;
}
#define MACHINE_DIVMOD(function)                                                                                       \
    __asm__("push {r4, lr}\n\tsub sp, #16\n\tadd r4, sp, #8\n\tstr r4, [sp]\n\tbl " function                          \
            "\n\tldr r2, [sp, #8]\n\tldr r3, [sp, #12]\n\tadd sp, #16\n\tpop {r4, pc}")
__attribute__((naked)) void __aeabi_uldivmod(void) { MACHINE_DIVMOD("machine_divide"); }
__attribute__((naked)) void __aeabi_ldivmod(void) { MACHINE_DIVMOD("machine_divide_signed"); }
#endif

// A stack that was written over is found when the function returns; the value is fixed because nothing here runs code that
// an attacker wrote.
uintptr_t __stack_chk_guard = 0x595E9FBD;
_Noreturn void __stack_chk_fail(void) { __builtin_trap(); }

// Memory on request, which compiled Swift asks for under these names; the allocator is FixedMemory, in Swift.
uintptr_t firmware_take(size_t size);
_Bool firmware_give_back(uintptr_t block);

void *malloc(size_t size) { return (void *)firmware_take(size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
    void *block = alignment <= 16 ? malloc(size) : 0;
    if (!block) return 12;
    *out = block;
    return 0;
}

void free(void *block) {
    // What was never taken, or was given back before, is a mistake that must not go unseen.
    if (block && !firmware_give_back((uintptr_t)block)) __builtin_trap();
}

#if defined(__riscv)
// Reference counts of Swift. The instruction set has no atomic instructions (ESP32-C3 has none either); there is one
// processor, and no interrupt touches a counted object, so plain accesses do. The names are those that compilers call.
uint32_t machine_atomic_load(const volatile uint32_t *at, int order) __asm__("__atomic_load_4");
uint32_t machine_atomic_load(const volatile uint32_t *at, int order) { (void)order; return *at; }

void machine_atomic_store(volatile uint32_t *at, uint32_t value, int order) __asm__("__atomic_store_4");
void machine_atomic_store(volatile uint32_t *at, uint32_t value, int order) { (void)order; *at = value; }

uint32_t machine_atomic_add(volatile uint32_t *at, uint32_t by, int order) __asm__("__atomic_fetch_add_4");
uint32_t machine_atomic_add(volatile uint32_t *at, uint32_t by, int order) {
    (void)order;
    uint32_t before = *at;
    *at = before + by;
    return before;
}

uint32_t machine_atomic_subtract(volatile uint32_t *at, uint32_t by, int order) __asm__("__atomic_fetch_sub_4");
uint32_t machine_atomic_subtract(volatile uint32_t *at, uint32_t by, int order) {
    return machine_atomic_add(at, 0 - by, order);
}
#endif

// With -assume-single-threaded compiled Swift calls these names, which no optimizer knows; so the counting is called and
// not copied to each place. The work is done by the run-time functions that Embedded Swift brings along.
void *swift_retain(void *object);
void swift_release(void *object);
void *swift_retain_n(void *object, uint32_t count);
void swift_release_n(void *object, uint32_t count);
void *swift_nonatomic_retain(void *object) { return swift_retain(object); }
void swift_nonatomic_release(void *object) { swift_release(object); }
void *swift_nonatomic_retain_n(void *object, uint32_t count) { return swift_retain_n(object, count); }
void swift_nonatomic_release_n(void *object, uint32_t count) { swift_release_n(object, count); }
