/** Lines as Git speaks them with its servers (gitprotocol-common(5)): four hexadecimal digits say how long each is. */

/** A line, the end of a message, or what stands between the parts of one. */
export type PktLine = Buffer | 'flush' | 'delimiter' | 'response end'

const MARKS = ['flush', 'delimiter', 'response end'] as const
const LENGTH = 4

/** What ends a message. */
export const FLUSH = '0000'
/** What stands between its parts. */
export const DELIMITER = '0001'

/** A line of text. */
export const toLine = (text: string): string =>
  `${(LENGTH + Buffer.byteLength(text) + 1).toString(16).padStart(LENGTH, '0')}${text}\n`

/** Cuts what arrives into lines, however it is cut up itself. Throws when it is something else. */
export function lineReader(onLine: (line: PktLine) => void): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (piece) => {
    rest = rest.length > 0 ? Buffer.concat([rest, piece]) : piece
    while (rest.length >= LENGTH) {
      const digits = rest.toString('latin1', 0, LENGTH)
      if (!/^[0-9a-f]{4}$/i.test(digits) || digits === '0003')
        throw new Error('The Git server said something that is not a pkt-line')
      const length = Number.parseInt(digits, 16)
      if (length > rest.length) return
      const mark = MARKS[length]
      onLine(mark ?? rest.subarray(LENGTH, length))
      rest = rest.subarray(mark ? LENGTH : length)
    }
  }
}
