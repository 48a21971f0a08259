/** The environment for processes in which WebGPU in Node is to compute on the processor. */
export function softwareVulkan(): Record<string, string>;
