// Products of small matrices within one piece of work: one factor in panels of 8 columns, blocks of 4 rows in registers.
#pragma once
#include "common.h"

#define PANEL 8

// Numbers that the panels of a k x n matrix take.
INLINE size_t panel_size(int k, int n) { return (size_t)k * ((n + PANEL - 1) / PANEL * PANEL); }

// Packs b, whose number (d, j) is at b[d * row + j * column], into panels [k][8]; columns beyond n are zeros.
INLINE void pack_panels(const float *b, size_t row, size_t column, int k, int n, float *panels) {
  for (int j = 0; j < n; j += PANEL) {
    int width = min_int(PANEL, n - j);
    const float *source = b + j * column;
    for (int d = 0; d < k; d++, source += row, panels += PANEL) {
      if (width == PANEL && column == 1) {
        wasm_v128_store(panels, wasm_v128_load(source));
        wasm_v128_store(panels + 4, wasm_v128_load(source + 4));
        continue;
      }
      for (int i = 0; i < PANEL; i++) panels[i] = i < width ? source[i * column] : 0;
    }
  }
}

// A factor whose number (i, d) is at values[i * row + d * step].
typedef struct {
  const float *values;
  size_t row, step;
} Factor;

INLINE void add_block(Factor a, const float *panel, float *c, size_t row, int width, int k, int many) {
  v128_t u[4], v[4];
  for (int i = 0; i < many; i++) u[i] = v[i] = zero4();
  const float *p = a.values;
  for (int d = 0; d < k; d++, p += a.step, panel += PANEL) {
    v128_t left = wasm_v128_load(panel), right = wasm_v128_load(panel + 4);
    for (int i = 0; i < many; i++) {
      v128_t s = wasm_v128_load32_splat(p + i * a.row);
      u[i] = mul_add(u[i], s, left);
      v[i] = mul_add(v[i], s, right);
    }
  }
  for (int i = 0; i < many; i++, c += row) {
    if (width == PANEL) {
      wasm_v128_store(c, wasm_f32x4_add(wasm_v128_load(c), u[i]));
      wasm_v128_store(c + 4, wasm_f32x4_add(wasm_v128_load(c + 4), v[i]));
      continue;
    }
    float sums[PANEL];
    wasm_v128_store(sums, u[i]);
    wasm_v128_store(sums + 4, v[i]);
    for (int j = 0; j < width; j++) c[j] += sums[j];
  }
}

// c (m x n, rows `row` apart) += a (m x k) times a matrix in panels (k x n).
INLINE void add_product(Factor a, const float *panels, float *c, size_t row, int m, int n, int k) {
  for (int j = 0; j < n; j += PANEL, panels += (size_t)k * PANEL) {
    int width = min_int(PANEL, n - j), i = 0;
    Factor block = a;
    for (; i + 4 <= m; i += 4, block.values += 4 * a.row) add_block(block, panels, c + i * row + j, row, width, k, 4);
    switch (m - i) {
      case 3: add_block(block, panels, c + i * row + j, row, width, k, 3); break;
      case 2: add_block(block, panels, c + i * row + j, row, width, k, 2); break;
      case 1: add_block(block, panels, c + i * row + j, row, width, k, 1); break;
    }
  }
}
