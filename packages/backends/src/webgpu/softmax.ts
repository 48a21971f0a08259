import type { TensorInfo } from '@tensorflow/tfjs-core';
import { inputOf, rowsAndChannels } from '../registry/check-inputs.ts';
import { dispatch, groupSize, reductions, type WebGpuKernel } from './program.ts';

/** One workgroup for each row: `write` runs in every thread with the row's `most` and `powers`, Σ_c exp(z_c − most). */
function byRow(write: string): string {
  return `
  ${reductions}
  // Integers in the order of float32 numbers, and back.
  fn orderOf(x : f32) -> u32 {
    let bits = bitcast<u32>(x);
    return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
  }
  fn numberOf(order : u32) -> f32 {
    return bitcast<f32>(select(~order, order & 0x7fffffffu, order >= 0x80000000u));
  }
  fn main(index : i32) {
    let row = index / ${groupSize};
    let thread = i32(localIndex);
    let start = row * uniforms.classes;
    var order = 0u;
    for (var c = thread; c < uniforms.classes; c += ${groupSize}) { order = max(order, orderOf(logits[start + c])); }
    let most = numberOf(largest(order));
    var mine = 0.0;
    for (var c = thread; c < uniforms.classes; c += ${groupSize}) { mine += exp(logits[start + c] - most); }
    let powers = total(mine);
    let label = labels[row];
    let outside = label < 0 || label >= uniforms.classes;
    // A missing label counts nothing, another one outside is an error of the caller's.
    let other = select(uniforms.NAN, 0.0, label == -1);
    // There may be more workgroups than rows.
    if (row < uniforms.rows) { ${write} }
  }`;
}

const losses = byRow(`
  if (thread == 0) {
    if (outside) { result[row] = other; }
    else { result[row] = log(powers) - (logits[start + label] - most); }
  }`);

const gradient = byRow(`
  for (var c = thread; c < uniforms.classes; c += ${groupSize}) {
    if (outside) { result[start + c] = other; }
    else { result[start + c] = exp(logits[start + c] - most) / powers - select(0.0, 1.0, c == label); }
  }`);

/** Cross-entropy of integer labels, row by row: a dispatch for the losses, one for their gradient. */
export const sparseSoftmaxCrossEntropy: WebGpuKernel = {
  name: 'SparseSoftmaxCrossEntropy',
  run: ({ inputs }, gpu) => {
    const name = 'SparseSoftmaxCrossEntropy';
    const logits = inputOf(name, inputs, 'logits');
    const [rows, classes] = rowsAndChannels(logits.shape);
    const outer = logits.shape.slice(0, -1);
    const labels = inputOf(name, inputs, 'labels', outer, 'int32');
    const given = { inputs: { logits, labels }, integers: { rows, classes }, groups: rows };
    const made: TensorInfo[] = [
      dispatch(gpu, { ...given, name: 'cross-entropy', shape: outer, code: losses }),
      dispatch(gpu, {
        ...given,
        name: 'cross-entropy gradient',
        shape: logits.shape,
        code: gradient,
      }),
    ];
    return made;
  },
};
