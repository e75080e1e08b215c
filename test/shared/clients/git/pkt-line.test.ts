import { describe, expect, it } from 'vitest'
import { lineReader, type PktLine, toLine } from '../../../../shared/clients/git/pkt-line.ts'

const read = (pieces: readonly Buffer[]) => {
  const lines: (string | { text: string })[] = []
  const onLine = (line: PktLine) => void lines.push(typeof line === 'string' ? line : { text: line.toString() })
  const take = lineReader(onLine)
  for (const piece of pieces) take(piece)
  return lines
}

describe('pkt-lines', () => {
  it('say how long they are, themselves included', () => {
    expect(toLine('command=fetch')).toBe('0012command=fetch\n')
  })

  const message = Buffer.from(`${toLine('packfile')}0001${toLine('0000')}0004${toLine('x'.repeat(60_000))}00000002`)
  const lines = [
    ...[{ text: 'packfile\n' }, 'delimiter', { text: '0000\n' }, { text: '' }],
    ...[{ text: `${'x'.repeat(60_000)}\n` }, 'flush', 'response end'],
  ]

  it.each([1, 3, 4, 5, 1_000, 100_000])('are read whole from pieces of %i bytes', (size) => {
    const count = Math.ceil(message.length / size)
    const pieces = Array.from({ length: count }, (_, index) => message.subarray(index * size, (index + 1) * size))
    expect(read(pieces)).toEqual(lines)
  })

  it.each(['<htm', '0x10', '-001', ' 001', '0003'])('are not what begins with %j', (text) => {
    expect(() => read([Buffer.from(`${text}l>`)])).toThrow('not a pkt-line')
  })
})
