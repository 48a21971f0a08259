export type { Group, Losses } from './groups.ts';
export {
  type GroupReport,
  integrateGradients,
  type IntegratedGradients,
  type IntegrationState,
} from './integrate-gradients.ts';
export type { Parameters } from './parameter-tree.ts';
