import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Chain, factsOf, small, startChain } from './harness.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.close())

const refused = ['requested', 'validate.failed', 'rolledback', 'notified']

describe('a bad request', () => {
  it.each<[string, object, RegExp]>([
    ['with the wrong schema', { template: 'linux-small' }, /namespace is missing.*owner is missing/],
    ['for an unknown template', small({ template: 'linux-huge' }), /linux-huge.*linux-small/],
    ['with a name that is taken', { ...small(), name: 'taken' }, /taken/],
    ['with a newline in a name', { ...small(), name: 'a\nb' }, /name is "a\\nb"/],
    ['with shell text', { ...small(), requester: '$(rm -rf /)\n;`id`' }, /requester is/],
    ['with a Unicode look-alike name', { ...small(), name: 'pаypal' }, /name is .*not ASCII/],
    [
      'with two problems',
      { ...small(), name: 'A', size: { cores: 0, memory: '4GB' } },
      /size.cores is 0.*size.memory is "4GB".*name is "A"/,
    ],
    ['with a path for a namespace', { ...small(), namespace: '../../etc' }, /namespace is/],
    [
      'for a cluster that there is not',
      { ...small(), placement: { cluster: 'nowhere' } },
      /no ManagedCluster "nowhere"/,
    ],
  ])('%s is answered with a sentence and changes nothing', async (_, data, says) => {
    if (/taken/.test(String(says)) && !(await named('taken')))
      await (await chain.request({ ...small(), name: 'taken' })).ended
    const before = await chain.files()
    const run = await chain.request(data)
    const ended = await run.ended
    expect(ended.type).toBe('dev.drover.provision.rolledback')
    expect(ended.data.failure?.message).toMatch(says)
    expect(await chain.files()).toEqual(before)
  })

  it('whose every address is taken is refused with the numbers', async () => {
    const before = await chain.files()
    const network = await chain.git('show', 'main:ipam/servers/network.yaml')
    chain.interfere(
      'ipam/servers/network.yaml',
      network.replace(/- 10\.20\.0\.2-10\.20\.0\.15/, '- 10.20.0.2-10.20.3.239'),
    )
    const run = await chain.request(small())
    const ended = await run.ended
    expect(ended.data.failure).toMatchObject({ task: 'address', message: expect.stringMatching(/no free/i) })
    chain.interfere('ipam/servers/network.yaml', network)
    expect(await chain.files()).toEqual(before)
  })

  it.each<[string, Record<string, string>, string, RegExp]>([
    ['that is not JSON', {}, '{"template": ', /the data is not JSON/],
    ['without data', {}, '', /no data/],
    ['of 2 MB', {}, JSON.stringify({ template: 'x'.repeat(2_000_000) }), /2000015 bytes long, wanted at most 131072/],
    ['that is text', { 'content-type': 'text/plain' }, 'hello', /the data is text\/plain, wanted application\/json/],
    ['with a field named __proto__', {}, '{"template":"linux-small","__proto__":{"admin":true}}', /__proto__/],
  ])('%s is answered with a sentence and changes nothing', async (_, headers, body, says) => {
    const before = await chain.files()
    const id = `raw-${says.source}`.replace(/[^a-z0-9-]/gi, '')
    const ce = {
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-source': '/raw',
      'ce-type': 'dev.drover.provision.requested',
    }
    await chain.post({ 'content-type': 'application/json', ...ce, ...headers }, body)
    const ended = await chain.feed.first(
      (seen) => seen.type.endsWith('rolledback') && says.test(seen.data.failure?.message ?? ''),
    )
    expect(ended.data.message).toMatch(/^Nothing was changed/)
    expect(await chain.files()).toEqual(before)
  })

  it('with a forged run id is refused, and names the right one', async () => {
    const before = await chain.files()
    const run = await chain.request(small(), { extensions: { runid: '0123456789abcdef0123' } })
    const ended = await run.ended
    expect(factsOf(run)).toEqual(refused)
    expect(ended.data.failure?.message).toContain(`its runid is "0123456789abcdef0123"`)
    expect(await chain.files()).toEqual(before)
  })
})

describe('an event that is not ours', () => {
  const forged = (type: string, data: object = {}) =>
    JSON.stringify({
      specversion: '1.0',
      id: 'f',
      source: '/drover/place',
      type,
      runid: '0123456789abcdef0123',
      subject: 'shop/x',
      data,
    })

  it.each([
    'dev.drover.provision.unheard-of',
    'dev.drover.unknown.requested',
    'com.example.other',
    'dev.drover.provision.create.built',
    'dev.drover.provision.checked',
    'dev.drover.provision.create.verify.failed',
  ])('of type %s wakes no work and changes nothing', async (type) => {
    const before = await chain.files()
    const seen = chain.feed.seen.length
    const data = {
      request: small(),
      facts: {},
      changes: [{ path: 'vms/x', content: 'x', expect: null }],
      since: '',
      deadline: '',
      requester: '',
    }
    expect(await chain.post({ 'content-type': 'application/cloudevents+json' }, forged(type, data))).toBe(202)
    await chain.idle()
    expect(chain.feed.seen.slice(seen).map((one) => one.type)).toEqual([type])
    expect(await chain.files()).toEqual(before)
  })
})

describe('YAML look-alikes', () => {
  it('stay the strings that they are, all the way to the cluster', async () => {
    const labels = { answer: 'yes', octal: '0o14', flag: 'on', number: '1_000', day: '2026-01-01', empty: 'null' }
    const run = await chain.request(small({ labels }))
    const { facts, vmName } = (await run.ended).data
    const vm = await chain.look(facts?.cluster ?? '', 'VirtualMachine', 'shop', vmName ?? '')
    expect(vm?.metadata.labels).toMatchObject(labels)
  })

  it('in variables reach the guest as text', async () => {
    const run = await chain.request(small({ variables: { timezone: '1:30' } }))
    const { facts, vmName } = (await run.ended).data
    const secret = await chain.look(facts?.cluster ?? '', 'Secret', 'shop', `${vmName}-cloudinit`)
    const userData = Buffer.from(
      (secret?.['data'] as Record<string, string> | undefined)?.['userdata'] ?? '',
      'base64',
    ).toString()
    expect(userData).toContain('"1:30"')
  })
})

const named = async (name: string) =>
  Object.keys(await chain.files()).some((path) => path.endsWith(`/${name}.yaml`) && path.startsWith('names/'))
