import { createHash } from 'node:crypto'
import { parse } from 'yaml'
import { isDict } from '../../../shared/dict.ts'
import type { Fields, KubeObject } from '../object.ts'
import type { CloudInit, GuestSpec, Interface } from './vm-types.ts'

/** An address of the pod network, the same one for the same object. */
export function poolAddress({ metadata }: KubeObject): string {
  const [a = 0, b = 0] = createHash('sha256').update(metadata.uid).digest()
  return `10.244.${a}.${(b % 253) + 2}`
}

/** Where a guest's Secrets are found. */
export interface Secrets {
  get(kind: string, namespace: string, name: string): KubeObject | undefined
}

/** What a guest reports of its interfaces: the addresses that it was set up with by MAC, else one of the pool. */
export function interfacesOf(
  store: Secrets,
  instance: KubeObject & { spec: GuestSpec },
  said: { agent: boolean; wrong: boolean },
) {
  const { domain, networks = [] } = instance.spec
  const ethernets = said.agent && !said.wrong ? [...networkData(store, instance), ...answerFile(store, instance)] : []
  return (domain.devices?.interfaces ?? []).map((nic, n) => {
    const onPods = networks.some(({ name, multus }) => name === nic.name && !multus)
    const given = addressesOf(ethernets, nic)
    const known = given.length > 0 ? given : onPods || said.agent ? [poolAddress(instance)] : []
    return {
      name: nic.name,
      mac: nic.macAddress ?? macOf(instance, n),
      ...(known[0] && { ipAddress: known[0], ipAddresses: known }),
      ...(said.agent && { interfaceName: `eth${n}` }),
      infoSource: said.agent ? 'domain, guest-agent' : 'domain',
      queueCount: 1,
    }
  })
}

function macOf({ metadata }: KubeObject, n: number): string {
  const digits = createHash('sha256').update(metadata.uid).digest('hex').slice(0, 6)
  return `02:00:${digits.match(/../g)?.join(':')}:${String(n).padStart(2, '0')}`
}

function addressesOf(ethernets: Fields[], { macAddress }: Interface): string[] {
  const found = ethernets.find(
    ({ match }) => isDict(match) && String(match['macaddress']).toLowerCase() === macAddress?.toLowerCase(),
  )
  const addresses = found?.['addresses']
  return Array.isArray(addresses) ? addresses.map((address) => String(address).replace(/\/\d+$/, '')) : []
}

/** The ethernets of the guest's network data (netplan, version 2), from its Secret or from the manifest. */
function networkData(store: Secrets, { spec, metadata }: KubeObject & { spec: GuestSpec }): Fields[] {
  const sources = (spec.volumes ?? []).flatMap(
    ({ cloudInitNoCloud, cloudInitConfigDrive }) => cloudInitNoCloud ?? cloudInitConfigDrive ?? [],
  )
  return sources.flatMap((source) => ethernetsOf(textOf(store, metadata.namespace ?? '', source)))
}

function textOf(
  store: Secrets,
  namespace: string,
  { networkData, networkDataBase64, networkDataSecretRef, secretRef }: CloudInit,
): string {
  const encoded =
    networkDataBase64 ??
    [networkDataSecretRef, secretRef]
      .map((ref) => ref && dataOf(store, namespace, ref.name)['networkdata'])
      .find(Boolean)
  return networkData ?? Buffer.from(String(encoded ?? ''), 'base64').toString()
}

function dataOf(store: Secrets, namespace: string, name: string): Fields {
  const data = store.get('Secret', namespace, name)?.['data']
  return isDict(data) ? data : {}
}

/** What a Windows guest's answer file has PowerShell give to the adapters that it finds by their MAC. */
function answerFile(store: Secrets, { spec, metadata }: KubeObject & { spec: GuestSpec }): Fields[] {
  const names = (spec.volumes ?? []).flatMap(({ sysprep }) => sysprep?.secret?.name ?? [])
  const texts = names.flatMap((name) => Object.values(dataOf(store, metadata.namespace ?? '', name)))
  return texts.flatMap((text) => {
    const commands = Buffer.from(String(text), 'base64').toString()
    const given = commands.matchAll(/MacAddress -eq \W*([0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})[\s\S]*?-IPAddress (\S+)/gi)
    return [...given].map(([, mac = '', address]) => ({
      match: { macaddress: mac.replaceAll('-', ':') },
      addresses: [address],
    }))
  })
}

function ethernetsOf(text: string): Fields[] {
  let document: unknown
  try {
    document = parse(text)
  } catch {
    return [] // a guest does not start its network with this either
  }
  const network = isDict(document) && isDict(document['network']) ? document['network'] : document
  const ethernets = isDict(network) ? network['ethernets'] : undefined
  return isDict(ethernets) ? Object.values(ethernets).filter(isDict) : []
}
