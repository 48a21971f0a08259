// Layers that @tensorflow/tfjs-layers holds and does not export, for a bundle.
export { EinsumDense } from '@tensorflow/tfjs-layers/dist/layers/nlp/einsum_dense';
export { MultiHeadAttention } from '@tensorflow/tfjs-layers/dist/layers/nlp/multihead_attention';
export { TransformerDecoder } from '@tensorflow/tfjs-layers/dist/layers/nlp/modeling/transformer_decoder';
