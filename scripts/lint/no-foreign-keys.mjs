// Reads and writes of a plain object by a name that comes from outside: `record[name]` and `name in record` find
// `constructor` and `toString` on every object, and writing `record['__proto__']` changes what the object is. Reads are
// allowed where the types say that the object has every such name: an object of type `Record<Name, …>` by a key of the type
// parameter `Name`.
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

    const partsOf = (type) => (type.isUnion() ? type.types.flatMap(partsOf) : [type]);

    /** Whether any text may be the key. */
    const isAnyText = (node) => {
      return partsOf(checker.getBaseConstraintOfType(typeOf(node)) ?? typeOf(node)).some(
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

    /** The names that a `Record<Name, …>` has, type parameters and texts; none where it may lack one. */
    const namesOf = (type) => {
      const [first] = type.aliasTypeArguments ?? [];
      if (type.aliasSymbol?.name === 'Readonly') return namesOf(first);
      return type.aliasSymbol?.name === 'Record'
        ? partsOf(first).filter(({ flags }) => (flags & ts.TypeFlags.String) === 0)
        : [];
    };
    const hasAll = (record, key) => {
      const names = namesOf(typeOf(record));
      return partsOf(typeOf(key)).every((name) => names.includes(name));
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
        if (!written && hasAll(node.object, node.property)) return;
        context.report({ node, messageId: written ? 'write' : 'read' });
      },
      BinaryExpression(node) {
        if (node.operator !== 'in' || node.left.type === 'PrivateIdentifier') return;
        if (isAnyText(node.left)) context.report({ node, messageId: 'read' });
      },
    };
  },
};
