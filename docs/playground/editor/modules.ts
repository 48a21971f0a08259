// What programs in the page may import: the packages as they are installed from the registry, each loaded when a program
// first asks for it.

type Module = Readonly<Record<string, unknown>>;

/** How each module is loaded, by the name after `from`. */
export const modules: ReadonlyMap<string, () => Promise<Module>> = new Map(
  Object.entries<() => Promise<Module>>({
    '@multigrad/backends': () => import('@multigrad/backends'),
    '@multigrad/balancing': () => import('@multigrad/balancing'),
    '@multigrad/composition': () => import('@multigrad/composition'),
    '@multigrad/core': () => import('@multigrad/core'),
    '@multigrad/core/strategy': () => import('@multigrad/core/strategy'),
    '@multigrad/datasets': () => import('@multigrad/datasets'),
    '@multigrad/models': () => import('@multigrad/models'),
    '@multigrad/scalarization': () => import('@multigrad/scalarization'),
    '@multigrad/strategy-aligned-mtl': () => import('@multigrad/strategy-aligned-mtl'),
    '@multigrad/strategy-cagrad': () => import('@multigrad/strategy-cagrad'),
    '@multigrad/strategy-conflict-free': () => import('@multigrad/strategy-conflict-free'),
    '@multigrad/strategy-db-mtl': () => import('@multigrad/strategy-db-mtl'),
    '@multigrad/strategy-dualproj': () => import('@multigrad/strategy-dualproj'),
    '@multigrad/strategy-edm': () => import('@multigrad/strategy-edm'),
    '@multigrad/strategy-epo': () => import('@multigrad/strategy-epo'),
    '@multigrad/strategy-excess-mtl': () => import('@multigrad/strategy-excess-mtl'),
    '@multigrad/strategy-fairgrad': () => import('@multigrad/strategy-fairgrad'),
    '@multigrad/strategy-ferero': () => import('@multigrad/strategy-ferero'),
    '@multigrad/strategy-graddrop': () => import('@multigrad/strategy-graddrop'),
    '@multigrad/strategy-gradnorm': () => import('@multigrad/strategy-gradnorm'),
    '@multigrad/strategy-gradvac': () => import('@multigrad/strategy-gradvac'),
    '@multigrad/strategy-imtl-g': () => import('@multigrad/strategy-imtl-g'),
    '@multigrad/strategy-krum': () => import('@multigrad/strategy-krum'),
    '@multigrad/strategy-mgda': () => import('@multigrad/strategy-mgda'),
    '@multigrad/strategy-mmpareto': () => import('@multigrad/strategy-mmpareto'),
    '@multigrad/strategy-moco': () => import('@multigrad/strategy-moco'),
    '@multigrad/strategy-modo': () => import('@multigrad/strategy-modo'),
    '@multigrad/strategy-nash-mtl': () => import('@multigrad/strategy-nash-mtl'),
    '@multigrad/strategy-pcd': () => import('@multigrad/strategy-pcd'),
    '@multigrad/strategy-pcgrad': () => import('@multigrad/strategy-pcgrad'),
    '@multigrad/strategy-pmgda': () => import('@multigrad/strategy-pmgda'),
    '@multigrad/strategy-random-gradient-weighting': () =>
      import('@multigrad/strategy-random-gradient-weighting'),
    '@multigrad/strategy-sdmgrad': () => import('@multigrad/strategy-sdmgrad'),
    '@multigrad/strategy-sum': () => import('@multigrad/strategy-sum'),
    '@multigrad/strategy-trimmed-mean': () => import('@multigrad/strategy-trimmed-mean'),
    '@multigrad/strategy-upgrad': () => import('@multigrad/strategy-upgrad'),
    '@tensorflow/tfjs-backend-cpu': () => import('@tensorflow/tfjs-backend-cpu'),
    '@tensorflow/tfjs-core': () => import('@tensorflow/tfjs-core'),
    '@tensorflow/tfjs-layers': () => import('@tensorflow/tfjs-layers'),
  }),
);
