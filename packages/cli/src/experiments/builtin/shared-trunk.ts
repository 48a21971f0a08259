import {
  multilayerPerceptron,
  type MultiTaskNetwork,
  multiTaskNetwork,
  type MultiTaskNetworkOptions,
} from '@multigrad/models';

/** A small network of table rows that all tasks share, with a linear head for each. */
export function sharedTrunk<Name extends string>({
  shape,
  width,
  tasks,
  seed,
}: {
  readonly shape: readonly number[];
  /** Units of the hidden layer and of the shared features. */
  readonly width: number;
  readonly tasks: MultiTaskNetworkOptions<Name>['tasks'];
  readonly seed: number;
}): MultiTaskNetwork<Name> {
  return multiTaskNetwork<Name>({
    trunk: multilayerPerceptron({
      ...{ name: 'trunk', shape: [...shape], hidden: [width], features: width, seed },
    }),
    tasks,
    seed,
  });
}
