// Gradients of softmax and its logarithm, and the cross-entropy of integer labels: row by row, sums in float64.
#include "math.h"

EXPORT void softmax_gradient(const float *dy, const float *y, float *dx, int rows, int columns) {
  for (int row = 0; row < rows; row++, dy += columns, y += columns, dx += columns) {
    double total = 0;
    for (int c = 0; c < columns; c++) total += (double)dy[c] * y[c];
    for (int c = 0; c < columns; c++) dx[c] = (float)(y[c] * (dy[c] - total));
  }
}

EXPORT void log_softmax_gradient(const float *dy, const float *y, float *dx, int rows, int columns) {
  for (int row = 0; row < rows; row++, dy += columns, y += columns, dx += columns) {
    double total = 0;
    for (int c = 0; c < columns; c++) total += dy[c];
    for (int c = 0; c < columns; c++) dx[c] = (float)(dy[c] - exp_double(y[c]) * total);
  }
}

// losses[i] = log sum_c exp(z_ic) - z_{i, label}; gradient = softmax - one hot; zeros where the label is -1
// (missing), NaN where it is out of range otherwise.
EXPORT void cross_entropy(const float *logits, const int *labels, float *losses, float *gradient, int rows,
                          int classes) {
  for (int row = 0; row < rows; row++, logits += classes, gradient += classes) {
    int label = labels[row];
    if (label < 0 || label >= classes) {
      float value = label == -1 ? 0 : __builtin_nanf("");
      losses[row] = value;
      for (int c = 0; c < classes; c++) gradient[c] = value;
      continue;
    }
    float largest = logits[0];
    for (int c = 1; c < classes; c++) largest = logits[c] > largest ? logits[c] : largest;
    double total = 0;
    for (int c = 0; c < classes; c++) {
      double power = exp_double((double)logits[c] - largest);
      total += power;
      gradient[c] = (float)power;
    }
    double inverse = 1 / total;
    for (int c = 0; c < classes; c++) gradient[c] = (float)(gradient[c] * inverse) - (c == label);
    losses[row] = (float)(log_double(total) - ((double)logits[label] - largest));
  }
}
