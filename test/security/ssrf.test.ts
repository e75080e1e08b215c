import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { validate } from '../../functions/validate/validate.ts'
import { callbackPoster } from '../../shared/clients/callback.ts'
import { isInside } from '../../shared/inside.ts'
import type { LifecycleName } from '../../shared/lifecycles.ts'
import { asked, smallRequest, starterFiles } from '../examples/starter.ts'
import { memoryFleet } from '../fleet.ts'

/** Addresses that a requester may have Drover or a cluster ask: none leads inside unless policy names it. */

/** The answers of the attacker's name server, each with its addresses; the last one is given again and again. */
const names = vi.hoisted(() => new Map<string, string[][]>())
vi.mock('node:dns', async (original) => {
  const dns = await original<typeof import('node:dns')>()
  type Found = (error: Error | null, address: unknown, family?: number) => void
  /** Names of the tests, as an attacker's name server would answer: another address each time. */
  const lookup = (name: string, options: { all?: boolean }, found: Found) => {
    const answers = names.get(name)
    if (!answers) return dns.lookup(name, options, found as never)
    const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? []
    const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    return options.all ? found(null, all) : found(null, all[0]?.address, all[0]?.family)
  }
  return { ...dns, lookup, default: { ...dns, lookup } }
})
afterEach(() => {
  names.clear()
  vi.restoreAllMocks()
})

/** Hosts that are inside, in every form that some resolver takes. */
const inside = [
  '127.0.0.1',
  '127.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '0',
  '0.0.0.0',
  '10.0.0.1',
  '10.255.255.255',
  '167772161',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '3232235521',
  '100.64.0.1',
  '169.254.169.254',
  '169.254.43518',
  '2852039166',
  '0xA9FEA9FE',
  '0251.0376.0251.0376',
  '169.254.169.254.',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[::ffff:10.0.0.1]',
  '[::127.0.0.1]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::a00:1]',
  '[2002:a9fe:a9fe::1]',
  '[2001:0:a9fe:a9fe::1]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '[fec0::1]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'a.localhost',
  'registry',
  'kubernetes',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  'metadata.google.internal',
  'vault.corp',
  'router.lan',
  'printer.local',
  '１２７.0.0.1',
  '①②⑦.0.0.1',
  'ⓛocalhost',
]
const outside = ['93.184.216.34', '[2606:2800:220:1::1]', 'images.example.com', 'localhost.example.com', '8.8.8.8.']

describe('a host', () => {
  it.each(inside)('%s is inside', (host) => {
    expect(isInside(host)).toBe(true)
  })
  it.each(outside)('%s is not', (host) => {
    expect(isInside(host)).toBe(false)
  })
})

/** The starter fleet with a policy of this namespace that opens everything that a glob can open. */
const openTo = (rules: string) =>
  memoryFleet({
    ...Object.fromEntries(Object.entries(starterFiles()).filter(([path]) => !path.startsWith('policy/'))),
    'policy/open.yaml': `description: open\nrules:\n  allowRequesters: ["*"]\n  allowSecrets: ["*"]\n${rules}`,
  })
const everywhere = openTo(
  '  allowCallbackHosts: ["*", "http://*"]\n  allowImageSources: ["https://*/*", "http://*/*", "docker://*/*"]\n  allowPushes: ["*/*"]\n  allowImages: ["*"]\n',
)
const digest = `sha256:${'0'.repeat(64)}`
const golden = {
  ...{ namespace: 'golden', image: 'rhel9', cluster: 'site-a', size: '10Gi' },
  source: { url: 'https://images.example.com/rhel9.qcow2' },
}
const repaved = (registry: string) => ({ namespace: 'shop', name: 'web-01', image: { registry } })

async function answerTo(request: object, lifecycle: LifecycleName, fleet = everywhere) {
  const { kind, message } = await validate(asked(request, { lifecycle }), fleet)
  return `${kind}: ${message}`
}

