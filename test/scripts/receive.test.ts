import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openFolder } from '../../scripts/folder-tree.ts'
import { replay } from '../../scripts/replay.ts'
import { type Event, readEvent } from '../../shared/event.ts'
import { eventTypes } from '../../shared/event-types.ts'
import type { GoldenImages } from '../../shared/golden-images.ts'
import type { Hub } from '../../shared/hub.ts'
import type { Machines, Occupants } from '../../shared/machines.ts'
import type { RunData } from '../../shared/run.ts'

const root = new URL('../../', import.meta.url).pathname
const folder = `${root}test/events/`
const names = globSync('*.json', { cwd: folder }).sort()
const text = (name: string) => readFileSync(folder + name, 'utf8')
const saved = (name: string) => readEvent({ 'content-type': 'application/cloudevents+json' }, text(name))
const fileOf = (type: string) => `${type.replace('dev.drover.', '')}.json`

const settings = {
  repoUrl: 'http://git.drover.local/fleet.git',
  branch: 'main',
  namespace: 'argocd',
  project: 'default',
  rootApplication: 'drover-hub',
}
const fleet = () => openFolder(`${root}examples/fleet`)
const receive = async (
  event: Event,
  clusters?: { hub: Hub; machines: Machines; occupants: Occupants; goldenImages: GoldenImages },
) => replay(event, { fleet: await fleet(), clusters, settings, patienceMilliseconds: 200 })

const unlooked = () => expect.fail('nobody is to look at images')
const noImages: GoldenImages = { watch: unlooked, dataSource: unlooked, version: async () => undefined }

/** What two runs of the same step agree on: not the commit, and not when it was. */
function meaning({ type, id, subject, extensions, data }: Event) {
  const { facts, deadline: _, ...rest } = data as RunData
  const { revision: __, ...others } = facts
  return { type, id, subject, extensions, data: { ...rest, facts: others } }
}

