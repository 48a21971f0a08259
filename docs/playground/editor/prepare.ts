import { parse } from 'es-module-lexer/js';
import { transform } from 'sucrase';

/** What is wrong in a program, and where. */
export class ProgramError extends Error {
  /** From 1; null where nobody knows. */
  readonly line: number | null;

  constructor(message: string, line: number | null) {
    super(message);
    this.name = 'ProgramError';
    this.line = line;
  }
}

/** An import of a program: the name of the module, and where it stands in the code. */
interface Import {
  readonly module: string;
  /** First and last place of what is replaced by an address. */
  readonly from: number;
  readonly to: number;
  /** Whether quotes belong to what is replaced, as in `import('…')`. */
  readonly quoted: boolean;
  readonly line: number;
}

/** A program without types, and what it imports. Its lines are those of the source. */
export interface Prepared {
  readonly code: string;
  readonly imports: readonly Import[];
}

const lineAt = (text: string, place: number): number => text.slice(0, place).split('\n').length;

/** Takes the types out of a program. */
function withoutTypes(source: string): string {
  try {
    return transform(source, {
      transforms: ['typescript'],
      disableESTransforms: true,
      // Imports for their effect alone, and of names that nothing uses, stay.
      keepUnusedImports: false,
    }).code;
  } catch (error) {
    // "Error transforming …: Unexpected token (3:14)"
    const { message, loc } = error as Error & { loc?: { line: number } };
    const text = message.replace(/^Error transforming [^:]*: /, '').replace(/ ?\(\d+:\d+\)$/, '');
    throw new ProgramError(text, loc?.line ?? null);
  }
}

/** The imports of a program without types. */
function importsOf(code: string): ReturnType<typeof parse>[0] {
  try {
    return parse(code)[0];
  } catch (error) {
    const { idx } = error as { readonly idx?: number };
    const line = idx === undefined ? null : lineAt(code, idx);
    throw new ProgramError('The program cannot be read from here on.', line);
  }
}

/**
 * Makes JavaScript of a program, and finds its imports.
 *
 * @throws ProgramError where it cannot be read, or imports something that no module of `known` is
 */
export function prepare(source: string, known: readonly string[]): Prepared {
  const code = withoutTypes(source);
  const imports = importsOf(code).flatMap(({ type, specifier, start, end, importStart }) => {
    if (type === 'import-meta') return [];
    const line = lineAt(code, importStart);
    if (typeof specifier !== 'string' || !known.includes(specifier)) {
      const asked = typeof specifier === 'string' ? `\`${specifier}\`` : 'one that is computed';
      throw new ProgramError(
        `There is no module for this import. Expected one of ${known.join(', ')}. Found ${asked}.`,
        line,
      );
    }
    return [{ module: specifier, from: start, to: end, quoted: type === 'dynamic', line }];
  });
  return { code, imports };
}

/** The code with addresses in place of the modules' names. */
export function withAddresses(
  { code, imports }: Prepared,
  addressOf: (module: string) => string,
): string {
  return imports.reduceRight((text, { module, from, to, quoted }) => {
    const address = addressOf(module);
    return text.slice(0, from) + (quoted ? JSON.stringify(address) : address) + text.slice(to);
  }, code);
}

/** A module that hands on what stands under a key of the global object, name by name. */
export function handingOn(key: string, module: string, names: readonly string[]): string {
  const lines = names.map(
    (name, i) => `const v${i} = m[${JSON.stringify(name)}]; export { v${i} as ${name} };`,
  );
  return [
    `const m = globalThis[${JSON.stringify(key)}].get(${JSON.stringify(module)});`,
    ...lines,
  ].join('\n');
}

/** The line of a program in which an error arose: the first one of the stack that lies in the program. */
export function lineOfError(stack: string, address: string): number | null {
  const at = stack.indexOf(`${address}:`);
  if (at < 0) return null;
  const line = /^\d+/.exec(stack.slice(at + address.length + 1));
  return line === null ? null : Number(line[0]);
}
