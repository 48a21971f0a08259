// Products of small matrices within one thread: one factor in panels, blocks of rows in registers. Part of multigrad.cc,
// which includes it.

#ifndef MULTIGRAD_DENSE_PRODUCT_H_
#define MULTIGRAD_DENSE_PRODUCT_H_

#include <cstring>

#include "small_maps.h"

namespace multigrad {

// A factor whose number (i, d) is at values[i * row + d * step].
struct Factor {
  const float *values;
  size_t row, step;
};

// c (R rows, `row` apart) += a (R x k) times one panel (k x L * P), of whose columns `width` count.
template <size_t L, size_t R, size_t P>
EACH_INLINE AddBlock(Factor a, const float *panel, float *c, size_t row, size_t width, size_t k) {
  typedef typename Vector<L>::Type V;
  V sums[R][P] = {};
  for (size_t d = 0; d < k; ++d, panel += L * P) {
    V factors[P];
    for (size_t p = 0; p < P; ++p) factors[p] = *reinterpret_cast<const V *>(panel + p * L);
    for (size_t r = 0; r < R; ++r) {
      const float x = a.values[r * a.row + d * a.step];
      for (size_t p = 0; p < P; ++p) sums[r][p] += factors[p] * x;
    }
  }
  for (size_t r = 0; r < R; ++r, c += row) {
    if (width == L * P) {
      for (size_t p = 0; p < P; ++p) *reinterpret_cast<V *>(c + p * L) += sums[r][p];
      continue;
    }
    float some[L * P];
    for (size_t p = 0; p < P; ++p) *reinterpret_cast<V *>(some + p * L) = sums[r][p];
    for (size_t j = 0; j < width; ++j) c[j] += some[j];
  }
}

// The rows that are left after whole blocks.
template <size_t L, size_t R, size_t P>
EACH_INLINE AddRest(Factor a, const float *panel, float *c, size_t row, size_t width, size_t k, size_t left) {
  if constexpr (R > 0) {
    if (left == R) return AddBlock<L, R, P>(a, panel, c, row, width, k);
    AddRest<L, R - 1, P>(a, panel, c, row, width, k, left);
  }
}

template <size_t L, size_t R, size_t P>
EACH_INLINE AddPanels(Factor a, const float *panels, float *c, size_t row, size_t m, size_t n, size_t k) {
  for (size_t j = 0; j < n; j += L * P, panels += k * L * P) {
    const size_t width = std::min(L * P, n - j);
    Factor block = a;
    size_t i = 0;
    for (; i + R <= m; i += R, block.values += R * a.row) AddBlock<L, R, P>(block, panels, c + i * row + j, row, width, k);
    AddRest<L, R - 1, P>(block, panels, c + i * row + j, row, width, k, m - i);
  }
}

#if defined(__x86_64__)
WITH_AVX512 static void AddPanels512(Factor a, const float *panels, float *c, size_t row, size_t m, size_t n, size_t k) {
  AddPanels<16, 8, 2>(a, panels, c, row, m, n, k);
}
WITH_AVX2 static void AddPanels256(Factor a, const float *panels, float *c, size_t row, size_t m, size_t n, size_t k) {
  AddPanels<8, 6, 2>(a, panels, c, row, m, n, k);
}
static const bool kHas256 = HasSmallMaps();
// Columns of a panel on this processor.
static const size_t kColumns = kHas512 ? 32 : kHas256 ? 16 : 8;
#else
constexpr size_t kColumns = 8;
#endif

static size_t PanelSize(size_t k, size_t n) { return k * ((n + kColumns - 1) / kColumns * kColumns); }

// Packs b, whose number (d, j) is at b[d * row + j * column], into panels; columns beyond n are zeros.
static void PackPanels(const float *b, size_t row, size_t column, size_t k, size_t n, float *panels) {
  for (size_t j = 0; j < n; j += kColumns) {
    const size_t width = std::min(kColumns, n - j);
    const float *source = b + j * column;
    for (size_t d = 0; d < k; ++d, source += row, panels += kColumns) {
      if (column == 1) std::memcpy(panels, source, width * sizeof(float));
      else for (size_t i = 0; i < width; ++i) panels[i] = source[i * column];
      std::fill(panels + width, panels + kColumns, 0.0f);
    }
  }
}

// c (m x n, rows `row` apart) += a (m x k) times a matrix in panels (k x n).
static void AddProduct(Factor a, const float *panels, float *c, size_t row, size_t m, size_t n, size_t k) {
#if defined(__x86_64__)
  if (kHas512) return AddPanels512(a, panels, c, row, m, n, k);
  if (kHas256) return AddPanels256(a, panels, c, row, m, n, k);
#endif
  AddPanels<4, 4, 2>(a, panels, c, row, m, n, k);
}

}  // namespace multigrad

#endif  // MULTIGRAD_DENSE_PRODUCT_H_
