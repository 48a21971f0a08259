import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MultigradError } from '@multigrad/core/strategy';

/** A clip with sound and frames on disk. */
export interface Clip {
  readonly name: string;
  /** Position among the classes. */
  readonly label: number;
  /** Path of the wav file. */
  readonly sound: string;
  /** Paths of the frames, in order. */
  readonly frames: readonly string[];
}

/** The folders of a data set of clips. */
export interface ClipLayout {
  /** Name of the data set, for messages. */
  readonly title: string;
  /** Where to get it, for messages. */
  readonly source: string;
  readonly folder: string;
  readonly sounds: string;
  readonly frames: string;
}

/** A line of a list: a clip and the name of its class. */
export interface ListedClip {
  readonly name: string;
  readonly className: string;
}

/** Whether a name stays within the folder that it is looked for in. */
function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}

/**
 * Reads a list of clips, one `name,class` a line.
 *
 * @throws MultigradError `io` where there is no such list, `invalid-data` for a line of another form or no line
 */
export async function readList(
  { title, source, folder }: ClipLayout,
  file: string,
): Promise<ListedClip[]> {
  const path = join(folder, file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new MultigradError(
      'io',
      `Cannot read ${path}, which lists clips of ${title}. Put your copy there; ${source}.`,
      { cause },
    );
  }
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const clips = lines.flatMap((line, index): ListedClip[] => {
    if (line.trim() === '') return [];
    const [name = '', className = '', ...rest] = line.split(',').map((cell) => cell.trim());
    if (isName(name) && className !== '' && rest.length === 0) return [{ name, className }];
    throw new MultigradError(
      'invalid-data',
      `${path}, line ${index + 1}: expected a clip and its class, as in \`clip,class\`. Found ${JSON.stringify(line.slice(0, 200))}.`,
    );
  });
  if (clips.length > 0) return clips;
  throw new MultigradError('invalid-data', `${path}: expected at least one clip. Found none.`);
}

/**
 * Finds the files of the clips in a list, and checks that all of them are there.
 *
 * @param classes - names of the classes, in the order of their labels
 * @param needed - frames that a clip has to have
 * @throws MultigradError `invalid-data` for an unknown class, `io` where files are missing: how many clips lack them, and
 * which the first ones are
 */
export async function findClips(
  layout: ClipLayout,
  listed: readonly ListedClip[],
  classes: readonly string[],
  needed: number,
): Promise<Clip[]> {
  const clips: Clip[] = [];
  const missing: string[] = [];
  for (const { name, className } of listed) {
    const label = classes.indexOf(className);
    if (label < 0) {
      throw new MultigradError(
        'invalid-data',
        `${layout.title}: expected one of the classes ${classes.join(', ')}. Found "${className}" of clip ${name}.`,
      );
    }
    const sound = join(layout.folder, layout.sounds, `${name}.wav`);
    const folder = join(layout.folder, layout.frames, name);
    const frames = await picturesIn(folder);
    if (!(await isFile(sound))) missing.push(sound);
    else if (frames.length < needed)
      missing.push(`${folder} (${frames.length} of ${needed} frames)`);
    else clips.push({ name, label, sound, frames: frames.map((file) => join(folder, file)) });
  }
  if (missing.length === 0) return clips;
  throw new MultigradError(
    'io',
    `${layout.title}: expected sound and at least ${needed} frames of each clip in ${layout.folder}. ` +
      `${missing.length} of ${listed.length} lack them: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}.`,
  );
}

/** Names of the pictures in a folder, in order; none where there is no folder. */
export async function picturesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => /\.(jpe?g|png)$/i.test(file)).sort();
  } catch {
    return [];
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
