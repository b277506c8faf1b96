// XOR distance between points of the key space, each 40 hexadecimal digits.

const BITS = 160
const DIGITS = 40

/** How many bits two points have in common, from the first on. */
export function sharedBits(a, b) {
  for (let at = 0; at < DIGITS; at += 1) {
    if (a[at] === b[at]) continue
    const differ = parseInt(a[at], 16) ^ parseInt(b[at], 16)
    return at * 4 + Math.clz32(differ) - 28
  }
  return BITS
}

/**
 * How close two points are, as the shared bits with a fraction: 160 minus the binary logarithm of the
 * distance. One more means half as far.
 */
export function closeness(a, b) {
  const bits = sharedBits(a, b)
  if (bits === BITS) return BITS
  // The bits after the first that differs: between 2^n and 2^(n+1) they say where.
  const at = bits >> 2
  const piece = (text) => parseInt(text.slice(at, at + 7).padEnd(7, '0'), 16)
  const differ = piece(a) ^ piece(b)
  return at * 4 + 28 - Math.log2(differ)
}
