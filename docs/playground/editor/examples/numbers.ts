// Gradients as plain numbers, and what strategies make of them; no tensor library.
import { integrateMatrix } from '@multigrad/core/strategy';
import { cagrad } from '@multigrad/strategy-cagrad';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { upgrad } from '@multigrad/strategy-upgrad';

const jacobian = [
  [-4, 1, 1], // the first objective's gradient
  [6, 1, 1], // the second one's
];

const show = (name: string, { update }: { update: Float64Array }) => {
  const gains = jacobian.map((gradient) => gradient.reduce((all, g, i) => all + g * update[i]!, 0));
  console.log(name, update, gains.every((gain) => gain >= -1e-9) ? 'lowers both' : 'raises one');
};
show('sum', integrateMatrix(sum(), jacobian));
show('MMPareto', integrateMatrix(mmpareto(), jacobian));
show('PCGrad', integrateMatrix(pcgrad({ seed: 1 }), jacobian));
show('MGDA', integrateMatrix(mgda(), jacobian));
show('UPGrad', integrateMatrix(upgrad(), jacobian));
show('CAGrad', integrateMatrix(cagrad(), jacobian));
show('Nash-MTL', integrateMatrix(nashMtl(), jacobian));
