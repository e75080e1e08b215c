import { describe, expect, it } from 'vitest'
import { verify } from '../../../functions/verify/verify.ts'
import type { MachineView } from '../../../shared/machines.ts'
import type { Definition, DnsRecord } from '../../../shared/schema/definition.ts'
import type { Run } from '../../../shared/step.ts'
import { databaseServer, linuxServer } from '../../shared/kubevirt/definitions.ts'
import { foundOut, runWith } from '../build/runs.ts'
import { changing } from '../changes.ts'
import { hereOf } from '../here.ts'
import { machinesShowing, nothing } from '../machines.ts'
import { condition, disk, runningView, showing, synced } from './views.ts'

const definition = linuxServer()
const run = runWith('create.verify', foundOut({ definition }))
const settings = { rootApplication: 'drover-hub', graceMilliseconds: 30_000, resolver: undefined }
const troubled = showing(definition, 'ErrorUnschedulable', {
  conditions: [condition('PodScheduled', 'False', 'Insufficient memory.')],
})

/** A clock that somebody moves on. */
function clock() {
  let at = Date.parse('2030-01-01T10:30:00Z')
  const pass = (seconds: number) => () => {
    at += seconds * 1000
  }
  return { now: () => new Date(at), pass }
}

describe('verify', () => {
  it('wakes Argo CD, tells each state once, and answers when the machine is ready', async () => {
    const { here, told } = hereOf()
    const views: MachineView[] = [
      nothing,
      synced('OutOfSync'),
      showing(definition, 'Stopped'),
      showing(definition, 'Stopped'),
      { ...showing(definition, 'Provisioning'), disks: [disk('ImportInProgress', '12.01%')] },
      { ...showing(definition, 'Provisioning'), disks: [disk('ImportInProgress', '18.77%')] },
      runningView(definition),
    ]
    const machines = machinesShowing(...views)
    expect(await verify(run, machines, settings, here)).toEqual({
      kind: 'succeeded',
      message: 'VM web-01 is Running on node node-1',
      facts: {
        observed: { status: 'Running', addresses: ['10.20.0.17', 'fd00:20::17'], guestAgent: true, node: 'node-1' },
      },
    })
    expect(machines.refreshed).toEqual(['drover-hub', 'web-01'])
    expect(told).toEqual([
      'Argo CD has no Application for it yet',
      'Argo CD is OutOfSync, the VirtualMachine is not there yet',
      'the VirtualMachine is Stopped',
      'the VirtualMachine is Provisioning; disks: web-01-root-71f75f7d ImportInProgress 10%',
    ])
  })

  it('answers "not yet" when its patience ends', async () => {
    const { here, endPatience } = hereOf()
    const machines = machinesShowing(showing(definition, 'Starting'), endPatience)
    expect(await verify(run, machines, settings, here)).toEqual({
      kind: 'notYet',
      message: 'Still waiting for VM web-01: the VirtualMachine is Starting',
    })
  })

  it('forgives an error that passes', async () => {
    const { now, pass } = clock()
    const machines = machinesShowing(
      troubled,
      pass(29),
      troubled,
      showing(definition, 'Starting'),
      pass(29),
      troubled,
      pass(29),
      runningView(definition),
    )
    expect(await verify(run, machines, settings, hereOf({ now }).here)).toMatchObject({ kind: 'succeeded' })
  })

  it('does not count the time in which the cluster cannot be asked: the error may have passed meanwhile', async () => {
    const { now, pass } = clock()
    const { here, told } = hereOf({ now })
    const stale = { ...troubled, isStale: true } as const
    const machines = machinesShowing(troubled, pass(10), stale, pass(30), stale, troubled, runningView(definition))
    expect(await verify(run, machines, settings, here)).toMatchObject({ kind: 'succeeded' })
    expect(told).toContain('VM web-01 cannot be seen: its cluster or the hub does not answer')
  })

  it('adds up the times in which it was seen, for a cluster may be away time and again', async () => {
    const { now, pass } = clock()
    const stale = { ...troubled, isStale: true } as const
    const views = [
      troubled,
      pass(14),
      troubled,
      pass(60),
      stale,
      troubled,
      pass(14),
      troubled,
      stale,
      troubled,
      pass(2),
    ]
    expect(await verify(run, machinesShowing(...views, troubled), settings, hereOf({ now }).here)).toMatchObject({
      kind: 'refused',
    })
    const before = machinesShowing(...views, runningView(definition))
    expect(await verify(run, before, settings, hereOf({ now }).here)).toMatchObject({ kind: 'succeeded' })
  })

  it('begins to count anew once an error was seen to be gone', async () => {
    const { now, pass } = clock()
    const fine = showing(definition, 'Starting')
    const views = [troubled, pass(29), troubled, fine, troubled, pass(29), troubled, runningView(definition)]
    const outcome = await verify(run, machinesShowing(...views), settings, hereOf({ now }).here)
    expect(outcome).toMatchObject({ kind: 'succeeded' })
  })

  it('does not fail of an error that nobody can see when its patience ends', async () => {
    const { now, pass } = clock()
    const { here, endPatience } = hereOf({ now })
    const stale = { ...troubled, isStale: true } as const
    const machines = machinesShowing(troubled, pass(29), troubled, stale, pass(60), endPatience)
    expect(await verify(run, machines, settings, here)).toMatchObject({ kind: 'notYet' })
  })

  it('fails with the cluster’s words when an error lasts for the grace', async () => {
    const { now, pass } = clock()
    const machines = machinesShowing(troubled, pass(30), troubled, runningView(definition))
    expect(await verify(run, machines, settings, hereOf({ now }).here)).toMatchObject({
      kind: 'refused',
      message: 'Cannot bring up VM web-01 on site-a: the VirtualMachine says ErrorUnschedulable: Insufficient memory.',
    })
  })

  it('fails of an error that lasted until its patience ended, though nothing changed meanwhile', async () => {
    const { now, pass } = clock()
    const { here, endPatience } = hereOf({ now })
    const machines = machinesShowing(troubled, pass(30), endPatience)
    expect(await verify(run, machines, settings, here)).toMatchObject({ kind: 'refused' })
  })

  it('fails at once for good when a disk has failed', async () => {
    const failed = disk('Failed', undefined, [condition('Running', 'False', 'Unable to connect: 404')])
    const machines = machinesShowing({ ...showing(definition, 'Provisioning'), disks: [failed] })
    expect(await verify(run, machines, settings, hereOf().here)).toMatchObject({
      kind: 'refused',
      message: 'Cannot bring up VM web-01 on site-a: disk web-01-root-71f75f7d failed: Unable to connect: 404',
    })
  })
})

