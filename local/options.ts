import { parseArgs } from 'node:util'

/** What `npm run local -- --help` prints. */
export const usage = `npm run local -- [--once] [--dir DIR] [--request FILE] [--delays N] [--kubevirt V] [--broker-port N] [--git-port N] [--events-port N]

Starts all of Drover on this machine and shows the life of a virtual machine, from its provisioning to its repaving; then
stays for more, until Ctrl-C. Its de-provisioning is left to you, or to --once.
  --once          de-provisions the machine too and ends: 0 if every run completed, 1 if one did not
  --dir DIR       where data goes (.drover); a second start over it goes on with the same fleet
  --request FILE  a CloudEvent to post instead, such as examples/provision.json
  --delays N      how long simulated work takes: 0 (at once) to 1 (as on a small cluster); 0.1 unless said
  --kubevirt V    plays an older KubeVirt on the managed clusters: 1.4 to 1.8; 1.8 unless said
  --*-port N      ports to use instead of free ones
`

/** The options of `npm run local`, refused with a sentence where they cannot be used. */
export function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      dir: { type: 'string', default: '.drover' },
      request: { type: 'string' },
      delays: { type: 'string', default: '0.1' },
      kubevirt: { type: 'string' },
      'broker-port': { type: 'string', default: '0' },
      'git-port': { type: 'string', default: '0' },
      'events-port': { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  })
  const { once, help, dir, request, kubevirt } = values
  return {
    ...{ once, help, dir, request, kubevirt },
    delays: toNumber('--delays', values.delays, 'a number from 0 to 1', (scale) => scale <= 1),
    ports: {
      broker: toPort('--broker-port', values['broker-port']),
      git: toPort('--git-port', values['git-port']),
      events: toPort('--events-port', values['events-port']),
    },
  }
}

const toPort = (name: string, text: string) =>
  toNumber(name, text, 'a number from 0 to 65535', (port) => Number.isInteger(port) && port <= 65_535)

function toNumber(name: string, text: string, wanted: string, fits: (number: number) => boolean): number {
  const number = Number(text)
  if (text.trim() === '' || !(number >= 0 && fits(number)))
    throw new Error(`Cannot start: ${name} is "${text}", wanted ${wanted}`)
  return number
}
