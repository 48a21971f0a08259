// Shared by all kernels: SIMD intrinsics, the few types, and the export mark. No libc, no data segments.
#pragma once
#include <wasm_simd128.h>

typedef unsigned long size_t;
#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

INLINE int min_int(int a, int b) { return a < b ? a : b; }
INLINE int max_int(int a, int b) { return a > b ? a : b; }
INLINE v128_t zero4(void) { return wasm_f32x4_const_splat(0); }
// a + x * y: rounded once where the module is built with relaxed SIMD and the machine has the instruction.
INLINE v128_t mul_add(v128_t a, v128_t x, v128_t y) {
#ifdef __wasm_relaxed_simd__
  return __builtin_wasm_relaxed_madd_f32x4(x, y, a);
#else
  return wasm_f32x4_add(a, wasm_f32x4_mul(x, y));
#endif
}

// Two of four numbers in float64.
INLINE v128_t low_pair(v128_t x) { return wasm_f64x2_promote_low_f32x4(x); }
INLINE v128_t high_pair(v128_t x) { return wasm_f64x2_promote_low_f32x4(wasm_i32x4_shuffle(x, x, 2, 3, 2, 3)); }

// Loops of our own take the place of memset and memcpy. The compiler makes bulk memory instructions of those, and they trap
// on a thread whose engine does not know yet that the memory has grown (THREADS.md).
INLINE void clear(float *target, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    wasm_v128_store(target + i, zero4());
    wasm_v128_store(target + i + 4, zero4());
    wasm_v128_store(target + i + 8, zero4());
    wasm_v128_store(target + i + 12, zero4());
  }
  for (; i + 4 <= count; i += 4) wasm_v128_store(target + i, zero4());
  for (; i < count; i++) target[i] = 0;
}

INLINE void copy(float *target, const float *source, size_t count) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    v128_t a = wasm_v128_load(source + i), b = wasm_v128_load(source + i + 4);
    v128_t c = wasm_v128_load(source + i + 8), d = wasm_v128_load(source + i + 12);
    wasm_v128_store(target + i, a);
    wasm_v128_store(target + i + 4, b);
    wasm_v128_store(target + i + 8, c);
    wasm_v128_store(target + i + 12, d);
  }
  for (; i + 4 <= count; i += 4) wasm_v128_store(target + i, wasm_v128_load(source + i));
  for (; i < count; i++) target[i] = source[i];
}