describe('an event that came once more', () => {
  const databases = databaseServer({ running: false })
  const stopping = changing('restore', {}, 'stop.verify', { facts: { definition: databases } })
  const shown = (operation: string) => showing({ ...databases, operation }, 'Starting')
  const outcomeOf = (operation: string) => {
    const { here, endPatience } = hereOf()
    return verify(stopping, machinesShowing(shown(operation), endPatience), settings, here)
  }

  it.each([
    ['a later round', `${stopping.id}.restore`],
    ['the last round', `${stopping.id}.start`],
    ['an undo', `${stopping.id}.undo-off`],
  ])('is passed over when the machine shows %s of the run', async (_, operation) => {
    expect(await outcomeOf(operation)).toEqual({
      kind: 'ignored',
      message: 'What was to be seen of VM db-01 is past: the run has gone on',
    })
  })

  it('is passed over by the last check of a machine that is being put back', async () => {
    const checking = changing('restore', {}, 'check', { facts: { definition: databases } })
    const machines = machinesShowing(shown(`${checking.id}.undo-disks`))
    expect(await verify(checking, machines, settings, hereOf().here)).toMatchObject({ kind: 'ignored' })
  })

  it.each([
    ['this round', `${stopping.id}.stop`],
    ['a round that this lifecycle has not', `${stopping.id}.create`],
    ['no round', `${stopping.id}.`],
    ['another run', '0123456789abcdef.start'],
    ['the undo of another run', '0123456789abcdef.undo-off'],
    ['another run whose id begins with its own', `${stopping.id}0.start`],
  ])('waits for what it is about when the machine shows %s', async (_, operation) => {
    expect(await outcomeOf(operation)).toMatchObject({ kind: 'notYet' })
  })
})

