import * as tf from '@tensorflow/tfjs-core';
import type { Draw, OddCall, OddOperation } from './odd-call.ts';

/** Operations that put the numbers of a tensor at other places. */
export const moving: readonly OddOperation[] = [
  { name: 'pad', draw: drawPad },
  {
    name: 'mirrorPad',
    draw: (draw) => {
      const shape = draw.shape(1, 4);
      const paddings = paddingsOf(draw, shape, 0.15);
      const mode = draw.choice(['reflect', 'symmetric'] as const);
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { paddings, mode },
        run: (x) => tf.mirrorPad(x, paddings, mode),
      };
    },
  },
  {
    name: 'slice',
    draw: (draw) => {
      const shape = draw.shape(1, 6);
      const begin = shape.map((length) => draw.index(length));
      const size = shape.map((length, axis) =>
        draw.chance(0.15)
          ? draw.integer(-2, length + 1)
          : draw.integer(0, Math.max(0, length - begin[axis]!)),
      );
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { begin, size },
        run: (x) => tf.slice(x, begin, size),
      };
    },
  },
  {
    name: 'stridedSlice',
    draw: (draw) => {
      const shape = draw.shape(1, 6);
      const axes = draw.chance(0.8) ? shape.length : draw.integer(1, shape.length);
      const begin = draw.list(axes, (axis) => draw.integer(-shape[axis]! - 1, shape[axis]! + 1));
      const end = draw.list(axes, (axis) => draw.integer(-shape[axis]! - 1, shape[axis]! + 1));
      const strides = draw.list(axes, () =>
        draw.chance(0.05) ? 0 : draw.choice([1, 1, 2, 3, -1, -2]),
      );
      const mask = (): number => (draw.chance(0.3) ? draw.integer(0, 2 ** axes - 1) : 0);
      const [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] = [
        mask(),
        mask(),
        draw.chance(0.1) ? 2 ** draw.integer(0, axes - 1) : 0,
        draw.chance(0.3) ? mask() : 0,
        mask(),
      ];
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: {
          begin,
          end,
          strides,
          beginMask,
          endMask,
          ellipsisMask,
          newAxisMask,
          shrinkAxisMask,
        },
        run: (x) =>
          tf.stridedSlice(
            x,
            begin,
            end,
            strides,
            beginMask,
            endMask,
            ellipsisMask,
            newAxisMask,
            shrinkAxisMask,
          ),
      };
    },
  },
  {
    name: 'tile',
    draw: (draw) => {
      const shape = draw.shape(1, 6);
      const reps = draw.list(draw.chance(0.05) ? draw.integer(0, 6) : shape.length, () =>
        draw.chance(0.1) ? draw.integer(-1, 3) : draw.integer(1, 3),
      );
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { reps },
        run: (x) => tf.tile(x, reps),
      };
    },
  },
  {
    name: 'reverse',
    draw: (draw) => {
      const shape = draw.shape(0, 4);
      const axes = draw.list(draw.integer(0, shape.length), () => draw.axis(shape.length));
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { axes },
        run: (x) => tf.reverse(x, axes),
      };
    },
  },
  {
    name: 'transpose',
    draw: (draw) => {
      const shape = draw.shape(1, 6);
      const order = shape.map((_, axis) => axis);
      for (let i = order.length - 1; i > 0; i -= 1) {
        const j = draw.integer(0, i);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      const perm = draw.chance(0.1)
        ? draw.list(draw.integer(0, shape.length + 1), () => draw.integer(-1, shape.length))
        : order;
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { perm },
        run: (x) => tf.transpose(x, perm),
      };
    },
  },
  {
    name: 'spaceToBatchND',
    draw: (draw) => {
      const { shape, block } = drawBlocks(draw);
      const paddings = block.map((size, axis) => {
        const left = draw.chance(0.1) ? draw.integer(-1, 2) : draw.integer(0, 2);
        const missing = (size - ((shape[axis + 1]! + left) % size)) % size;
        return [left, draw.chance(0.1) ? draw.integer(-1, 2) : missing];
      });
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { block, paddings },
        run: (x) => tf.spaceToBatchND(x, block, paddings),
      };
    },
  },
  {
    name: 'batchToSpaceND',
    draw: (draw) => {
      const { shape, block } = drawBlocks(draw);
      const blocks = block.reduce((product, size) => product * size, 1);
      if (!draw.chance(0.1)) shape[0] = shape[0]! * Math.max(1, blocks);
      const crops = block.map((size, axis) => {
        const length = shape[axis + 1]! * size;
        const some = (): number =>
          draw.chance(0.1)
            ? draw.integer(-1, Math.abs(length) + 1)
            : draw.integer(0, Math.max(0, Math.floor(length / 2)));
        return [some(), some()];
      });
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { block, crops },
        run: (x) => tf.batchToSpaceND(x, block, crops),
      };
    },
  },
  {
    name: 'depthToSpace',
    draw: (draw) => {
      const block = draw.chance(0.1) ? draw.integer(-1, 4) : draw.integer(2, 3);
      const shape = draw.shape(4, 4);
      if (!draw.chance(0.1)) shape[3] = shape[3]! * block * block;
      return {
        inputs: [draw.input(shape.map(Math.abs), draw.type())],
        arguments: { block },
        run: (x) => tf.depthToSpace(x as tf.Tensor4D, block),
      };
    },
  },
  {
    name: 'split',
    draw: (draw) => {
      const shape = draw.shape(1, 5);
      const axis = draw.axis(shape.length);
      const length = shape.at(axis) ?? 3;
      const sizes = draw.chance(0.5)
        ? draw.integer(draw.chance(0.1) ? -1 : 1, Math.max(1, length))
        : draw.list(draw.integer(1, 3), () =>
            draw.chance(0.1) ? draw.integer(-1, length + 1) : draw.integer(0, length),
          );
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { sizes, axis },
        run: (x) => tf.split(x, sizes, axis),
      };
    },
  },
  {
    name: 'concat',
    draw: (draw) => {
      const shape = draw.shape(1, 5);
      const axis = draw.axis(shape.length);
      const dtype = draw.type();
      const one = (): number[] =>
        shape.map((length, at) => {
          const along = axis < 0 ? axis + shape.length : axis;
          return at === along || draw.chance(0.03) ? draw.integer(0, 3) : length;
        });
      return {
        inputs: Array.from({ length: draw.integer(1, 3) }, () =>
          draw.input(one(), draw.chance(0.05) ? draw.type() : dtype),
        ),
        arguments: { axis },
        run: (...all) => tf.concat(all, axis),
      };
    },
  },
  {
    name: 'stack',
    draw: (draw) => {
      const shape = draw.shape(0, 4);
      const axis = draw.axis(shape.length + 1);
      const dtype = draw.type();
      return {
        inputs: Array.from({ length: draw.integer(1, 3) }, () =>
          draw.input(draw.chance(0.05) ? draw.shape(0, 4) : shape, dtype),
        ),
        arguments: { axis },
        run: (...all) => tf.stack(all, axis),
      };
    },
  },
  {
    name: 'unstack',
    draw: (draw) => {
      const shape = draw.shape(1, 5);
      const axis = draw.axis(shape.length);
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { axis },
        run: (x) => tf.unstack(x, axis),
      };
    },
  },
  {
    name: 'broadcastTo',
    draw: (draw) => {
      const shape = draw.shape(1, 5);
      const own = shape
        .slice(draw.integer(0, shape.length))
        .map((length) => (draw.chance(0.3) ? 1 : length));
      const to = shape.map((length) => (draw.chance(0.05) ? draw.integer(-1, 4) : length));
      return {
        inputs: [draw.input(own, draw.type())],
        arguments: { to },
        run: (x) => tf.broadcastTo(x, to),
      };
    },
  },
  {
    name: 'image.flipLeftRight',
    draw: (draw) => {
      const shape = draw.shape(4, 4);
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: {},
        run: (x) => tf.image.flipLeftRight(x as tf.Tensor4D),
      };
    },
  },
  {
    name: 'image.rotateWithOffset',
    draw: (draw) => {
      const shape = draw.shape(4, 4);
      const radians = draw.integer(-8, 8) / 3;
      const center: [number, number] = [draw.integer(-2, 4) / 2, draw.integer(-2, 4) / 2];
      // Backends differ in the colour that they make of another number.
      const fill = 0;
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { radians, fill, center },
        run: (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, radians, fill, center),
      };
    },
  },
  {
    name: 'linalg.bandPart',
    draw: (draw) => {
      const shape = draw.shape(2, 4);
      const [lower, upper] = [draw.index(shape.at(-2)!), draw.index(shape.at(-1)!)];
      return {
        inputs: [draw.input(shape, draw.type())],
        arguments: { lower, upper },
        run: (x) => tf.linalg.bandPart(x, lower, upper),
      };
    },
  },
];

function paddingsOf(draw: Draw, shape: readonly number[], wild: number): [number, number][] {
  return shape.map((length): [number, number] => {
    const some = (): number =>
      draw.chance(wild)
        ? draw.integer(-length - 1, length + 2)
        : draw.integer(0, Math.max(0, length - 1));
    return [some(), some()];
  });
}

function drawPad(draw: Draw): OddCall {
  const shape = draw.shape(0, 5);
  const paddings = paddingsOf(draw, shape, 0.15);
  const dtype = draw.type();
  const value = draw.integer(0, dtype === 'bool' ? 1 : 2);
  return {
    inputs: [draw.input(shape, dtype)],
    arguments: { paddings, value },
    run: (x) => tf.pad(x, paddings, value),
  };
}

function drawBlocks(draw: Draw): { shape: number[]; block: number[] } {
  const shape = draw.shape(2, 4);
  const block = draw.list(draw.integer(1, shape.length - 1), () =>
    draw.chance(0.05) ? draw.integer(-1, 3) : draw.integer(1, 3),
  );
  return { shape, block };
}
