/**
 * Tests of upstream's that hold TensorFlow.js to a mistake, by key, and what is right instead. They must fail with our
 * kernels, as `packages/backends/src/registry/operations.test.ts` compares the same gradients with numeric derivatives.
 */
export const mistaken = new Map([
  [
    'gradients_test: gradients errors if relevant ops are missing grads',
    'logical operations are constant between jumps: their gradient is zero',
  ],
  [
    'ops/avg_pool_test: avgPool gradient x=[3,3,1] f=[3,3] s=1 p=explicit',
    'the forward pass divides by the number of pixels inside of the image, so does its gradient',
  ],
  [
    'ops/depthwise_conv2d_test: depthwiseConv2d gradients throws error on dilations > 1',
    'there is a gradient of dilated convolutions',
  ],
  [
    'ops/mirror_pad_test: mirrorPad grad',
    'a number that was copied gets the gradients of its copies',
  ],
  [
    'ops/mirror_pad_test: mirrorPad gradient with clones',
    'a number that was copied gets the gradients of its copies',
  ],
]);