describe('verify', () => {
  it('waits for nothing in a plan, and says what would follow', async () => {
    const watch = () => expect.fail('nothing is there to wait for')
    const planned = changing('power', { action: 'stop', plan: true }, 'stop.verify', {
      facts: { definition: databaseServer({ running: false }), wasRunning: true },
    })
    expect(await verify(planned, { ...machinesShowing(), watch }, settings, hereOf().here)).toEqual({
      kind: 'succeeded',
      message: 'Would wait for it',
      facts: { report: ['the machine is turned off'] },
    })
  })

  it.each<[string, Run]>([
    ['Cannot wait: locate is no task of a round', changing('power', {}, 'locate', { facts: { definition } })],
    ['Cannot wait: import.verify is no task of a round', { ...run, lifecycle: 'golden-image', task: 'import.verify' }],
    [`Cannot wait: run ${run.id} has no definition`, runWith('create.verify', foundOut())],
    [`Cannot wait: run ${run.id} has no definition`, runWith('check', foundOut())],
  ])('finds no event of ours: %s', async (message, other) => {
    await expect(verify(other, machinesShowing(), settings, hereOf().here)).rejects.toMatchObject({
      reason: 'unreadable',
      message,
    })
  })
})

describe('check', () => {
  const checking = runWith('check', foundOut({ definition }))

  it('accepts a machine with its addresses', async () => {
    expect(await verify(checking, machinesShowing(runningView(definition)), settings, hereOf().here)).toMatchObject({
      kind: 'succeeded',
      message: 'VM web-01 has the addresses that were allocated; no resolver is configured',
    })
  })

  it('waits for addresses and for names', async () => {
    const zone: string[] = []
    const resolver = { resolve: async () => zone }
    const { here, told } = hereOf()
    const ready = runningView(definition)
    const views = [runningView(definition, { addresses: [] }), ready, () => zone.push('10.20.0.17'), ready]
    expect(await verify(checking, machinesShowing(...views), { ...settings, resolver }, here)).toMatchObject({
      kind: 'succeeded',
      message: 'VM web-01 has the addresses that were allocated; 1 DNS records resolve',
    })
    expect(told).toEqual([
      'the interface 02:00:00:00:00:01 has no address, wanted 10.20.0.17',
      'A web-01.servers.example.com resolves to nothing, wanted 10.20.0.17',
    ])
  })

  it('fails when another address stays for the grace', async () => {
    const { now, pass } = clock()
    const wrong = runningView(definition, { addresses: ['10.20.0.99'] })
    const machines = machinesShowing(wrong, pass(31), wrong)
    expect(await verify(checking, machines, settings, hereOf({ now }).here)).toMatchObject({
      kind: 'refused',
      message: 'Cannot accept VM web-01: the interface 02:00:00:00:00:01 has 10.20.0.99, wanted 10.20.0.17',
    })
  })

  const databases = databaseServer()
  const data = ['db-01-data-data-4f3104', 'db-01-data-wal-4f3104']
  const claims = Object.fromEntries(data.map((name) => [name, `uid-of-${name}`]))
  const checkingData = (known: Record<string, string>, changes: Partial<Definition> = {}) =>
    changing('resize', {}, 'check', { facts: { definition: { ...databases, ...changes }, claims: known } })

  it('accepts a machine whose data is on the claims that it was on, and notes those', async () => {
    const shown = runningView(databases)
    expect(await verify(checkingData(claims), machinesShowing(shown), settings, hereOf().here)).toMatchObject({
      kind: 'succeeded',
      message: 'VM db-01 has the addresses that were allocated; no resolver is configured',
      facts: { claims },
    })
  })

  it('does not accept one whose data is on claims that came anew: the data would be another', async () => {
    const known = Object.fromEntries(data.map((name) => [name, 'before']))
    const outcome = await verify(checkingData(known), machinesShowing(runningView(databases)), settings, hereOf().here)
    const anew = data.map(
      (name) => `the claim ${name} of a data disk came anew: it was before and is uid-of-${name}; its data may be lost`,
    )
    expect(outcome).toEqual({ kind: 'refused', message: `Cannot accept VM db-01: ${anew.join('; ')}`, facts: {} })
  })

  it('accepts a machine that is to be off, and asks neither for its addresses nor for its names', async () => {
    const resolver = { resolve: () => expect.fail('nothing answers to them while it is off') }
    const stopped = showing(databases, 'Stopped')
    const off = { ...stopped, machine: { ...stopped.machine, spec: { runStrategy: 'Halted' } } } as MachineView
    const outcome = await verify(
      checkingData(claims, { running: false }),
      machinesShowing(off),
      { ...settings, resolver },
      hereOf().here,
    )
    expect(outcome).toMatchObject({ kind: 'succeeded', message: 'VM db-01 is off', facts: { claims } })
  })

  it('does not accept a machine that has stopped running', async () => {
    const { here, endPatience } = hereOf()
    const machines = machinesShowing(showing(definition, 'Stopping'), endPatience)
    expect(await verify(checking, machines, settings, here)).toMatchObject({ kind: 'notYet' })
  })
})

