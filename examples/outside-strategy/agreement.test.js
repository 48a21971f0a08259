import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { strategyConformance } from '@multigrad/conformance';
import { integrateMatrix } from '@multigrad/core/strategy';
import { agreement, plugin } from './agreement.js';

// What every strategy has to do, and what the plugin says that this one does.
strategyConformance({ describe, it }, { plugin });

// What only this one does.
describe('agreement', () => {
  it('listens to the majority', () => {
    const jacobian = [
      [1, 0],
      [2, 0],
      [-1, 0],
    ];
    const { weights } = integrateMatrix(agreement(), jacobian);
    assert.deepEqual(
      [...weights].map((weight) => weight.toFixed(4)),
      ['0.3333', '0.3333', '0.0000'],
    );
  });

  it('leaves nobody below the floor', () => {
    const { weights } = integrateMatrix(agreement({ floor: 0.1 }), [[1], [-1]]);
    assert.deepEqual([...weights], [0.1, 0.1]);
  });
});
