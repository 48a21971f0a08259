const longestText = 60;

/**
 * Describes a value for an error message: short values as they are, others by their kind and size.
 *
 * @example
 * ```ts
 * import { describeValue } from '@multigrad/core/support';
 *
 * console.log(describeValue('tensr')); // "tensr"
 * console.log(describeValue([1, 2, 3])); // an array of length 3
 * console.log(describeValue({ image: 1 })); // an object with the keys `image`
 * ```
 */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(
        value.length <= longestText ? value : `${value.slice(0, longestText - 1)}…`,
      );
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value.toString()}n`;
    case 'boolean':
    case 'undefined':
    case 'symbol':
      return String(value);
    case 'function':
      return 'a function';
    case 'object':
      return describeObject(value);
  }
}

function describeObject(value: object | null): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    const maker: unknown = Reflect.get(value, 'constructor');
    if (typeof maker === 'function' && maker.name !== '') return `a ${maker.name}`;
  }
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty object';
  const shown = keys.slice(0, 5).map((key) => `\`${key}\``);
  return `an object with the keys ${shown.join(', ')}${keys.length > shown.length ? ', …' : ''}`;
}
