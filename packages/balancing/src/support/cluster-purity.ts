/** Rounds of k-means after which it ends where samples still change clusters. */
const mostRounds = 300;

/**
 * How well points fall apart by class: the share of points whose label is the most frequent one in their cluster, above 0 to
 * 1.
 *
 * Points are scaled to [−1, 1] column by column, then clustered by k-means (Lloyd's algorithm). It starts from the first point
 * and goes on with the point that is farthest from those chosen. An empty cluster keeps its centre.
 *
 * @param points - at least one
 * @param labels - integers >= 0, one for each point
 * @param clusters - number of clusters, at least 1
 */
export function clusterPurity(
  points: readonly ArrayLike<number>[],
  labels: readonly number[],
  clusters: number,
): number {
  const scaled = scaledColumns(points);
  const cluster = kMeans(scaled, clusters);
  const counts = new Map<number, Map<number, number>>();
  cluster.forEach((own, i) => {
    const ofCluster = counts.get(own) ?? new Map<number, number>();
    ofCluster.set(labels[i]!, (ofCluster.get(labels[i]!) ?? 0) + 1);
    counts.set(own, ofCluster);
  });
  const modes = Array.from(counts.values(), (ofCluster) => Math.max(...ofCluster.values()));
  return modes.reduce((sum, mode) => sum + mode, 0) / points.length;
}

function scaledColumns(points: readonly ArrayLike<number>[]): Float64Array[] {
  const columns = points[0]!.length;
  const [least, most] = [
    new Float64Array(columns).fill(Infinity),
    new Float64Array(columns).fill(-Infinity),
  ];
  for (const point of points) {
    for (let c = 0; c < columns; c++) {
      least[c] = Math.min(least[c]!, point[c]!);
      most[c] = Math.max(most[c]!, point[c]!);
    }
  }
  return points.map((point) =>
    Float64Array.from(point, (value, c) => {
      const width = most[c]! - least[c]!;
      return (2 * (value - least[c]!)) / (width > 0 ? width : 1) - 1;
    }),
  );
}

/** The cluster of each point. */
function kMeans(points: readonly Float64Array[], clusters: number): Int32Array {
  const centres = farPoints(points, clusters);
  let cluster = new Int32Array(points.length).fill(-1);
  for (let round = 0; round < mostRounds; round++) {
    const moved = Int32Array.from(points, (point) => nearest(point, centres));
    const settled = moved.every((own, i) => own === cluster[i]);
    cluster = moved;
    if (settled) break;
    moveCentres(centres, points, cluster);
  }
  return cluster;
}

function farPoints(points: readonly Float64Array[], count: number): Float64Array[] {
  const chosen = [points[0]!.slice()];
  const distances = points.map((point) => squaredDistance(point, chosen[0]!));
  while (chosen.length < count) {
    const next = points[distances.indexOf(largest(distances))]!.slice();
    chosen.push(next);
    points.forEach((point, i) => {
      distances[i] = Math.min(distances[i]!, squaredDistance(point, next));
    });
  }
  return chosen;
}

function nearest(point: Float64Array, centres: readonly Float64Array[]): number {
  let [best, least] = [0, Infinity];
  centres.forEach((centre, k) => {
    const distance = squaredDistance(point, centre);
    if (distance < least) [best, least] = [k, distance];
  });
  return best;
}

function moveCentres(
  centres: readonly Float64Array[],
  points: readonly Float64Array[],
  cluster: Int32Array,
): void {
  const counts = centres.map((_, k) => cluster.reduce((sum, own) => sum + +(own === k), 0));
  centres.forEach((centre, k) => {
    if (counts[k]! > 0) centre.fill(0);
  });
  points.forEach((point, i) => {
    const k = cluster[i]!;
    point.forEach((value, c) => (centres[k]![c]! += value / counts[k]!));
  });
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += (a[c]! - b[c]!) ** 2;
  return sum;
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}
