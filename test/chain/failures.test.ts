import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Seen } from '../../local/feed.ts'
import { blobId } from '../../shared/blob-id.ts'
import { taskFor } from '../../shared/event-types.ts'
import { lifecycleOf, terminals } from '../../shared/lifecycles.ts'
import { placementName } from '../../shared/ocm/placement.ts'
import { isShared, nameFile, networkFile, runFile, templateFile } from '../../shared/paths.ts'
import { runId } from '../../shared/run.ts'
import { parseYaml, toYaml } from '../../shared/yaml.ts'
import { decline, takeAll } from './declining.ts'
import { type Enterprise, startEnterprise } from './enterprise.ts'
import { type Chain, factsOf, type Run, small, startChain } from './harness.ts'
import { type MachineFault, untampered } from './platform.ts'

const root = new URL('../..', import.meta.url).pathname

let chain: Chain
let cmdb: Enterprise
/** What a test did to the fleet in somebody else's name: path to content. */
const theirs = new Map<string, string | null>()

beforeAll(async () => {
  cmdb = await startEnterprise()
  chain = await startChain({ ...cmdb.settings, DROVER_GRACE_SECONDS: '2' })
  chain.interfere('templates/imported.yaml', imported())
})
afterEach(() => {
  chain.tamper.with = untampered
  chain.mend()
  cmdb.refuses = undefined
  takeAll(chain)
  theirs.clear()
})
afterAll(async () => {
  await chain.close()
  cmdb.close()
})

/** A template whose disk is imported, which can fail; CDI never gives up a clone. */
function imported(): string {
  const template = parseYaml(readFileSync(join(root, 'examples/fleet', templateFile('linux-small')), 'utf8')) as object
  return toYaml({
    ...template,
    image: { registry: `docker://registry.example.com/golden/rhel9@sha256:${'a'.repeat(64)}` },
  })
}

/** Commits a file in somebody else's name; an undo must leave it as it is. */
function interfere(path: string, content: string | null): void {
  theirs.set(path, content)
  chain.interfere(path, content)
}

/** The fleet as it was before, but for what others did to it meanwhile and what the machines of a namespace share. */
function withTheirs(before: Record<string, string>): Record<string, string> {
  const files = new Map(Object.entries(before))
  for (const [path, content] of theirs) {
    if (content === null) files.delete(path)
    else files.set(path, blobId(content))
  }
  return Object.fromEntries([...files].filter(([path]) => !isShared(path)))
}

/** Nothing of the machine is left: not its name, address, files or record, and nothing on any cluster. */
async function expectUndone(run: Run, before: Record<string, string>, name: string): Promise<void> {
  const after = Object.entries(await chain.files()).filter(([path]) => !isShared(path))
  expect(Object.fromEntries(after)).toEqual(withTheirs(before))
  for (const cluster of chain.sites) {
    for (const kind of ['VirtualMachine', 'VirtualMachineInstance', 'ExternalSecret'])
      expect(
        await chain.look(cluster, kind, 'shop', kind === 'ExternalSecret' ? `${name}-cloudinit` : name),
      ).toBeUndefined()
  }
  expect(await chain.look('hub', 'Application', 'argocd', name)).toBeUndefined()
  // Nobody waits for it: the next run asks under a name of its own.
  const placement = () => chain.look('hub', 'Placement', 'argocd', placementName(name, run.id))
  await expect.poll(placement, { timeout: 60_000 }).toBeUndefined()
  expect([undefined, 'retired']).toContain(cmdb.records.get(name))
  expect(run.events().filter(({ type }) => /\.(completed|stranded)$/.test(type))).toEqual([])
}

const tasks = lifecycleOf('provision')
  .tasks.filter(({ name }) => name !== 'notify')
  .map(({ name }) => name)

