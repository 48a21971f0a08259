import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** Folders of Chromium's packages, which hold a Vulkan driver that computes on the processor, and the loader for it. */
const folders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];

/**
 * The environment in which WebGPU in Node computes on the driver of Chromium, on every machine the same; nothing where
 * `VK_DRIVER_FILES` names another, or where there is no Chromium. It is for processes that start later: the loader of libraries looks
 * at its variable once.
 */
export function softwareVulkan() {
  if (process.env.VK_DRIVER_FILES !== undefined) return {};
  const folder = folders.find((each) => existsSync(join(each, 'vk_swiftshader_icd.json')));
  if (folder === undefined) return {};
  const driver = join(folder, 'vk_swiftshader_icd.json');
  const libraries = process.env.LD_LIBRARY_PATH;
  // Two names: older loaders know the second.
  return {
    VK_DRIVER_FILES: driver,
    VK_ICD_FILENAMES: driver,
    LD_LIBRARY_PATH: libraries === undefined ? folder : `${folder}:${libraries}`,
  };
}
