/**
 * The exports of the wasm module. Pointers are byte addresses in the backend's memory. The C sources say what each function
 * does. Functions with a `job` share their work among the threads that wait on it.
 */
export interface KernelExports {
  readonly __stack_pointer: WebAssembly.Global;
  /** The program of a worker thread; it does not return. */
  work(job: number, thread: number): void;
  /** The last call of a worker thread, with the length of the text of the failure that it has written to its `Thread`. */
  end_thread(job: number, thread: number, failureBytes: number): void;
  /** Closes a job: no thread takes a piece of it any more. */
  close_job(job: number): void;
  convolution(
    job: number,
    padded: number,
    panels: number,
    out: number,
    batch: number,
    paddedRows: number,
    paddedColumns: number,
    channels: number,
    kernelRows: number,
    kernelColumns: number,
    rowStride: number,
    columnStride: number,
    row: number,
    column: number,
    rows: number,
    columns: number,
    outputs: number,
    outRows: number,
    outColumns: number,
    outRow: number,
    outColumn: number,
    outRowStep: number,
    outColumnStep: number,
    bias: number,
    relu: number,
    zerosAbove: number,
    imageRows: number,
  ): void;
  product(
    job: number,
    a: number,
    panels: number,
    out: number,
    m: number,
    n: number,
    k: number,
    row: number,
    transposed: number,
    bias: number,
    relu: number,
    onTop: number,
  ): void;
  pack_filter(
    filter: number,
    panels: number,
    kernelRows: number,
    kernelColumns: number,
    channels: number,
    outputs: number,
  ): void;
  pack_phase(
    filter: number,
    panels: number,
    kernelRows: number,
    kernelColumns: number,
    channels: number,
    outputs: number,
    rowPhase: number,
    columnPhase: number,
    rowStride: number,
    columnStride: number,
  ): void;
  pack_matrix(
    job: number,
    b: number,
    panels: number,
    k: number,
    n: number,
    row: number,
    transposed: number,
  ): void;
  integer_product(a: number, b: number, out: number, m: number, n: number, k: number): void;
  transpose(x: number, out: number, rows: number, columns: number): void;
  pad(
    job: number,
    x: number,
    padded: number,
    batch: number,
    rows: number,
    columns: number,
    channels: number,
    paddedRows: number,
    paddedColumns: number,
    top: number,
    left: number,
  ): void;
  filter_gradient(
    job: number,
    padded: number,
    dy: number,
    dw: number,
    batch: number,
    paddedRows: number,
    paddedColumns: number,
    channels: number,
    kernelRows: number,
    kernelColumns: number,
    rowStride: number,
    columnStride: number,
    rows: number,
    columns: number,
    outputs: number,
  ): void;
  depthwise_filter_gradient(x: number, dy: number, dw: number, ...geometry: number[]): void;
  depthwise_input_gradient(dy: number, filter: number, dx: number, ...geometry: number[]): void;
  max_pool_gradient(
    job: number,
    x: number,
    dy: number,
    dx: number,
    batch: number,
    rows: number,
    columns: number,
    channels: number,
    outRows: number,
    outColumns: number,
    kernelRows: number,
    kernelColumns: number,
    rowStride: number,
    columnStride: number,
    rowDilation: number,
    columnDilation: number,
    top: number,
    left: number,
  ): void;
  convolution_3d_filter_gradient(x: number, dy: number, dw: number, ...geometry: number[]): void;
  convolution_3d_input_gradient(
    dy: number,
    filter: number,
    dx: number,
    ...geometry: number[]
  ): void;
  max_pool_3d(x: number, out: number, ...geometry: number[]): void;
  max_pool_3d_gradient(x: number, dy: number, dx: number, ...geometry: number[]): void;
  sum_leading(
    x: number,
    out: number,
    totals: number,
    rows: number,
    columns: number,
    scale: number,
  ): void;
  sum_trailing(x: number, out: number, rows: number, columns: number, scale: number): void;
  gramian_of_products(
    job: number,
    left: number,
    rights: number,
    out: number,
    sums: number,
    batch: number,
    inputs: number,
    outputs: number,
    count: number,
  ): void;
  gramian_of_rows(rows: number, out: number, sums: number, count: number, size: number): void;
  finite_rows(rows: number, sizes: number, out: number, count: number): void;
  combine_rows(rows: number, weights: number, out: number, count: number, size: number): void;
  segment_sum(
    x: number,
    ids: number,
    out: number,
    count: number,
    width: number,
    segments: number,
  ): void;
  segment_sum_integers(
    x: number,
    ids: number,
    out: number,
    count: number,
    width: number,
    segments: number,
  ): void;
  pool_average(job: number, x: number, out: number, ...geometry: number[]): void;
  pool_average_gradient(job: number, dy: number, dx: number, ...geometry: number[]): void;
  prelu(x: number, slopes: number, out: number, ...addressesAndSizes: number[]): void;
  extreme(a: number, b: number, out: number, ...sizeStepsAndKind: number[]): void;
  clip(x: number, out: number, size: number, lowest: number, highest: number): void;
  activation_gradient(
    job: number,
    kind: number,
    dy: number,
    value: number,
    dx: number,
    size: number,
    alpha: number,
  ): void;
  softmax_gradient(dy: number, y: number, dx: number, rows: number, columns: number): void;
  log_softmax_gradient(dy: number, y: number, dx: number, rows: number, columns: number): void;
  cross_entropy(
    logits: number,
    labels: number,
    losses: number,
    gradient: number,
    rows: number,
    classes: number,
  ): void;
  /** The batch norm kernels take pointers, scratch, rows, channels and, where there is one, epsilon. */
  batch_norm_training(...pointersAndSizes: number[]): void;
  batch_norm_training_gradient(...pointersAndSizes: number[]): void;
  batch_norm_inference_gradient(...pointersAndSizes: number[]): void;
  /** The updates take pointers, the number of rows, the size of a row, then the numbers of the update rule. */
  momentum_update(job: number, ...pointersAndSizes: number[]): void;
  adam_update(job: number, ...pointersAndSizes: number[]): void;
  /**
   * The layer norm kernels take pointers, scratch where there is some, rows, channels, rows of a piece of work and, where
   * there is one, epsilon.
   */
  layer_norm(job: number, ...pointersAndSizes: number[]): void;
  layer_norm_gradient(job: number, ...pointersAndSizes: number[]): void;
  gelu(job: number, dy: number, x: number, out: number, size: number, approximate: number): void;
  dropout(x: number, out: number, size: number, rate: number, high: number, low: number): void;
  /** The sequence kernels take pointers, 0 for those left out, then scratch, sizes and attributes. */
  lstm(job: number, ...pointersAndSizes: number[]): void;
  lstm_gradient(job: number, ...pointersAndSizes: number[]): void;
  gru(job: number, ...pointersAndSizes: number[]): void;
  gru_gradient(job: number, ...pointersAndSizes: number[]): void;
  attention(job: number, ...pointersAndSizes: number[]): void;
  attention_gradient(job: number, ...pointersAndSizes: number[]): void;
}
