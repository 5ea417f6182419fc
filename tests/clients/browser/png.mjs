// Makes a screenshot small enough to live in a repository: at most 256 colours, the most frequent
// ones that are not nearly the same, each of the others shown as the nearest of them. Takes what Chromium writes: 8 bits a
// channel, not interlaced.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const COLOURS = 256;
const SIGNATURE = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");

export function compact(png) {
  const { width, height, pixels } = decode(png);
  const palette = frequent(pixels);
  const nearest = new Map(palette.map((colour, index) => [colour, index]));
  const rows = Buffer.alloc(height * (width + 1)); // each begins with its filter: none
  for (let at = 0; at < pixels.length; at++) {
    const colour = pixels[at];
    if (!nearest.has(colour)) nearest.set(colour, near(palette, colour));
    rows[at + Math.floor(at / width) + 1] = nearest.get(colour);
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8); // 8 bits, of a palette
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", head),
    chunk("PLTE", Buffer.from(palette.flatMap(channels))),
    chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];

function frequent(pixels) {
  const counts = new Map();
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  for (let apart = 0; ; apart += 4) {
    const chosen = [];
    for (const [colour] of sorted) {
      if (chosen.length > COLOURS) break;
      if (chosen.every((one) => distance(one, colour) >= apart ** 2)) chosen.push(colour);
    }
    if (chosen.length <= COLOURS) return chosen;
  }
}

function distance(a, b) {
  const [x, y] = [channels(a), channels(b)];
  return (x[0] - y[0]) ** 2 + (x[1] - y[1]) ** 2 + (x[2] - y[2]) ** 2;
}

function near(palette, colour) {
  let best = 0;
  for (let index = 1; index < palette.length; index++) {
    if (distance(palette[index], colour) < distance(palette[best], colour)) best = index;
  }
  return best;
}

function decode(png) {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const [bits, kind, , , interlaced] = png.subarray(24, 29);
  const depth = { 2: 3, 6: 4 }[kind]; // with alpha or without
  if (bits !== 8 || !depth || interlaced) throw new Error("this is no screenshot of Chromium's");
  const data = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const type = png.toString("latin1", at + 4, at + 8);
    if (type === "IDAT") data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(data));
  const stride = width * depth;
  const pixels = new Uint32Array(width * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1);
    const row = unfiltered(raw[start], raw.subarray(start + 1, start + 1 + stride), above, depth);
    for (let x = 0; x < width; x++) {
      const [r, g, b] = row.subarray(x * depth, x * depth + 3);
      pixels[y * width + x] = (r << 16) | (g << 8) | b;
    }
    above = row;
  }
  return { width, height, pixels };
}

function unfiltered(filter, bytes, above, depth) {
  const row = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    const left = at < depth ? 0 : row[at - depth];
    const corner = at < depth ? 0 : above[at - depth];
    const up = above[at];
    row[at] = bytes[at] + [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
  }
  return row;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [l, u, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (l <= u && l <= c) return left;
  return u <= c ? up : corner;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