describe.each(inside)('under a policy that allows every host with a "*", %s', (host) => {
  it('is no source of an image', async () => {
    for (const scheme of ['https', 'http'])
      expect(await answerTo({ ...golden, source: { url: `${scheme}://${host}/a` } }, 'golden-image')).toMatch(
        /^refused/,
      )
    const registry = `docker://${host}/rhel9@${digest}`
    expect(await answerTo({ ...golden, source: { registry } }, 'golden-image')).toMatch(/^refused/)
    expect(await answerTo(repaved(registry), 'repave')).toMatch(/^refused/)
  })

  it('is no registry to push to', async () => {
    for (const port of ['', ':5000']) {
      const push = { repository: `${host}${port}/golden/rhel9`, tag: '1' }
      expect(await answerTo({ ...golden, push }, 'golden-image')).toMatch(/^refused/)
    }
  })

  it('is not called back', async () => {
    for (const scheme of ['https', 'http']) {
      const callback = { url: `${scheme}://${host}:8443/told` }
      expect(await answerTo({ ...smallRequest(), callback }, 'provision')).toMatch(/^refused/)
    }
  })
})

describe('a policy', () => {
  it('opens public hosts by globs, or the rows above would have proved nothing', async () => {
    const push = { repository: 'registry.example.com:5000/golden/rhel9', tag: '1' }
    expect(await answerTo({ ...golden, push }, 'golden-image')).toMatch(/^succeeded/)
    expect(await answerTo(repaved(`docker://registry.example.com/rhel9@${digest}`), 'repave')).toMatch(/^succeeded/)
    const callback = { url: 'https://portal.example.com/told' }
    expect(await answerTo({ ...smallRequest(), callback }, 'provision')).toMatch(/^succeeded/)
  })

  it('opens a host inside where it names it in full', async () => {
    const fleet = openTo(
      '  allowCallbackHosts: ["portal.corp"]\n  allowImageSources: ["https://10.0.0.5/*"]\n  allowPushes: ["registry.corp:5000/*"]\n  allowImages: ["docker://registry.corp:5000/*"]\n',
    )
    const image = {
      ...golden,
      source: { url: 'https://10.0.0.5/rhel9.qcow2' },
      push: { repository: 'registry.corp:5000/a', tag: '1' },
    }
    expect(await answerTo(image, 'golden-image', fleet)).toMatch(/^succeeded/)
    expect(await answerTo(repaved(`docker://registry.corp:5000/rhel9@${digest}`), 'repave', fleet)).toMatch(
      /^succeeded/,
    )
    const callback = { url: 'https://portal.corp/told' }
    expect(await answerTo({ ...smallRequest(), callback }, 'provision', fleet)).not.toContain('callback.url')
  })

  it('that says nothing of images lets nobody repave from a registry inside', async () => {
    expect(await answerTo(repaved(`docker://10.0.0.5:5000/rhel9@${digest}`), 'repave', openTo(''))).toContain(
      'wanted one on a public host, or on one that allowImages of a policy names in full',
    )
  })

  const examples = openTo('  allowImageSources: ["https://*.example.com/*"]\n  allowCallbackHosts: ["*.example.com"]\n')
  it.each([
    'https://169.254.169.254?.example.com/',
    'https://169.254.169.254#.example.com/',
    'https://169.254.169.254\\.example.com/',
    'https://169.254.169.254/.example.com/',
    'https://169.254.169.254;.example.com/',
    'https://a.example.com@169.254.169.254/',
    'https://a.example.com:443@169.254.169.254/',
    'https://169.254.169.254%2f.example.com/',
    'https://169.254.169.254%00.example.com/',
    'https://evil.test/.example.com/',
    'https://a.example.com.evil.test/',
    'https:/\\169.254.169.254/.example.com/',
    'https:169.254.169.254/.example.com/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:6379/.example.com/',
    'https://[::1].example.com/',
  ])('of some hosts is not talked into another one by %s', async (url) => {
    expect(await answerTo({ ...golden, source: { url } }, 'golden-image', examples)).toMatch(/^refused/)
    expect(await answerTo({ ...smallRequest(), callback: { url } }, 'provision', examples)).toMatch(/^refused/)
  })
})

