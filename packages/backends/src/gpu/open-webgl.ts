import { backend, env } from '@tensorflow/tfjs-core';
import type { GpuReport } from './gpu-report.ts';
import { type Missing, missingImport } from './missing.ts';

/** Checks that the WebGL backend is registered and computes in float32; returns what is missing, or null. */
export function findWebGl(): Missing | null {
  if (typeof document === 'undefined' && typeof OffscreenCanvas === 'undefined') {
    return {
      missing: 'WebGL needs a browser',
      hint: 'in Node try `tensorflow`, `wasm` or `webgpu`',
    };
  }
  const missing = missingImport('webgl');
  if (missing !== null) return missing;
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
