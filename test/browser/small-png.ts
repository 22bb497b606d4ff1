import { crc32, deflateSync } from 'node:zlib';
import type { Page } from 'playwright-core';

/** As many colours as a palette can have (PNG section 11.2.2). */
const MOST = 256;

/** What a browser says of the pixels: width, height, and RGBA in base64. */
type Pixels = [width: number, height: number, rgba: string];

const readPixels = (picture: Buffer) => `(async () => {
  const bytes = Uint8Array.fromBase64('${picture.toString('base64')}');
  const image = await createImageBitmap(new Blob([bytes]));
  const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  return [image.width, image.height, new Uint8Array(data.buffer).toBase64()];
})()`;

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

const distance = (a: number, b: number) =>
  [0, 8, 16].reduce((sum, bits) => sum + (((a >> bits) & 255) - ((b >> bits) & 255)) ** 2, 0);

/** The most frequent colours, and for each colour which of them is next to it. */
function palette(colours: number[]): { kept: number[]; indexOf: Map<number, number> } {
  const counts = new Map<number, number>();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const all = [...counts].sort(([, a], [, b]) => b - a).map(([colour]) => colour);
  const kept = all.slice(0, MOST);
  const nearest = (colour: number) => {
    const distances = kept.map((each) => distance(colour, each));
    return distances.indexOf(Math.min(...distances));
  };
  return { kept, indexOf: new Map(all.map((colour) => [colour, nearest(colour)])) };
}

/**
 * The same picture with a palette of 256 colours, which takes less than half the space: pages have few colours, and
 * Chromium writes three bytes a pixel.
 */
export async function smallPng(page: Page, picture: Buffer): Promise<Buffer> {
  const [width, height, base64] = await page.evaluate<Pixels>(readPixels(picture));
  const rgba = Buffer.from(base64, 'base64');
  const colours = Array.from({ length: width * height }, (_, at) => rgba.readUIntBE(at * 4, 3));
  const { kept, indexOf } = palette(colours);
  const indices = colours.map((colour) => indexOf.get(colour) ?? 0);
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 3, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const table = Buffer.alloc(kept.length * 3);
  kept.forEach((colour, at) => void table.writeUIntBE(colour, at * 3, 3));
  const lines = Array.from({ length: height }, (_, y) => [
    0,
    ...indices.slice(y * width, (y + 1) * width),
  ]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('PLTE', table),
    chunk('IDAT', deflateSync(Buffer.from(lines.flat()), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
