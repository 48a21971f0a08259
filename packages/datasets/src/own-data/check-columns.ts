import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import type { Column } from './column.ts';

type Columns = Readonly<Record<string, Column>>;

/** @throws MultigradError `invalid-option` for inputs and targets that are none, or have a name in common */
export function assertKinds(inputs: Columns, targets: Columns): void {
  const both = Object.keys(inputs).find((name) => Object.hasOwn(targets, name));
  if (both !== undefined) {
    throw new MultigradError(
      'invalid-option',
      `Inputs and targets of \`dataSets\` should have different names. Found \`${both}\` among both.`,
    );
  }
  const assertColumns = (
    option: 'inputs' | 'targets',
    columns: Columns,
    kinds: readonly string[],
    made: string,
  ): void => {
    if (Object.keys(columns).length === 0) {
      throw new MultigradError(
        'invalid-option',
        `Option \`${option}\` of \`dataSets\` should have at least one entry. Found none.`,
      );
    }
    for (const [name, column] of Object.entries<Partial<Column> | undefined>(columns)) {
      if (kinds.includes(column?.kind ?? '')) continue;
      throw new MultigradError(
        'invalid-option',
        `Option \`${option}.${name}\` of \`dataSets\` should be made by ${made}. ` +
          `Found ${column?.kind === 'classes' ? 'classes' : describeValue(column)}.`,
      );
    }
  };
  const numbers = '`numbersFrom`, a table’s `numbers`';
  assertColumns(
    'inputs',
    inputs,
    ['numbers', 'files'],
    `${numbers} or \`oneHot\`, or \`readImageFolders\``,
  );
  assertColumns(
    'targets',
    targets,
    ['numbers', 'classes'],
    `${numbers} or \`classes\`, or \`classesFrom\``,
  );
}

/** @throws MultigradError `invalid-option` for a name that is not among the columns */
export function assertNamed(option: string, names: readonly string[], columns: Columns): void {
  const unknown = names.find((name) => !Object.hasOwn(columns, name));
  if (unknown === undefined) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` of \`dataSets\` should name some of ${Object.keys(columns).join(', ')}. Found \`${unknown}\`.`,
  );
}
