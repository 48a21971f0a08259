/** The contract of a kernel: what every backend that has it computes. */
export interface KernelContract {
  /**
   * Input tensors by name; `row…` stands for any number of them: `row0`, `row1`, …. Those that end in `?` may be left out.
   */
  readonly inputs: readonly string[];
  /** Attributes by name, which are plain values. */
  readonly attributes: readonly string[];
  /** Output tensors, in order. */
  readonly outputs: readonly string[];
  /** The formula. Sums over many numbers are to be accumulated without drift (float64, pairwise or in blocks). */
  readonly computes: string;
}

/** Name of a kernel that the engine or the models use where the backend has it. */
export type TrainingKernel =
  | 'GramianOfRows'
  | 'GramianOfProducts'
  | 'CombineRows'
  | 'FiniteRows'
  | 'ReluGrad'
  | 'Relu6Grad'
  | 'LeakyReluGrad'
  | 'EluGrad'
  | 'SigmoidGrad'
  | 'TanhGrad'
  | 'SoftmaxGrad'
  | 'LogSoftmaxGrad'
  | 'BatchNormInferenceGrad'
  | 'BatchNormTraining'
  | 'BatchNormTrainingGrad'
  | 'LayerNorm'
  | 'LayerNormGrad'
  | 'Gelu'
  | 'GeluGrad'
  | 'SeededDropout'
  | 'SparseSoftmaxCrossEntropy'
  | 'Lstm'
  | 'LstmGrad'
  | 'Gru'
  | 'GruGrad'
  | 'Attention'
  | 'AttentionGrad'
  | 'MomentumUpdate'
  | 'AdamUpdate';

/**
 * The contracts of kernels that TensorFlow.js lacks or composes of several others. The engine and the models run them where the
 * backend in use has them, and compute the same with other operations elsewhere. `@multigrad/backends` implements them; any
 * package may register its own with TensorFlow.js's `registerKernel`, kernel by kernel.
 *
 * Inputs are float32 unless the formula says otherwise; "channel" is the last axis.
 *
 * @example
 * ```ts
 * import { trainingKernels } from '@multigrad/core/kernels';
 *
 * console.log(trainingKernels.ReluGrad.computes); // dx = dy where y > 0, else 0
 * ```
 */
