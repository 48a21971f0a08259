/** Native TensorFlow: what is installed, and how to install it. For Node. */
export {
  inspectNative,
  type NativeInspection,
  type NativePackage,
} from './tensorflow/inspect-native.ts';
export {
  findNativeBuilds,
  nativeFolder,
  type NativeBuild,
  type NativeBuildRecord,
  type NativeDevice,
  type NativeIngredient,
} from './tensorflow/native-build.ts';
export { installNative, type InstallNativeOptions } from './tensorflow/install/install-native.ts';
export {
  type NativeProgress,
  nativeSteps,
  type NativeStep,
  type OnProgress,
} from './tensorflow/install/progress.ts';
export type { Environment } from './tensorflow/install/run-command.ts';
