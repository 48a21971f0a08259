import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { installationProgress } from './installation.ts';

describe('the progress of an installation', () => {
  it('is a line for each step where there is no terminal', () => {
    const lines: string[] = [];
    const { update, end } = installationProgress(null, (line) => lines.push(line));
    update({ step: 'download', subject: 'tensorflow-cpu==2.21.0', share: 0 });
    update({ step: 'download', subject: 'tensorflow-cpu==2.21.0', share: 0.5 });
    update({ step: 'unpack', subject: 'a.h', share: 0.1 });
    update({ step: 'unpack', subject: 'b.h', share: 0.2 });
    update({ step: 'compile', subject: 'g++ 12', share: null });
    end();
    expect(lines).toEqual([
      'Fetching tensorflow-cpu==2.21.0',
      'Unpacking libraries and headers',
      'Compiling with g++ 12',
    ]);
  });

  it('is a bar on a terminal, cut to its width', () => {
    const stream = new PassThrough() as unknown as WriteStream;
    Object.assign(stream, {
      isTTY: true,
      columns: 60,
      cursorTo: () => true,
      clearLine: () => true,
    });
    Object.assign(stream, { moveCursor: () => true, clearScreenDown: () => true });
    let written = '';
    stream.on('data', (data: Buffer) => (written += data.toString()));
    const { update, end } = installationProgress(stream, () => undefined);
    update({ step: 'download', subject: 'x'.repeat(100), share: 0.5 });
    end();
    expect(written).toContain(`${'█'.repeat(15)}${'░'.repeat(15)}  50 %  Fetching xxx`);
    expect(written).not.toContain('x'.repeat(30));
  });
});
