export { assertAlike } from './assert-alike.ts';
export { broadcastSnapshot, type Restorable } from './broadcast-snapshot.ts';
export { alone } from './alone.ts';
export type { Communicator, Numbers, Payload, Reduction } from './communicator.ts';
export { type ExchangeOptions, gradientExchange, type RankExchange } from './exchange.ts';
export {
  type CountedExchange,
  type ExchangedNorms,
  type ExchangedVariable,
  exchangesOfStep,
  type StepExchanges,
  type StepToExchange,
} from './exchanges-of-step.ts';
export { type Connection, type Forecast, forecast, type Workload } from './forecast.ts';
export { broadcastJson, gatherJson } from './json.ts';
export {
  measured,
  type MeasuredCommunicator,
  type Traffic,
  type TrafficReport,
} from './measured.ts';
export { measureConnection, type MeasureConnectionOptions } from './measure-connection.ts';
export { runRanks } from './local/local-group.ts';
export { localBatches } from './local-batches.ts';
export { type Batches, shardBatches } from './shard-batches.ts';
export type { WireFormat } from './wire.ts';
