import { backend, env } from '@tensorflow/tfjs-core';
import type { GpuReport } from './gpu-report.ts';
import type { Missing } from './missing.ts';

/** Imports the WebGL backend and checks that it computes in float32; returns what is missing, or null. */
export async function findWebGl(): Promise<Missing | null> {
  if (typeof document === 'undefined' && typeof OffscreenCanvas === 'undefined') {
    return {
      missing: 'WebGL needs a browser',
      hint: 'in Node try `tensorflow`, `wasm` or `webgpu`',
    };
  }
  try {
    await import('@tensorflow/tfjs-backend-webgl');
  } catch (error) {
    return {
      missing: `the package of the backend did not load: ${String(error)}`,
      hint: '`npm install @tensorflow/tfjs-backend-webgl`',
    };
  }
  if (env().getNumber('WEBGL_VERSION') !== 2) {
    return { missing: 'this browser gives no WebGL 2 context', hint: 'try `wasm`' };
  }
  if (!env().getBool('WEBGL_RENDER_FLOAT32_ENABLED')) {
    return {
      missing: 'this device computes with 16 bits, too few for gradients',
      hint: 'try `wasm`',
    };
  }
  return null;
}

/** The device of the WebGL backend in use. */
export function describeWebGl(): GpuReport {
  const { gl } = (
    backend() as unknown as { readonly gpgpu: { readonly gl: WebGL2RenderingContext } }
  ).gpgpu;
  const details = gl.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = gl.getParameter(details?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER);
  const device = String(name);
  return { device, software: /swiftshader|llvmpipe|software/i.test(device) };
}