export const trainingKernels: Readonly<Record<TrainingKernel, KernelContract>> = {
  GramianOfRows: {
    inputs: ['row…'],
    attributes: [],
    outputs: ['packed'],
    computes:
      'K + K (K + 1) numbers for K rows of one shape: largest magnitudes m_k (NaN or infinite where the row is), ' +
      'then for each pair i <= j the high and the low part of <g_i, g_j> / (m_i m_j), zeros where m_i or m_j is 0',
  },
  GramianOfProducts: {
    inputs: ['left', 'row…'],
    attributes: [],
    outputs: ['packed'],
    computes:
      'K + K (K + 1) + 1 numbers for the K gradients g_k = leftᵀ row_k, left [batch, n], row_k [batch, m], which need not be ' +
      'computed: <g_i, g_j> = Σ_bc <left_b, left_c> <row_ib, row_jc>, in float64 throughout; first the lengths m_k = |g_k| ' +
      '(NaN or infinite where the gradient is), then the products as of GramianOfRows, then the largest of ' +
      '(Σ_b |left_b| |row_kb|)² / m_k², infinite where m_k alone is 0',
  },
  CombineRows: {
    inputs: ['row…'],
    attributes: ['weights'],
    outputs: ['sum'],
    computes: 'Σ_k weights[k] · row_k',
  },
  FiniteRows: {
    inputs: ['row…'],
    attributes: [],
    outputs: ['finite'],
    computes: 'for each row, of any size: 1 where every number of it is finite, else 0',
  },
  ReluGrad: {
    inputs: ['dy', 'y'],
    attributes: [],
    outputs: ['dx'],
    computes: 'dx = dy where y > 0, else 0',
  },
  Relu6Grad: {
    inputs: ['dy', 'x'],
    attributes: [],
    outputs: ['dx'],
    computes: 'dx = dy where 0 < x <= 6, else 0; at x = 6 a backend may say 0',
  },
  LeakyReluGrad: {
    inputs: ['dy', 'x'],
    attributes: ['alpha'],
    outputs: ['dx'],
    computes: 'dx = dy where x > 0, else alpha · dy',
  },
  EluGrad: {
    inputs: ['dy', 'y'],
    attributes: [],
    outputs: ['dx'],
    computes: 'dx = dy where y >= 0, else dy · (y + 1)',
  },
  SigmoidGrad: {
    inputs: ['dy', 'y'],
    attributes: [],
    outputs: ['dx'],
    computes: 'dx = dy · y · (1 − y)',
  },
  TanhGrad: {
    inputs: ['dy', 'y'],
    attributes: [],
    outputs: ['dx'],
    computes: 'dx = dy · (1 − y²)',
  },
  SoftmaxGrad: {
    inputs: ['dy', 'y'],
    attributes: [],
    outputs: ['dx'],
    computes: 'over the last axis: dx = y · (dy − Σ_c dy_c y_c)',
  },
  LogSoftmaxGrad: {
    inputs: ['dy', 'y'],
    attributes: [],
    outputs: ['dx'],
    computes: 'over the last axis: dx = dy − exp(y) · Σ_c dy_c',
  },
  BatchNormInferenceGrad: {
    inputs: ['dy', 'x', 'mean', 'variance', 'scale'],
    attributes: ['epsilon'],
    outputs: ['dx', 'dMean', 'dVariance', 'dScale', 'dOffset'],
    computes:
      'gradients of scale · (x − mean) · s + offset, s = 1 / √(variance + epsilon), by channel: dx = dy · scale · s, ' +
      'dOffset = Σ dy, dScale = s Σ dy (x − mean), dMean = −scale · s · dOffset, dVariance = −scale · s² · dScale / 2',
  },
  BatchNormTraining: {
    inputs: ['x', 'scale', 'offset'],
    attributes: ['epsilon'],
    outputs: ['y', 'mean', 'variance', 'inverseDeviation'],
    computes:
      'by channel over all other axes: mean and biased variance of x, inverseDeviation = 1 / √(variance + epsilon), ' +
      'y = scale · (x − mean) · inverseDeviation + offset',
  },
  BatchNormTrainingGrad: {
    inputs: ['dy', 'x', 'scale', 'mean', 'inverseDeviation'],
    attributes: [],
    outputs: ['dx', 'dScale', 'dOffset'],
    computes:
      'by channel over n numbers each, x̂ = (x − mean) · inverseDeviation: dOffset = Σ dy, dScale = Σ dy x̂, ' +
      'dx = scale · inverseDeviation · (dy − dOffset / n − x̂ · dScale / n)',
  },
  LayerNorm: {
    inputs: ['x', 'scale', 'offset'],
    attributes: ['epsilon'],
    outputs: ['y', 'mean', 'inverseDeviation'],
    computes:
      'over the last axis of each row: mean and biased variance, inverseDeviation = 1 / √(variance + epsilon), ' +
      'y = scale · (x − mean) · inverseDeviation + offset; mean and inverseDeviation have one number a row, flat',
  },
  LayerNormGrad: {
    inputs: ['dy', 'x', 'scale', 'mean', 'inverseDeviation'],
    attributes: [],
    outputs: ['dx', 'dScale', 'dOffset'],
    computes:
      'x̂ = (x − mean) · inverseDeviation, g = dy · scale: dOffset = Σ_rows dy, dScale = Σ_rows dy x̂, ' +
      'dx = inverseDeviation · (g − mean_c(g) − x̂ · mean_c(g x̂))',
  },
  Gelu: {
    inputs: ['x'],
    attributes: ['approximate'],
    outputs: ['y'],
    computes:
      'y = x · Φ(x), Φ the normal distribution function; approximate: x / 2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))',
  },
  GeluGrad: {
    inputs: ['dy', 'x'],
    attributes: ['approximate'],
    outputs: ['dx'],
    computes: 'dx = dy · ∂y/∂x of Gelu',
  },
  SeededDropout: {
    inputs: ['x'],
    attributes: ['rate', 'key'],
    outputs: ['y'],
    computes:
      'y_i = x_i / (1 − rate) where the i-th of the uniform numbers that the key stands for is >= rate, else 0 ' +
      '(`seededUniform` says which numbers: every backend draws the same mask)',
  },
  SparseSoftmaxCrossEntropy: {
    inputs: ['logits', 'labels'],
    attributes: [],
    outputs: ['losses', 'gradient'],
    computes:
      'row by row, labels int32: losses_i = log Σ_c exp(z_ic) − z_{i, y_i}, gradient_ic = softmax(z_i)_c − [c = y_i]; ' +
      'zeros in the whole row where the label is −1 (missing), NaN where it is out of range otherwise',
  },
  Lstm: {
    inputs: ['sums', 'recurrent', 'h', 'c', 'mask?'],
    attributes: ['hard'],
    outputs: ['states', 'last', 'gates', 'cells', 'before'],
    computes:
      'n sequences of t steps, u units, sums (n × t × 4u) = x W + b: [i, f, g, o] = sums_t + h_{t−1} U, ' +
      'ĉ = σ(f) c_{t−1} + σ(i) tanh(g), ĥ = σ(o) tanh(ĉ), c_t = c_{t−1} + m_t (ĉ − c_{t−1}), h_t likewise; mask m (n × t), ' +
      'ones if left out; hard: σ(x) is x / 5 + 1 / 2 kept in [0, 1]; states and cells are all h_t and c_t, ' +
      'last is [h, c] behind the last step (n × 2u), gates are σ(i), σ(f), tanh(g), σ(o), before is h_{t−1}',
  },
  LstmGrad: {
    inputs: ['dStates?', 'dLast?', 'recurrent', 'c', 'mask?', 'gates', 'cells'],
    attributes: ['hard'],
    outputs: ['dSums', 'dH', 'dC'],
    computes:
      'gradients of Lstm with respect to sums, h and c; that of recurrent is Σ before_{nt}ᵀ dSums_{nt} over all n and t',
  },
  Gru: {
    inputs: ['sums', 'recurrent', 'h', 'mask?'],
    attributes: ['hard'],
    outputs: ['states', 'last', 'gates', 'before', 'reset'],
    computes:
      'n sequences of t steps, u units, sums (n × t × 3u) = x W + b: z = σ(sums_z + h_{t−1} U_z), r = σ(sums_r + h_{t−1} U_r), ' +
      'g = tanh(sums_g + (r h_{t−1}) U_g), ĥ = z h_{t−1} + (1 − z) g, h_t = h_{t−1} + m_t (ĥ − h_{t−1}); mask m and hard as in ' +
      'Lstm; states are all h_t, last is the one behind the last step (n × u), gates are z, r, g, before is h_{t−1}, reset is r h_{t−1}',
  },
  GruGrad: {
    inputs: ['dStates?', 'dLast?', 'recurrent', 'mask?', 'gates', 'before'],
    attributes: ['hard'],
    outputs: ['dSums', 'dH'],
    computes:
      'gradients of Gru with respect to sums and h; that of [U_z, U_r] is Σ before_{nt}ᵀ dSums_{nt} over all n and t, ' +
      'that of U_g is Σ reset_{nt}ᵀ dSums_{nt}, of the columns that are theirs',
  },
  Attention: {
    inputs: ['q', 'k', 'v', 'mask?'],
    attributes: ['heads', 'scale'],
    outputs: ['y', 'p'],
    computes:
      'queries n × t × w, keys and values n × s × w, each row the heads side by side: for each sample and head ' +
      'p = softmax(scale · q kᵀ + 10⁹ (mask − 1)), y = p v; mask n × s, ones if left out; p is n × heads × t × s',
  },
  AttentionGrad: {
    inputs: ['dy', 'q', 'k', 'v', 'p'],
    attributes: ['heads', 'scale'],
    outputs: ['dq', 'dk', 'dv'],
    computes:
      'for each sample and head: e = dy vᵀ, r = scale · p (e − Σ_s p e), dq = r k, dk = rᵀ q, dv = pᵀ dy',
  },
  MomentumUpdate: {
    inputs: ['variable', 'velocity', 'row…'],
    attributes: ['weights', 'learningRate', 'momentum', 'weightDecay', 'nesterov', 'spent'],
    outputs: ['variable', 'velocity'],
    computes:
      'g = Σ_k weights[k] · row_k + weightDecay · θ, v ← momentum · v + g, ' +
      'θ ← θ − learningRate · v, or θ − learningRate · (g + momentum · v) with nesterov; ' +
      'where spent is true nobody reads the inputs θ and v again, and the outputs may be written over them',
  },
  AdamUpdate: {
    inputs: ['variable', 'mean', 'square', 'row…'],
    attributes: [
      'weights',
      'learningRate',
      'beta1',
      'beta2',
      'epsilon',
      'weightDecay',
      'decoupledDecay',
      'correction1',
      'correction2',
      'spent',
    ],
    outputs: ['variable', 'mean', 'square'],
    computes:
      'g = Σ_k weights[k] · row_k + weightDecay · θ, m ← beta1 m + (1 − beta1) g, s ← beta2 s + (1 − beta2) g², ' +
      'θ ← (1 − learningRate · decoupledDecay) θ − learningRate · (m / correction1) / (√(s / correction2) + epsilon); ' +
      'spent as in MomentumUpdate, of θ, m and s',
  },
};
