import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** A copy of a model, by way of what `save` writes and `loadLayersModel` reads. */
export async function savedAndLoaded(model: LayersModel): Promise<LayersModel> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      // Through text, as a file would be.
      const topology = JSON.parse(JSON.stringify(artifacts.modelTopology)) as object;
      saved = { ...artifacts, modelTopology: topology };
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
      });
    }),
  );
  // Loaded here alone: the import registers gradients, and one test is about their absence.
  const { loadLayersModel } = await import('@tensorflow/tfjs-layers');
  return loadLayersModel(tf.io.fromMemory(saved!));
}
