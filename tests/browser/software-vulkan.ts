import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** Folders of Chromium's packages, which hold a Vulkan driver that computes on the processor, and the loader for it. */
const folders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];

/**
 * Makes WebGPU in Node compute on the driver of Chromium, on every machine the same, unless `VK_DRIVER_FILES` names
 * another. For processes that start later: the loader of libraries looks at its variable once.
 */
export function useSoftwareVulkan(): void {
  if (process.env['VK_DRIVER_FILES'] !== undefined) return;
  const folder = folders.find((each) => existsSync(join(each, 'vk_swiftshader_icd.json')));
  if (folder === undefined) return;
  const driver = join(folder, 'vk_swiftshader_icd.json');
  const libraries = process.env['LD_LIBRARY_PATH'];
  // Two names: older loaders know the second.
  Object.assign(process.env, {
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: libraries === undefined ? folder : `${folder}:${libraries}`,
  });
}