describe('a run whose function is dead', { timeout: 240_000 }, () => {
  /** All of them at once: each waits for the clusters most of the time. */
  const runs = new Map<string, { run: Run; name: string; ended: Seen }>()
  let before: Record<string, string>
  beforeAll(async () => {
    before = await chain.files()
    const deadTask = new Map(tasks.map((task) => [runId('/tests', `dead-${task}`), task]))
    // The dead letter sink is `recover`, which must still hear of it.
    chain.tamper.with = (name, { id, type, run }) => {
      // A request has no run yet.
      const dead = deadTask.get(run || runId('/tests', id))
      return name !== 'recover' && dead !== undefined && taskFor(type)?.task.name === dead ? 400 : undefined
    }
    await Promise.all(
      tasks.map(async (task) => {
        const data = small()
        const run = await chain.request(data, { id: `dead-${task}` })
        runs.set(task, { run, name: data.name ?? '', ended: await run.ended })
      }),
    )
  }, 240_000)

  it.each(tasks)('is undone when nobody can do "%s"', async (task) => {
    const { run, name, ended } = runs.get(task) ?? expect.fail()
    expect(ended.type).toBe('dev.drover.provision.rolledback')
    expect(ended.data.failure).toMatchObject({ task, message: expect.stringContaining('the Broker gave up after') })
    expect(factsOf(run)).toEqual(expect.arrayContaining([`${task}.failed`, 'rolledback', 'notified']))
    await expectUndone(run, before, name)
  })
})

interface Case {
  task: string
  says: string
  request?: object
  /** Done when the event that starts the task is accepted, before it is delivered. */
  when?: (name: string, cluster: string) => void
}

/** A network with all of its addresses taken but those that nobody gets. */
const exhausted = toYaml({
  description: 'full',
  attachment: { namespace: 'default', name: 'vlan-20' },
  subnets: [{ cidr: '10.20.0.0/22', gateway: '10.20.0.1', reserved: ['10.20.0.2-10.20.3.254'] }],
  domain: 'servers.example.com',
})

const fault = (name: MachineFault) => () => chain.fault(name)

const cases: Case[] = [
  { task: 'validate', says: 'size.memory is "8Ti", wanted at most', request: { size: { cores: 2, memory: '8Ti' } } },
  {
    task: 'name',
    says: 'is taken',
    when: (name) => interfere(nameFile(name), toYaml({ name, run: 'other', namespace: 'shop', since: '' })),
  },
  {
    task: 'address',
    says: 'no free',
    when: () => interfere(networkFile('servers'), exhausted),
  },
  {
    task: 'place',
    says: 'No ManagedCluster',
    request: { placement: { predicates: [{ labels: { region: 'moon' } }] } },
  },
  {
    task: 'plan',
    says: 'the CMDB refused it with 422',
    when: () => {
      cmdb.refuses = 'planned'
    },
  },
  {
    task: 'customize',
    says: 'monitoring-agent',
    request: { customizations: ['base-linux', 'monitoring-agent'] },
    when: () => interfere('customizations/monitoring-agent.yaml', null),
  },
  {
    task: 'create.build',
    says: 'vms/',
    when: (name, cluster) => interfere(`vms/${cluster}/shop/${name}/notes.txt`, 'mine'),
  },
  {
    task: 'create.commit',
    says: 'changed by somebody else',
    when: (name, cluster) => interfere(`vms/${cluster}/shop/${name}/values.yaml`, 'mine: true'),
  },
  { task: 'create.verify', says: 'cannot be made', request: { template: 'imported' }, when: fault('import-fails') },
  { task: 'create.verify', says: 'ErrorUnschedulable', when: fault('unschedulable') },
  { task: 'create.verify', says: 'CrashLoopBackOff', when: fault('crash-loop') },
  {
    task: 'operate',
    says: 'the CMDB refused it with 422',
    when: () => {
      cmdb.refuses = 'operational'
    },
  },
  { task: 'check', says: 'wanted 10.20.0.', when: fault('wrong-address') },
  { task: 'complete', says: 'not by you', when: () => decline(chain, 'Close run', 'not by you') },
]