describe('a callback, when it connects,', () => {
  let server: Server
  let asks = 0
  let port = 0
  beforeAll(async () => {
    server = createServer((_, response) => {
      asks++
      response.writeHead(302, { location: 'https://169.254.169.254/latest/meta-data/' }).end()
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => void server.close())

  const careful = callbackPoster({ reach: 'public' })
  const open = callbackPoster({ reach: 'private' })
  const local = callbackPoster({ reach: 'loopback' })
  const refused = { reason: 'refused', message: expect.stringContaining('is not a public address') }

  it.each([
    '127.0.0.1',
    '10.0.0.1',
    '169.254.169.254',
    '::1',
    '::ffff:169.254.169.254',
    'fd00::1',
    '64:ff9b::a9fe:a9fe',
  ])('does not go to %s for a name that resolves to it', async (address) => {
    names.set('rebind.example.com', [[address]])
    await expect(careful.post(`https://rebind.example.com:${port}/`, {}, '{}')).rejects.toMatchObject(refused)
  })

  /** A public address by all ranges, in a block that nobody has been given: nothing is there. */
  const nowhere = '3ffe::1'

  /** The addresses that sockets have gone to from now on. */
  function attempts(): string[] {
    const addresses: string[] = []
    const connect = Socket.prototype.connect as (this: Socket, ...rest: unknown[]) => Socket
    vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket, ...rest: unknown[]) {
      this.on('connectionAttempt', (address: string) => {
        addresses.push(address)
        // Seen is enough: some networks would keep it waiting.
        setImmediate(() => this.destroy(new Error('seen')))
      })
      return connect.apply(this, rest)
    })
    return addresses
  }

  it.each([[[nowhere, '10.0.0.1']], [['10.0.0.1', nowhere]]])(
    'goes nowhere for a name with a private address among the public ones: %j',
    async (answer) => {
      names.set('mixed.example.com', [answer])
      const gone = attempts()
      await expect(careful.post('https://mixed.example.com/', {}, '{}')).rejects.toMatchObject(refused)
      expect(gone).toEqual([])
    },
  )

  it('goes to the very address that it has checked: a second answer, which would be private, is not asked for', async () => {
    const answers = [[nowhere], ['127.0.0.1']]
    names.set('twice.example.com', answers)
    const gone = attempts()
    await expect(careful.post(`https://twice.example.com:${port}/`, {}, '{}')).rejects.toMatchObject({
      reason: 'broken',
    })
    expect({ gone, answers, asks }).toEqual({ gone: [nowhere], answers: [['127.0.0.1']], asks: 0 })
  })

  const never = [
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.0.192',
    'fe80::1',
    'ff02::1',
    '::',
    '::ffff:169.254.169.254',
    // Where clouds keep secrets at an address that looks private, or even public.
    '100.100.100.200',
    '::ffff:100.100.100.200',
    '168.63.129.16',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    'fd00:42::42',
  ]
  const loopback = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']

  /** By its number, and by a name that resolves to it. */
  async function isRefusedBy({ post }: typeof careful, address: string) {
    const gone = attempts()
    const host = address.includes(':') ? `[${address}]` : address
    await expect(post(`http://${host}:${port}/`, {}, '{}')).rejects.toMatchObject(refused)
    names.set('meta.example.com', [[address]])
    await expect(post(`http://meta.example.com:${port}/`, {}, '{}')).rejects.toMatchObject(refused)
    expect(gone).toEqual([])
  }

  it.each([...never, ...loopback])('does not go to %s even where private addresses are allowed', async (address) => {
    await isRefusedBy(open, address)
  })

  it.each(never)('does not go to %s even where loopback is allowed', async (address) => {
    await isRefusedBy(local, address)
  })

  it.each(['168.63.129.16'])('does not go to %s, which is public by its range', async (address) => {
    await expect(careful.post(`https://${address}/`, {}, '{}')).rejects.toMatchObject(refused)
  })

  it.each(['10.0.0.1', '192.168.0.1', 'fd12:3456::1', '100.64.0.1'])(
    'goes to %s where private addresses are allowed',
    async (address) => {
      names.set('portal.example.com', [[address]])
      const gone = attempts()
      await expect(open.post(`http://portal.example.com:${port}/`, {}, '{}')).rejects.toMatchObject({
        reason: 'broken',
      })
      expect(gone).toEqual([address])
    },
  )

  it('goes to loopback where it is allowed, and follows no redirect from there', async () => {
    names.set('portal.example.com', [['127.0.0.1']])
    expect(await local.post(`http://portal.example.com:${port}/`, {}, '{}')).toBe(302)
    expect(asks).toBe(1)
  })
})