describe('absence', () => {
  const names: DnsRecord[] = [
    { dnsName: 'web-01.example.com', recordType: 'A', targets: ['10.20.0.17'], recordTTL: 300 },
    { dnsName: '17.0.20.10.in-addr.arpa', recordType: 'PTR', targets: ['web-01.example.com'], recordTTL: 300 },
  ]
  const leaving = {
    ...runWith('absence', foundOut({ name: 'web-01', dns: names })),
    lifecycle: 'deprovision' as const,
  }
  const registered = (name: string) => names.find(({ dnsName }) => dnsName === name)?.targets
  /** What name servers say of both names, look after look; the last answer stays. */
  const saying = (...answers: ((name: string) => string[] | undefined)[]) => {
    let asked = 0
    return { resolve: async (name: string) => answers[Math.min(asked++ >> 1, answers.length - 1)]?.(name) }
  }
  const impatient = () => ({ ...hereOf().here, patience: AbortSignal.timeout(50) })

  it('is reached once no name server has a name, forward or reverse', async () => {
    const { here, told } = hereOf()
    const resolver = saying(registered, () => [])
    expect(await verify(leaving, machinesShowing(), { ...settings, resolver }, here)).toMatchObject({
      kind: 'succeeded',
      message: 'No name server knows web-01 any more',
    })
    expect(told).toEqual(['Waiting until these names are gone: web-01.example.com, 17.0.20.10.in-addr.arpa'])
  })

  it('is taken for reached where no resolver is configured', async () => {
    expect(await verify(leaving, machinesShowing(), settings, hereOf().here)).toMatchObject({
      kind: 'succeeded',
      message: 'Released what web-01 had; no resolver is configured to ask for its names',
    })
  })

  it('is reached at once for a machine that had no names', async () => {
    const { dns: _, ...nameless } = leaving.facts
    const resolver = { resolve: () => expect.fail('there is no name to ask for') }
    expect(
      await verify({ ...leaving, facts: nameless }, machinesShowing(), { ...settings, resolver }, hereOf().here),
    ).toMatchObject({ kind: 'succeeded', message: 'No name server knows web-01 any more' })
  })

  it('does not wait for a name that leads to another machine by now', async () => {
    const resolver = saying((name) => (name.endsWith('.arpa') ? ['web-02.example.com'] : ['10.20.0.18']))
    expect(await verify(leaving, machinesShowing(), { ...settings, resolver }, hereOf().here)).toMatchObject({
      kind: 'succeeded',
    })
  })

  it('knows a name however a name server writes it', async () => {
    const resolver = saying((name) => (name.endsWith('.arpa') ? ['WEB-01.example.com.'] : []))
    expect(await verify(leaving, machinesShowing(), { ...settings, resolver }, impatient())).toMatchObject({
      kind: 'notYet',
    })
  })

  it('waits only for the names that are left', async () => {
    const resolver = { resolve: async (name: string) => (name.endsWith('.arpa') ? ['web-01.example.com'] : []) }
    expect(await verify(leaving, machinesShowing(), { ...settings, resolver }, impatient())).toEqual({
      kind: 'notYet',
      message: 'These names still resolve: 17.0.20.10.in-addr.arpa',
    })
  })

  it.each([
    ['still resolves', registered, 'web-01.example.com, 17.0.20.10.in-addr.arpa'],
    [
      'can be asked of nobody',
      () => undefined,
      'web-01.example.com (no name server answers), 17.0.20.10.in-addr.arpa (no name server answers)',
    ],
  ])('is waited for while a name %s', async (_, answer, left) => {
    const resolver = saying(answer)
    expect(await verify(leaving, machinesShowing(), { ...settings, resolver }, impatient())).toEqual({
      kind: 'notYet',
      message: `These names still resolve: ${left}`,
    })
  })
})
