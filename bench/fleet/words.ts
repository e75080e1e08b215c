import { toIdentity, toMac } from '../../shared/identity.ts'
import { runId } from '../../shared/run.ts'

/**
 * What the machines of a fleet differ in. A hundred of them share a namespace and a thousand a network, so that no folder
 * holds more than about a thousand entries, however many machines there are.
 */
export interface Words {
  name: string
  namespace: string
  cluster: string
  network: string
  address: string
  /** The address as DNS says it backwards. */
  reverse: string
  cidr: string
  gateway: string
  run: string
  mac: string
  uuid: string
  serial: string
}

const [perNamespace, perNetwork, perCluster] = [100, 1_000, 10_000]

/** The words of a machine by its number. */
export function wordsOf(machine: number): Words {
  const network = Math.floor(machine / perNetwork)
  const place = machine % perNetwork
  const octets = [10, network, Math.floor(place / 250), (place % 250) + 1]
  const run = runId('/bench', String(machine))
  return {
    name: `vm-${padded(machine, 7)}`,
    namespace: `team-${padded(Math.floor(machine / perNamespace), 5)}`,
    cluster: `cluster-${padded(Math.floor(machine / perCluster), 3)}`,
    network: `net-${padded(network, 4)}`,
    address: octets.join('.'),
    reverse: octets.toReversed().join('.'),
    cidr: `10.${network}.0.0/20`,
    gateway: `10.${network}.15.254`,
    run,
    mac: toMac(run, 0),
    ...toIdentity(run),
  }
}

export const beginsNamespace = (machine: number): boolean => machine % perNamespace === 0
export const beginsNetwork = (machine: number): boolean => machine % perNetwork === 0

const padded = (value: number, length: number) => String(value).padStart(length, '0')
