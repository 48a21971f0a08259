// The tables of docs/distributed.md, from the record of `npm run bench -- ranks`.
import { forecast } from '@multigrad/distributed';

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const over = { tcp: 'TCP', mpi: 'Open MPI' };
const titles = { resnet18: 'ResNet-18', perceptron: 'perceptron' };
const cable = { bandwidth: 25e9 / 8, latency: 20e-6 };

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---:')), ...rows.map(row)].join('\n');

/** The constants of each way to connect ranks, and of each network: medians of the rounds. */
function constantsOf({ results }) {
  const ways = Object.keys(over).filter((way) => way in results[0].runs[0]);
  const connections = Object.fromEntries(
    ways.map((way) => {
      const all = results.flatMap(({ runs }) => runs.map((run) => run[way].connection));
      const of = (what) => median(all.map((one) => one[what]));
      return [way, { latency: of('latency'), bandwidth: of('bandwidth') }];
    }),
  );
  const networks = results.map(({ network, batch, runs }) => {
    const [{ alone, ...others }] = runs;
    const seconds = median(runs.map((run) => run.alone.seconds));
    return {
      network,
      runs,
      seconds,
      work: {
        batch,
        secondsPerSample: seconds / batch,
        shared: alone.shared,
        heads: alone.heads,
        objectives: alone.objectives,
        smallExchanges: Object.values(others)[0].exchanges.control.calls,
      },
    };
  });
  return { ways, connections, networks };
}

/** Latency and bandwidth between two ranks. */
function connectionTable({ ways, connections }) {
  return table(
    ['over', 'latency, µs', 'GB a second'],
    ways.map((way) => {
      const { latency, bandwidth } = connections[way];
      return [over[way], (1e6 * latency).toFixed(0), (bandwidth / 1e9).toFixed(2)];
    }),
  );
}

/** Steps of two ranks: as forecast from one rank and the connection, and as measured. */
function checkTable({ ways, connections, networks }) {
  const milliseconds = (seconds) => (1000 * seconds).toFixed(0);
  return table(
    [
      'network',
      'over',
      'ms a step by one rank',
      'by two, forecast',
      'by two, measured',
      'measured / forecast',
      'of it in exchanges, forecast',
      'of it in exchanges, measured',
      'bytes a step',
    ],
    networks.flatMap(({ network, runs, seconds, work }) =>
      ways.map((way) => {
        const { compute, communication } = forecast(2, work, connections[way]);
        const foreseen = compute + communication;
        const found = median(runs.map((run) => run[way].seconds));
        const inExchanges = median(
          runs.map(({ [way]: { exchanges } }) =>
            Object.values(exchanges).reduce((sum, { time }) => sum + time, 0),
          ),
        );
        const { reduceScatter, allGather, control } = runs[0][way].exchanges;
        const bytes = reduceScatter.bytes + allGather.bytes + control.bytes;
        return [
          titles[network],
          over[way],
          milliseconds(seconds),
          milliseconds(foreseen),
          milliseconds(found),
          (found / foreseen).toFixed(2),
          milliseconds(communication),
          inExchanges.toFixed(0),
          Math.round(bytes).toLocaleString('en'),
        ];
      }),
    ),
  );
}

/** What more ranks bring, with the measured time a sample, over the measured connection and over another one. */
function forecastTable({ ways: [way], connections, networks: [{ work }] }) {
  const large = { ...work, batch: 4096 };
  const milliseconds = (seconds) => (1000 * seconds).toFixed(0);
  return table(
    [
      'ranks',
      'ms in passes',
      `ms in exchanges, as over ${over[way]} here`,
      'times as fast',
      'ms in exchanges, 25 Gbit/s',
      'times as fast',
      'the same, 1 ms a sample',
    ],
    [2, 8, 32, 64, 128, 256, 512].map((ranks) => {
      const here = forecast(ranks, large, connections[way]);
      const there = forecast(ranks, large, cable);
      const fast = forecast(ranks, { ...large, secondsPerSample: 0.001 }, cable);
      return [
        ranks,
        milliseconds(here.compute),
        milliseconds(here.communication),
        here.speedup.toFixed(1),
        milliseconds(there.communication),
        there.speedup.toFixed(1),
        fast.speedup.toFixed(1),
      ];
    }),
  );
}

/** @returns the tables, as Markdown: the connection, forecast beside measured steps, more ranks */
export function tablesOf(record) {
  const constants = constantsOf(record);
  return [connectionTable(constants), checkTable(constants), forecastTable(constants)];
}
