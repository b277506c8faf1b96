// A picture as PNG with a palette of 256 colours, which has a third of the bytes: a page has few colours,
// and the many in between are the edges of letters.

import { deflateSync, inflateSync } from 'node:zlib'

const SIGNATURE = 8
const COLOURS = 256
/** Bytes of a pixel of the kinds that a browser writes: without and with opacity. */
const PIXEL = { 2: 3, 6: 4 }

/** Writes a PNG of 8 bits for each colour anew. */
export function withPalette(png) {
  const { width, height, kind, packed } = chunksOf(png)
  const colours = coloursOf(inflateSync(packed), width, height, PIXEL[kind])
  const { palette, of } = nearest(colours)
  const rows = Buffer.alloc(height * (width + 1))
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) rows[y * (width + 1) + 1 + x] = of.get(colours[y * width + x])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 3], 8)
  const table = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]))
  return Buffer.concat([
    png.subarray(0, SIGNATURE),
    chunk('IHDR', head), chunk('PLTE', table), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunksOf(png) {
  const packed = []
  let [width, height, kind] = [0, 0, 0]
  for (let at = SIGNATURE; at < png.length;) {
    const length = png.readUInt32BE(at)
    const name = png.toString('latin1', at + 4, at + 8)
    const data = png.subarray(at + 8, at + 8 + length)
    if (name === 'IHDR') [width, height, kind] = [data.readUInt32BE(0), data.readUInt32BE(4), data[9]]
    if (name === 'IDAT') packed.push(data)
    at += length + 12
  }
  if (!(kind in PIXEL)) throw new Error(`a PNG of kind ${kind}`)
  return { width, height, kind, packed: Buffer.concat(packed) }
}

/** The colours of all pixels, each a number, with the filters of the rows undone (PNG, 9.2). */
function coloursOf(rows, width, height, pixel) {
  const stride = width * pixel
  const colours = new Uint32Array(width * height)
  let above = new Uint8Array(stride)
  for (let y = 0; y < height; y += 1) {
    const begin = y * (stride + 1)
    const line = new Uint8Array(rows.subarray(begin + 1, begin + 1 + stride))
    for (let x = 0; x < stride; x += 1) {
      const left = x < pixel ? 0 : line[x - pixel]
      const corner = x < pixel ? 0 : above[x - pixel]
      line[x] += predicted(rows[begin], left, above[x], corner)
    }
    for (let x = 0; x < width; x += 1) {
      const at = x * pixel
      colours[y * width + x] = (line[at] << 16) | (line[at + 1] << 8) | line[at + 2]
    }
    above = line
  }
  return colours
}

function predicted(filter, left, up, corner) {
  switch (filter) {
    case 0: return 0
    case 1: return left
    case 2: return up
    case 3: return (left + up) >> 1
    default: {
      const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs)
      if (a <= b && a <= c) return left
      return b <= c ? up : corner
    }
  }
}

/**
 * The colours that are there most, one of every kind among them however rare it is, and for each of all the
 * place of that which is nearest.
 */
function nearest(colours) {
  const many = new Map()
  for (const colour of colours) many.set(colour, (many.get(colour) ?? 0) + 1)
  const sorted = [...many.keys()].sort((a, b) => many.get(b) - many.get(a))
  const kinds = new Map([...sorted].reverse().map((colour) => [colour & 0xe0e0e0, colour]))
  const palette = [...new Set([...kinds.values(), ...sorted])].slice(0, COLOURS)
  const apart = (a, b) => [16, 8, 0].reduce((sum, at) => sum + (((a >> at) & 255) - ((b >> at) & 255)) ** 2, 0)
  const of = new Map()
  for (const colour of many.keys()) {
    let [best, least] = [0, Infinity]
    palette.forEach((other, at) => {
      const far = apart(colour, other)
      if (far < least) [best, least] = [at, far]
    })
    of.set(colour, best)
  }
  return { palette, of }
}

function chunk(name, data) {
  const whole = Buffer.alloc(data.length + 12)
  whole.writeUInt32BE(data.length, 0)
  whole.write(name, 4, 'latin1')
  whole.set(data, 8)
  whole.writeUInt32BE(checksum(whole.subarray(4, data.length + 8)), data.length + 8)
  return whole
}

/** CRC-32, bit by bit. */
function checksum(bytes) {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1))
  }
  return ~sum >>> 0
}
