import { type BackendOptions, type BackendReport, chooseBackend } from './choose-backend.ts';

/** `useBackend` for browsers, which have no native TensorFlow: `auto` is wasm or cpu. */
export async function useBackend(
  name: string,
  options: BackendOptions = {},
): Promise<BackendReport> {
  return chooseBackend(name, null, options);
}
