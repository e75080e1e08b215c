/**
 * What makes one object of another, as a pack has it (gitformat-pack(5), "deltified representation"): how both begin and
 * how both end is copied, and what is between is said. A folder of a thousand files differs from the one before by a line.
 */
export function deltaOf(from: Buffer, to: Buffer): Buffer {
  const most = Math.min(from.length, to.length)
  const head = common(most, (at, long) => from.subarray(at, at + long).equals(to.subarray(at, at + long)))
  const ending = (bytes: Buffer, at: number, long: number) =>
    bytes.subarray(bytes.length - at - long, bytes.length - at)
  const tail = common(most - head, (at, long) => ending(from, at, long).equals(ending(to, at, long)))
  return Buffer.concat([
    Buffer.from([...length(from.length), ...length(to.length)]),
    ...copies(0, head),
    ...insertions(to.subarray(head, to.length - tail)),
    ...copies(from.length - tail, tail),
  ])
}

/** How many bytes are the same before the first that is not: by halves, for whole pieces are compared in no time. */
function common(most: number, isSame: (at: number, long: number) => boolean): number {
  let at = 0
  for (let long = most; ; long = Math.ceil(long / 2)) {
    const piece = Math.min(long, most - at)
    if (isSame(at, piece)) at += piece
    if (long <= 1) return at
  }
}

/** Seven bits a byte, the lowest first. */
function length(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128)
  return [...bytes, rest]
}

const longestCopy = 0xffff
const longestInsertion = 127

/** A byte whose bits say which bytes of an offset (four) and of a length (two are enough) are not zero, and those. */
function copies(start: number, size: number): Buffer[] {
  return pieces(size, longestCopy).map(([at, long]) => {
    const numbers = [...four(start + at), ...four(long).slice(0, 2)]
    const bits = numbers.reduce((sum, byte, place) => (byte === 0 ? sum : sum | (1 << place)), 128)
    return Buffer.from([bits, ...numbers.filter((byte) => byte !== 0)])
  })
}

const four = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]

const insertions = (bytes: Buffer): Buffer[] =>
  pieces(bytes.length, longestInsertion).flatMap(([at, long]) => [Buffer.from([long]), bytes.subarray(at, at + long)])

/** Where each piece of a whole begins, and how long it is. */
function pieces(whole: number, longest: number): [at: number, long: number][] {
  return Array.from({ length: Math.ceil(whole / longest) }, (_, piece) => {
    const at = piece * longest
    return [at, Math.min(longest, whole - at)]
  })
}
