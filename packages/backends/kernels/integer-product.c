// Products of int32 matrices.
#include "common.h"

// out [m, n] = a [m, k] * b [k, n], modulo 2^32; called by the main thread alone.
EXPORT void integer_product(const unsigned *a, const unsigned *b, unsigned *out, int m, int n, int k) {
  for (int row = 0; row < m; row++, a += k, out += n) {
    for (int c = 0; c < n; c++) out[c] = 0;
    for (int i = 0; i < k; i++) {
      unsigned factor = a[i];
      const unsigned *from = b + (size_t)i * n;
      for (int c = 0; c < n; c++) out[c] += factor * from[c];
    }
  }
}
