// Reads and writes of a plain object by a name that comes from outside: `record[name]` finds `constructor` and `toString`
// on every object, and writing `record['__proto__']` changes what the object is.
import ts from 'typescript';

const arrays =
  /^(Readonly)?(Array|Float32Array|Float64Array|Int8Array|Int16Array|Int32Array|Uint8Array|Uint8ClampedArray|Uint16Array|Uint32Array|BigInt64Array|BigUint64Array|Buffer)$/;

/** @type {import('eslint').Rule.RuleModule} */
export const noForeignKeys = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      read: 'A name from outside may be that of a property that every object has. Use `own(record, name)`, `Object.hasOwn`, or a Map.',
      write: 'A name from outside may be `__proto__`. Use a Map, or `Object.fromEntries`.',
    },
  },
  create(context) {
    const { program, esTreeNodeToTSNodeMap } = context.sourceCode.parserServices;
    const checker = program.getTypeChecker();
    const typeOf = (node) => checker.getTypeAtLocation(esTreeNodeToTSNodeMap.get(node));

    /** Whether any text may be the key. */
    const isAnyText = (node) => {
      const parts = (type) => (type.isUnion() ? type.types.flatMap(parts) : [type]);
      return parts(checker.getBaseConstraintOfType(typeOf(node)) ?? typeOf(node)).some(
        (type) => (type.flags & (ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral)) !== 0,
      );
    };
    const isArray = (type) =>
      checker.isArrayType(type) ||
      checker.isTupleType(type) ||
      (type.symbol !== undefined && arrays.test(type.symbol.name));
    const isRecord = (node) => {
      const type = checker.getNonNullableType(typeOf(node));
      return !(type.isUnion() ? type.types.every(isArray) : isArray(type));
    };

    return {
      MemberExpression(node) {
        if (!node.computed || node.property.type === 'Literal') return;
        if (!isAnyText(node.property) || !isRecord(node.object)) return;
        const { parent } = node;
        const written =
          (parent.type === 'AssignmentExpression' && parent.left === node) ||
          parent.type === 'UpdateExpression' ||
          (parent.type === 'UnaryExpression' && parent.operator === 'delete');
        context.report({ node, messageId: written ? 'write' : 'read' });
      },
    };
  },
};
