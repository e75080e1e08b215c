import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

export const usage = `npm run prober -- [--requests N] [--seed WORD] [--platform local|real] [--at-once N] [--every S] [--keep]

Asks for all lifecycles while every part of Drover is killed in turn, and looks whether what was promised holds.
  --requests N  how many requests in all (2000; 200 on real controllers)
  --seed WORD   makes up the same requests and the same kills again
  --platform P  local: the stand-ins, each in a process (the usual); real: the controllers of a real control plane
  --at-once N   how many machines and images go through their lives at once (24)
  --every S     seconds between two kills (2); 0 kills nobody
  --keep        leaves everything where it was when all is well, too
`

export interface Options {
  requests: number
  seed: string
  platform: 'local' | 'real'
  atOnce: number
  /** Milliseconds. */
  every: number
  keep: boolean
}

/** The options of `npm run prober`; undefined where help is asked for. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      requests: { type: 'string' },
      seed: { type: 'string', default: String(randomInt(1 << 30)) },
      platform: { type: 'string', default: 'local' },
      'at-once': { type: 'string', default: '24' },
      every: { type: 'string', default: '2' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { platform, seed, keep, help } = values
  if (help) return undefined
  if (platform !== 'local' && platform !== 'real')
    throw new Error(`Cannot start: --platform is "${platform}", wanted local or real`)
  return {
    ...{ platform, seed, keep },
    requests: toNumber('--requests', values.requests ?? (platform === 'real' ? '200' : '2000'), 1),
    atOnce: toNumber('--at-once', values['at-once'], 1),
    every: toNumber('--every', values.every, 0) * 1_000,
  }
}

function toNumber(name: string, text: string, least: number): number {
  const number = Number(text)
  if (text.trim() !== '' && number >= least) return number
  throw new Error(`Cannot start: ${name} is "${text}", wanted a number from ${least} on`)
}
