export default {
  mode: 'production',
  entry: './src/main.js',
  // TensorFlow.js is larger than what webpack warns of; the worker loads it beside the page.
  performance: { hints: false },
};
