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