describe('the saved events', () => {
  it('are one for each type of a run that completes, and those of one that is undone', () => {
    const ofProvision = eventTypes().filter(({ lifecycle }) => lifecycle === 'provision')
    const succeeding = ofProvision.filter(({ status }) => status === 'request' || status === 'success')
    const wanted = succeeding.map(({ type }) => fileOf(type))
    expect(names).toEqual(expect.arrayContaining(wanted))
    expect(names).toEqual(expect.arrayContaining(['provision.create.verify.failed.json', 'provision.rolledback.json']))
  })

  it.each(names)('hold no secret: %s', (name) => {
    expect(text(name)).not.toMatch(/signature|"token|PRIVATE KEY|ssh-(rsa|ed25519) AAAA|\$6\$/)
  })
})

describe('receive answers', () => {
  const steps = names.filter(
    (name) => !/(allocated|built|committed|operational|failed|progressing|notified)\.json$/.test(name),
  )

  it.each(steps)('%s with the event that followed in the run', async (name) => {
    const { answer, posted } = await receive(saved(name))
    if (!('event' in answer)) throw new Error(JSON.stringify(answer))
    expect(posted).toEqual([])
    if (name === 'provision.rolledback.json') expect(answer.event.type).toBe('dev.drover.provision.notified')
    else expect(meaning(answer.event)).toEqual(meaning(saved(fileOf(answer.event.type))))
  })

  it('provision.create.built.json with what would be pushed, and with no commit that there is not', async () => {
    const { answer } = await receive(saved('provision.create.built.json'))
    if (!('event' in answer)) throw new Error(JSON.stringify(answer))
    const { facts, message } = answer.event.data as RunData
    expect(message).toBe('Would push 11 files in one commit')
    expect(facts.revision).toBeUndefined()
    const told = saved('provision.create.committed.json')
    const rest = { ...told, data: { ...(told.data as RunData), message } }
    expect(meaning(answer.event)).toEqual(meaning(rest))
  })

  it.each(['allocated', 'create.committed', 'operational', 'create.verify.failed'])(
    'provision.%s.json with a sentence: it needs a cluster',
    async (name) => {
      const { answer } = await receive(saved(`provision.${name}.json`))
      expect(answer).toEqual({
        status: 503,
        message: 'Cannot go on: this event needs a cluster, name a kubeconfig with --kubeconfig',
      })
    },
  )

  it.each(['notified', 'place.progressing'])('provision.%s.json with a sentence: nothing follows', async (name) => {
    const { answer } = await receive(saved(`provision.${name}.json`))
    expect(answer).toMatchObject({ status: 400, message: expect.stringContaining('nothing follows from it') })
  })

  it('what a cluster shows, where one is named, and wakes nobody there', async () => {
    const refresh = () => Promise.reject(new Error('a replay must not change a cluster'))
    const machines: Machines = {
      refresh,
      settle: refresh,
      claims: async () => [],
      holders: async () => [],
      lastWords: async () => '',
      volumesOf: async () => ({}),
      sizeIn: async () => ({ instancetype: true, preference: true, claims: {} }),
      waitsForPod: async () => false,
      restoring: async () => 'in place',
      async *watch() {
        yield { application: undefined, machine: undefined, instance: undefined, disks: [], secrets: [] }
      },
    }
    const hub: Hub = {
      refresh,
      managedCluster: async () => undefined,
      async *watchPlacement() {
        yield { generation: 1, conditions: [], decisions: [{ clusterName: 'site-b', reason: '' }] }
      },
    }
    const occupants: Occupants = { of: async () => ({ application: undefined, machine: undefined }) }
    const clusters = { hub, machines, occupants, goldenImages: noImages }
    expect((await receive(saved('provision.create.committed.json'), clusters)).answer).toMatchObject({ status: 503 })
    const placed = await receive(saved('provision.allocated.json'), clusters)
    expect(placed.answer).toMatchObject({ event: { data: { facts: { cluster: 'site-b' } } } })
    const undone = await receive(saved('provision.create.verify.failed.json'), clusters)
    expect(undone.answer).toMatchObject({ event: { type: 'dev.drover.provision.rolledback' } })
  })

  it('a request that only asks for a plan with what its run would change, and commits nothing on the way', async () => {
    const requested = saved('provision.requested.json')
    let event: Event = { ...requested, data: { ...(requested.data as object), plan: true } }
    const types: string[] = []
    while (types.at(-1) !== 'dev.drover.provision.completed' && types.length < 20) {
      const { answer } = await receive(event)
      if (!('event' in answer)) throw new Error(JSON.stringify(answer))
      event = answer.event
      types.push(event.type)
    }
    const { facts, message } = event.data as RunData
    expect(message).toMatch(/^Nothing was changed\. Provisioning of prod-shop-001 would do this: /)
    expect(facts.plan).toContain('A vms/chosen-by-placement/shop/prod-shop-001/values.yaml')
  })

  it('a place that somebody else has taken with what the function would answer', async () => {
    const machine = { metadata: { name: 'prod-shop-001', namespace: 'shop' } }
    const unasked = () => expect.fail('nobody is to be asked this')
    const there = { application: undefined, machine } as unknown as Awaited<ReturnType<Occupants['of']>>
    const { answer } = await receive(saved('provision.allocated.json'), {
      hub: {
        refresh: async () => undefined,
        managedCluster: unasked,
        async *watchPlacement() {
          yield { generation: 1, conditions: [], decisions: [{ clusterName: 'site-b', reason: '' }] }
        },
      },
      machines: {} as Machines,
      occupants: { of: async () => there },
      goldenImages: noImages,
    })
    expect(answer).toMatchObject({ event: { type: 'dev.drover.provision.place.failed' } })
  })

  it('a dead letter with what would have been posted', async () => {
    const event = saved('provision.planned.json')
    const dead = { ...event, extensions: { ...event.extensions, knativeerrorcode: '500' } }
    const { answer, posted } = await receive(dead)
    expect(answer).toEqual({ status: 204 })
    expect(posted).toMatchObject([{ type: 'dev.drover.provision.customize.failed' }])
  })
})

describe('npm run receive', () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['scripts/receive.ts', ...args], { cwd: root, env: {} })

  it('prints the status and the event', async () => {
    const { stdout, stderr } = await run('test/events/provision.validated.json')
    expect(stderr).toBe('Tried on a copy of examples/fleet: nothing was reserved, pushed or told.\n')
    const [status, ...event] = stdout.split('\n')
    expect(status).toBe('200')
    expect(JSON.parse(event.join('\n'))).toMatchObject({ specversion: '1.0', type: 'dev.drover.provision.named' })
  })

  it('refuses a patience that is no number', async () => {
    await expect(run('test/events/provision.validated.json', '--patience', 'x')).rejects.toMatchObject({
      code: 1,
      stderr: 'Cannot receive: --patience is "x", wanted a number of seconds\n',
    })
  })

  it('says what is wrong with a file, and ends with 1', async () => {
    await expect(run('package.json')).rejects.toMatchObject({
      code: 1,
      stderr: 'Cannot read the event: an attribute is not text\n',
    })
  })
})
