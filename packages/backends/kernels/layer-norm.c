// Layer normalisation over the last axis, row by row; sums in float64.
#include "common.h"

EXPORT void layer_norm(const float *x, const float *scale, const float *offset, float *y, float *mean, float *inverse,
                       int rows, int channels, float epsilon) {
  for (int row = 0; row < rows; row++, x += channels, y += channels) {
    double sum = 0, squares = 0;
    for (int c = 0; c < channels; c++) sum += x[c];
    double centre = sum / channels;
    for (int c = 0; c < channels; c++) squares += (x[c] - centre) * (x[c] - centre);
    double factor = 1 / __builtin_sqrt(squares / channels + epsilon);
    mean[row] = (float)centre;
    inverse[row] = (float)factor;
    float m = mean[row], f = inverse[row];
    for (int c = 0; c < channels; c++) y[c] = (x[c] - m) * f * scale[c] + offset[c];
  }
}

// `sums`: 2 * channels doubles.
EXPORT void layer_norm_gradient(const float *dy, const float *x, const float *scale, const float *mean,
                                const float *inverse, float *dx, float *dScale, float *dOffset, double *sums, int rows,
                                int channels) {
  double *slopes = sums, *shifts = sums + channels;
  for (int c = 0; c < channels; c++) slopes[c] = shifts[c] = 0;
  for (int row = 0; row < rows; row++, dy += channels, x += channels, dx += channels) {
    double plain = 0, mixed = 0;
    float m = mean[row], f = inverse[row];
    for (int c = 0; c < channels; c++) {
      double standard = (double)(x[c] - m) * f, g = (double)dy[c] * scale[c];
      plain += g;
      mixed += g * standard;
      slopes[c] += dy[c] * standard;
      shifts[c] += dy[c];
    }
    plain /= channels, mixed /= channels;
    for (int c = 0; c < channels; c++)
      dx[c] = (float)(f * ((double)dy[c] * scale[c] - plain - (double)(x[c] - m) * f * mixed));
  }
  for (int c = 0; c < channels; c++) {
    dScale[c] = (float)slopes[c];
    dOffset[c] = (float)shifts[c];
  }
}
