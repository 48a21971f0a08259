/** A Markdown table of one workload: medians, and ratios as `median (quartiles)`. */
export function stepTable({ workload, batchSize, width, rounds, rows }) {
  const compared = rows.some((row) => row.ofOther !== undefined);
  const cells = rows
    .filter((row) => row.case !== undefined)
    .map((row) => [
      row.runner,
      row.case,
      row.milliseconds[1].toFixed(1),
      spread(row.ofOwnSum),
      spread(row.ofPeerSum),
      spread(row.ofPeerOfficial),
      spread(row.ofPeerByHand),
      ...(compared ? [spread(row.ofOther)] : []),
      row.peakTensorMegabytes?.toFixed(1) ?? '',
    ]);
  const header = [
    'runs on',
    'step',
    'ms',
    'of its own sum',
    "of PyTorch's sum",
    'of the official loop',
    'of MMPareto by hand',
    ...(compared ? ['of the other checkout'] : []),
    'peak tensors, MiB',
  ];
  const memory = rows
    .filter((row) => row.residentMegabytes !== undefined)
    .map((row) => `${row.runner} ${row.residentMegabytes.toFixed(0)}`);
  const size = workload === 'cg-mnist' ? `, width ${width}` : '';
  return [
    `### ${workload}, batch ${batchSize}${size}, ${rounds} rounds`,
    '',
    ...table(header, cells),
    '',
    `Largest resident memory of each process, all its cases together, MiB: ${memory.join(', ')}.`,
    '',
  ].join('\n');
}

function spread(value) {
  if (value === undefined) return '';
  const [low, median, high] = [value.low, value.median, value.high].map((x) => x.toFixed(2));
  return `${median} (${low} … ${high})`;
}

function table(header, cells) {
  const widths = header.map((title, k) =>
    Math.max(title.length, ...cells.map((row) => row[k].length)),
  );
  const line = (row) => `| ${row.map((cell, k) => cell.padEnd(widths[k])).join(' | ')} |`;
  return [
    line(header),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...cells.map(line),
  ];
}