describe('a run that fails', () => {
  it.each(cases)('at "$task" says "$says" and is undone', async ({ task, says, request, when }) => {
    const data = small(request)
    const name = data.name ?? ''
    const { tasks: all } = lifecycleOf('provision')
    const at = all.findIndex((one) => one.name === task)
    // A fault of the cluster must be there before the machine is.
    const starts = task === 'check' ? 'create.built' : (all[at - 1]?.done ?? 'requested')
    const before = await chain.files()
    onTestFinished(
      chain.feed.listen(({ type, data: { facts } }) => {
        if (type === `dev.drover.provision.${starts}`) when?.(name, facts?.cluster ?? '')
      }),
    )
    const run = await chain.request(data)
    const ended = await run.ended
    const failed = run.events().find(({ type }) => type.endsWith('.failed'))
    expect([failed?.type, failed?.data.message]).toEqual([
      `dev.drover.provision.${task}.failed`,
      expect.stringContaining(says),
    ])
    expect(ended.type).toBe('dev.drover.provision.rolledback')
    await expectUndone(run, before, name)
    await putBack(before)
  })

  it('keeps its data disks, and says so', async () => {
    chain.fault('crash-loop')
    const run = await chain.request(small({ disks: [{ name: 'data', size: '5Gi' }] }))
    const ended = await run.ended
    const { facts, vmName } = ended.data
    expect(ended.type).toBe('dev.drover.provision.rolledback')
    const disk = `${vmName}-data-data-${facts?.identity?.uuid.slice(0, 6)}`
    expect(facts?.kept).toEqual([`shop/${disk}`])
    for (const kind of ['DataVolume', 'PersistentVolumeClaim'])
      expect(await chain.look(facts?.cluster ?? '', kind, 'shop', disk)).toBeDefined()
  })

  it('leaves its kept disks to nobody: the next machine of the same name gets disks of its own', async () => {
    const data = small({ disks: [{ name: 'data', size: '5Gi' }], placement: { cluster: 'site-a' } })
    chain.fault('crash-loop')
    const [kept] = (await (await chain.request(data)).ended).data.facts?.kept ?? []
    chain.mend()
    const next = (await (await chain.request(data)).ended).data
    expect(next.message).toContain('is ready on site-a')
    const vm = await chain.look('site-a', 'VirtualMachine', 'shop', data.name ?? '')
    expect(JSON.stringify(vm)).toContain(`${data.name}-data-data-`)
    expect(JSON.stringify(vm)).not.toContain(kept?.slice('shop/'.length))
  })

  it('is stranded with a sentence when somebody else changed what it wrote', async () => {
    chain.fault('crash-loop')
    const data = small()
    onTestFinished(
      chain.feed.listen(({ type, data: { facts } }) => {
        if (type.endsWith('create.verify.failed'))
          chain.interfere(`vms/${facts?.cluster}/shop/${data.name}/values.yaml`, 'edited: true')
      }),
    )
    const run = await chain.request(data)
    const ended = await run.ended
    expect(ended.type).toBe('dev.drover.provision.stranded')
    expect(ended.data.message).toMatch(/values\.yaml was changed by somebody else.*put it right by hand/)
    expect(parseYaml(await chain.git('show', `main:${runFile(run.id)}`))).toMatchObject({
      state: 'stranded',
      failure: { task: 'create.verify' },
    })
  })

  it('stays complete when nobody can tell the requester', async () => {
    const data = small()
    chain.tamper.with = (name) => (name === 'notify' ? 400 : undefined)
    const run = await chain.request(data)
    const ended = await run.ended
    await chain.idle()
    expect(ended.type).toBe('dev.drover.provision.completed')
    expect(factsOf(run).filter((fact) => (terminals as readonly string[]).includes(fact))).toEqual(['completed'])
    expect(factsOf(run).at(-1)).toBe('notify.failed')
    const vm = await chain.look(ended.data.facts?.cluster ?? '', 'VirtualMachine', 'shop', data.name ?? '')
    expect(vm?.['status']).toMatchObject({ printableStatus: 'Running' })
    expect((await chain.files())[nameFile(data.name ?? '')]).toBeDefined()
  })

  it('stays complete when only its callback fails', async () => {
    const run = await chain.request(small({ callback: { url: `${cmdb.url}/nowhere` } }))
    const ended = await run.ended
    expect(ended.type).toBe('dev.drover.provision.completed')
    expect(factsOf(run)).toContain('notify.failed')
    await chain.idle()
    expect(factsOf(run).filter((fact) => /^(rolledback|stranded)$/.test(fact))).toEqual([])
  })
})

/** Takes back what a case did in somebody else's name, so that the next one finds the fleet as it was. */
async function putBack(before: Record<string, string>): Promise<void> {
  for (const [path, blob] of Object.entries(before)) {
    if ((await chain.files())[path] !== blob) chain.interfere(path, await chain.git('cat-file', 'blob', blob))
  }
}
