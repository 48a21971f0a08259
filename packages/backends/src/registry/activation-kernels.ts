/** The activations that fused kernels apply, and the kernel that computes each alone. `linear` needs none. */
export const activationKernels: ReadonlyMap<string, string> = new Map([
  ['relu', 'Relu'],
  ['relu6', 'Relu6'],
  ['elu', 'Elu'],
  ['sigmoid', 'Sigmoid'],
  ['leakyrelu', 'LeakyRelu'],
  ['prelu', 'Prelu'],
]);
