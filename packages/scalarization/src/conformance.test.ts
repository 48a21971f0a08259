import { strategyConformance } from '@multigrad/conformance';
import { describe, it } from 'vitest';
import { plugins } from './index.ts';

for (const plugin of plugins) strategyConformance({ describe, it }, { plugin });
