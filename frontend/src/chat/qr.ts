// No dependencies, 5 kB, MIT, and it gives squares, not markup: those can be drawn under the page's policy.
import { encode } from 'uqr';

/** The dark squares of a QR code, as one path on a grid of `size`. */
export function squares(text: string): { size: number; path: string } {
  const { data, size } = encode(text, { ecc: 'M', border: 3 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')));
  return { size, path: path.join('') };
}
