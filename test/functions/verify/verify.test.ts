import { describe, expect, it } from 'vitest'
import { verify } from '../../../functions/verify/verify.ts'
import type { MachineView } from '../../../shared/machines.ts'
import type { DnsRecord } from '../../../shared/schema/definition.ts'
import { linuxServer } from '../../shared/kubevirt/definitions.ts'
import { foundOut, runWith } from '../build/runs.ts'
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
  /** What name servers say of both names, look after look; the last answer stays. */
  const saying = (...answers: (string[] | undefined)[]) => {
    let asked = 0
    return { resolve: async () => answers[Math.min(asked++ >> 1, answers.length - 1)] }
  }
  const impatient = () => ({ ...hereOf().here, patience: AbortSignal.timeout(50) })

  it('is reached once no name server has a name, forward or reverse', async () => {
    const { here, told } = hereOf()
    const resolver = saying(['10.20.0.17'], [])
    expect(await verify(leaving, machinesShowing(), { ...settings, resolver }, here)).toMatchObject({
      kind: 'succeeded',
      message: 'No name server knows web-01 any more',
    })
    expect(told).toEqual(['Waiting until these names are gone: web-01.example.com, 17.0.20.10.in-addr.arpa'])
  })

  it.each([
    ['still resolves', ['10.20.0.17'], 'web-01.example.com, 17.0.20.10.in-addr.arpa'],
    [
      'can be asked of nobody',
      undefined,
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
