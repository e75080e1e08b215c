import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Definition } from '../../shared/schema/definition.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { type Chain, factsOf, small, startChain } from './harness.ts'

let chain: Chain
beforeAll(async () => {
  chain = await startChain()
})
afterAll(() => chain.close())

const everyTask = [
  'requested',
  'validated',
  'named',
  'allocated',
  'placed',
  'planned',
  'customized',
  'create.built',
  'create.committed',
  'create.verified',
  'operational',
  'checked',
  'completed',
  'notified',
]

describe('a provision', () => {
  it('goes through every task in order, each with its own event, and ends completed', async () => {
    const run = await chain.request(small())
    const ended = await run.ended
    expect(factsOf(run)).toEqual(everyTask)
    expect(ended.data.status).toBe('success')
    expect(run.events().some(({ type }) => type.endsWith('create.verify.progressing'))).toBe(true)
  })

  it('brings up the machine on the cluster that OCM chose, with the addresses that were allocated', async () => {
    const run = await chain.request(small())
    const { facts, vmName } = (await run.ended).data
    const vmi = await chain.look(facts?.cluster ?? '', 'VirtualMachineInstance', 'shop', vmName ?? '')
    const shown = (vmi?.['status'] as { interfaces?: { ipAddresses?: string[] }[] } | undefined)?.interfaces?.[0]
      ?.ipAddresses
    const allocated = facts?.interfaces?.flatMap(({ leases }) => leases.map(({ address }) => address))
    expect(allocated).toHaveLength(2)
    expect(shown).toEqual(expect.arrayContaining(allocated ?? []))
  })

  it('puts its artifacts into Git by one commit with trailers, and leaves no record behind', async () => {
    const run = await chain.request(small({ requester: 'ann@example.com' }))
    const { facts } = (await run.ended).data
    const shown = await chain.git('show', '--stat', '--format=%(trailers)', facts?.revision ?? '')
    expect(shown).toContain(
      `Drover-Run: ${run.id}\nDrover-Step: create.commit\nDrover-Lifecycle: provision\nDrover-Requester: ann@example.com`,
    )
    expect(Object.keys(await chain.files()).filter((path) => path.startsWith('runs/'))).toEqual([])
    const steps = (
      await chain.git(
        'log',
        '--reverse',
        '--format=%(trailers:key=Drover-Step,valueonly,separator=)',
        `--grep=${run.id}`,
        'main',
      )
    )
      .trim()
      .split('\n')
    expect(steps).toEqual(['name', 'address', 'place', 'create.commit', 'complete'])
  })

  it.each(['provision', 'provision-database', 'provision-windows'])('completes for examples/%s.json', async (name) => {
    const { data } = JSON.parse(readFileSync(`examples/${name}.json`, 'utf8'))
    const run = await chain.request(data)
    const ended = await run.ended
    expect([ended.type, ended.data.message]).toEqual([
      'dev.drover.provision.completed',
      expect.stringContaining('is ready on'),
    ])
  })

  it('takes a fixed cluster too', async () => {
    const run = await chain.request(small({ placement: { cluster: 'site-a' } }))
    expect((await run.ended).data.facts?.cluster).toBe('site-a')
  })

  it('is the same run when its request is posted twice', async () => {
    const data = small()
    const [run] = await Promise.all([chain.request(data, { id: 'twice' }), chain.request(data, { id: 'twice' })])
    await run.ended
    await chain.idle()
    const commits = await chain.git('log', '--format=%s', `--grep=Drover-Run: ${run.id}`, 'main')
    expect(commits.trim().split('\n')).toHaveLength(5)
    expect(
      (await chain.files())[`vms/${run.events().at(-1)?.data.facts?.cluster}/shop/${data.name}/values.yaml`],
    ).toBeDefined()
  })

  it('changes nothing when every one of its events comes again, late and in another order', async () => {
    const run = await chain.request(small())
    await run.ended
    await chain.idle()
    const before = await chain.files()
    const head = await chain.git('rev-parse', 'main')
    for (const { json } of run.events().toReversed())
      await chain.post({ 'content-type': 'application/cloudevents+json' }, json)
    await chain.idle()
    expect(await chain.files()).toEqual(before)
    expect(await chain.git('rev-parse', 'main')).toBe(head)
    expect(new Set(factsOf(run).filter((fact) => /completed|rolledback|stranded/.test(fact)))).toEqual(
      new Set(['completed']),
    )
  })

  it('holds no secret in any event or in Git, only references', async () => {
    const { data } = JSON.parse(readFileSync('examples/provision-database.json', 'utf8'))
    const run = await chain.request({ ...data, name: 'secretive-db', namePattern: undefined })
    const { facts, vmName } = (await run.ended).data
    const path = `vms/${facts?.cluster}/${data.namespace}/${vmName}/values.yaml`
    const definition = parseYaml(await chain.git('show', `main:${path}`)) as Definition
    expect(Object.keys(definition.guestConfiguration.secrets)).not.toEqual([])
    const secret = await chain.look(facts?.cluster ?? '', 'Secret', data.namespace, `${vmName}-cloudinit`)
    const userData = Buffer.from(
      (secret?.['data'] as Record<string, string> | undefined)?.['userdata'] ?? '',
      'base64',
    ).toString()
    const value = /simulated[-a-z0-9]*/.exec(userData)?.[0]
    expect(value, 'the cluster has the value').toBeDefined()
    const events = run.events().map(({ json }) => json)
    expect([...events, await chain.git('log', '-p', '--all')].join('\n')).not.toContain(value)
  })
})
