import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

export const usage = `npm run prober -- [--requests N] [--seed WORD] [--platform local|real] [--at-once N] [--every S] [--keep]

Asks for all lifecycles while every part of Drover is killed in turn, and looks whether what was promised holds.
  --requests N  how many requests in all (2000; 200 on real controllers)
  --seed WORD   makes up the same requests and the same kills again
  --platform P  local: the stand-ins, each in a process (the usual); real: the controllers of a real control plane
  --at-once N   how many machines and images go through their lives at once (24; 8 on real controllers)
  --every S     seconds between two kills (2; 6 on real controllers, which take longer to come back); 0 kills nobody
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

const usual = {
  local: { requests: '2000', 'at-once': '24', every: '2' },
  real: { requests: '200', 'at-once': '8', every: '6' },
}

/** The options of `npm run prober`; undefined where help is asked for. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      requests: { type: 'string' },
      seed: { type: 'string', default: String(randomInt(1 << 30)) },
      platform: { type: 'string', default: 'local' },
      'at-once': { type: 'string' },
      every: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { platform, seed, keep, help } = values
  if (help) return undefined
  if (platform !== 'local' && platform !== 'real')
    throw new Error(`Cannot start: --platform is "${platform}", wanted local or real`)
  const { requests, 'at-once': atOnce, every } = { ...usual[platform], ...values }
  return {
    ...{ platform, seed, keep },
    requests: toNumber('--requests', requests, 1),
    atOnce: toNumber('--at-once', atOnce, 1),
    every: toNumber('--every', every, 0) * 1_000,
  }
}

function toNumber(name: string, text: string, least: number): number {
  const number = Number(text)
  if (text.trim() !== '' && number >= least) return number
  throw new Error(`Cannot start: ${name} is "${text}", wanted a number from ${least} on`)
}
