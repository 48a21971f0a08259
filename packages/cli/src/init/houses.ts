import { randomState, resumeRandom } from '@multigrad/core/strategy';

const houses = 1200;

/**
 * A CSV file of made-up houses: four columns to learn from, and three tasks of unlike kinds, some of whose cells are empty.
 *
 * Kinds follow from area and rooms, prices from area, year and distance to the centre, and cheap houses for what they are
 * get sold; all of them with noise. The same text every time.
 */
export function housesCsv(): string {
  const random = resumeRandom(randomState(1, 'houses'));
  const lines = Array.from({ length: houses }, () => {
    const area = 30 + 170 * random.uniform() ** 1.5;
    const rooms = Math.max(1, Math.round(area / 28 + 0.7 * random.normal()));
    const year = Math.round(1920 + 105 * random.uniform());
    const distance = 0.3 + 20 * random.uniform() ** 2;
    const size = area + 12 * random.normal();
    const kind = size < 70 ? 'flat' : size < 125 ? 'terrace' : 'villa';
    const fair = 40 + 2.8 * area * (0.55 + 0.9 * Math.exp(-distance / 6)) + 0.6 * (year - 1970);
    const price = Math.max(20, fair + 18 * random.normal());
    const sold = 30 * random.normal() + fair - 260 < 0 ? 'yes' : 'no';
    const orEmpty = (text: string, share: number): string => (random.uniform() < share ? '' : text);
    return [
      area.toFixed(1),
      String(rooms),
      orEmpty(String(year), 0.03),
      distance.toFixed(2),
      orEmpty(price.toFixed(1), 0.05),
      orEmpty(kind, 0.05),
      orEmpty(sold, 0.05),
    ].join(',');
  });
  return ['area,rooms,year,distance,price,kind,sold', ...lines, ''].join('\n');
}
