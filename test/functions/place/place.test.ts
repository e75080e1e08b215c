import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { place } from '../../../functions/place/place.ts'
import type { Hub, HubCondition, PlacementState } from '../../../shared/hub.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { placementFile, runFile } from '../../../shared/paths.ts'
import type { Machine } from '../../../shared/schema/machine.ts'
import type { Facts, Here, Run } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { memoryFleet } from '../../fleet.ts'
import { fleetOf, foundOut, runWith } from '../build/runs.ts'

const settings = { namespace: 'argocd', rootApplication: 'drover-hub', graceMilliseconds: 5 }
const path = placementFile('web-01')
const unsatisfied: HubCondition = {
  type: 'PlacementSatisfied',
  status: 'False',
  reason: 'NoManagedClusterMatched',
  message: 'No ManagedCluster matches any of the cluster predicate',
}
const stateOf = (changes: Partial<PlacementState> = {}): PlacementState => ({
  generation: 1,
  conditions: [],
  decisions: [],
  ...changes,
})
const decided = stateOf({ decisions: [{ clusterName: 'site-b', reason: 'Prioritized' }] })

/** A hub that shows these states, one after another, and then nothing new. A function is awaited in between. */
function hubShowing(...states: (PlacementState | undefined | (() => Promise<void>))[]): Hub & { refreshed: string[] } {
  const refreshed: string[] = []
  return {
    refreshed,
    managedCluster: async (name) => (name === 'nowhere' ? undefined : { accepted: name !== 'stranger' }),
    async *watchPlacement(namespace, name, signal) {
      expect([namespace, name]).toEqual(['argocd', 'web-01-012345'])
      for (const state of states) {
        if (signal.aborted) return
        if (typeof state === 'function') await state()
        else yield state
      }
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    refresh: async (application) => {
      refreshed.push(application)
    },
  }
}

function hereOf(changes: Partial<Here> = {}): Here & { told: string[] } {
  const told: string[] = []
  return {
    told,
    now: () => new Date('2030-01-01T10:00:00Z'),
    progress: async (message) => {
      told.push(message)
    },
    patience: new AbortController().signal,
    ...changes,
  }
}

const runTo = (placement: Machine['placement'], changes: Partial<Run> = {}): Run => {
  const { cluster: _, ...facts } = foundOut()
  const run = runWith('place', { ...facts, machine: { ...(facts.machine as Machine), placement } })
  return { ...run, deadline: '2030-01-01T11:00:00.000Z', ...changes }
}
const anywhere = { clusterSets: ['global'] }
const late = { kind: 'ignored', message: `Run ${runTo(anywhere).id} has ended: it is not placed any more` }

describe('place', () => {
  it('puts a Placement into Git in one commit, wakes Argo CD, and answers what OCM decides', async () => {
    const run = runTo(anywhere)
    const fleet = await fleetOf(run)
    const hub = hubShowing(undefined, stateOf(), decided)
    const here = hereOf()
    expect(await place(run, fleet, hub, settings, here)).toEqual({
      kind: 'succeeded',
      message: 'Placed web-01 on site-b: OCM chose it among the clusters that fit: Prioritized',
      facts: { cluster: 'site-b', placementReason: 'OCM chose it among the clusters that fit: Prioritized' },
    })
    expect(fleet.commits).toMatchObject([
      { subject: `Ask for a cluster for web-01, run ${run.id}`, trailers: { run: run.id, step: 'place' } },
    ])
    const text = (await fleet.files())[path] ?? ''
    expect(parse(text)).toMatchObject({ kind: 'Placement', metadata: { name: 'web-01-012345', namespace: 'argocd' } })
    expect((await readRecord(await fleet.head(), run.id))?.wrote[path]).toMatchObject({ before: null })
    expect(hub.refreshed).toEqual(['drover-hub'])
    expect(here.told).toEqual([
      'Waiting for a cluster for web-01: the Placement has not reached the hub yet',
      'Waiting for a cluster for web-01: OCM has not decided yet',
    ])
  })

  it('commits once, however often it is asked', async () => {
    const run = runTo(anywhere)
    const fleet = await fleetOf(run)
    const once = () => place(run, fleet, hubShowing(decided), settings, hereOf())
    const [first, ...others] = await Promise.all([once(), once(), once()])
    expect(first).toMatchObject({ kind: 'succeeded' })
    for (const other of others) expect(other).toEqual(first)
    expect(fleet.commits).toHaveLength(1)
  })

  it('decides again when somebody else’s commit comes first', async () => {
    const run = runTo(anywhere)
    const fleet = await fleetOf(run)
    fleet.interfere({ 'other.yaml': 'x' })
    expect(await place(run, fleet, hubShowing(decided), settings, hereOf())).toMatchObject({ kind: 'succeeded' })
    expect(fleet.commits).toHaveLength(1)
  })

  it('refuses a Placement of somebody else', async () => {
    const run = runTo(anywhere)
    const fleet = await fleetOf(run)
    fleet.put({ [path]: 'mine\n' })
    expect(await place(run, fleet, hubShowing(), settings, hereOf())).toMatchObject({
      kind: 'refused',
      message: `Cannot place web-01: ${path} is there already and not this run's`,
    })
  })

  it.each<[string, HubCondition[], string]>([
    ['no cluster fits', [unsatisfied], 'Cannot place web-01: No ManagedCluster matches any of the cluster predicate'],
    [
      'the Placement is wrong',
      [{ type: 'PlacementMisconfigured', status: 'True', message: 'prioritizer "X" is unknown' }],
      'Cannot place web-01: prioritizer "X" is unknown',
    ],
    [
      'OCM has looked at it as it is now',
      [{ ...unsatisfied, observedGeneration: 1 }],
      'Cannot place web-01: No ManagedCluster matches any of the cluster predicate',
    ],
    [
      'OCM gives no more than a reason',
      [{ type: 'PlacementSatisfied', status: 'False', reason: 'NoManagedClusterMatched', message: '' }],
      'Cannot place web-01: NoManagedClusterMatched',
    ],
    [
      'OCM gives no reason',
      [{ type: 'PlacementSatisfied', status: 'False' }],
      'Cannot place web-01: no ManagedCluster fits the Placement',
    ],
  ])('refuses with OCM’s words when %s for longer than the grace', async (_, conditions, message) => {
    const run = runTo(anywhere)
    const outcome = await place(run, await fleetOf(run), hubShowing(stateOf({ conditions })), settings, hereOf())
    expect(outcome).toMatchObject({ kind: 'refused', message })
  })

  it('says no more than OCM does where that gives no reason for its choice', async () => {
    const hub = hubShowing(stateOf({ decisions: [{ clusterName: 'site-b', reason: '' }] }))
    const run = runTo(anywhere)
    expect(await place(run, await fleetOf(run), hub, settings, hereOf())).toEqual({
      kind: 'succeeded',
      message: 'Placed web-01 on site-b: OCM chose it among the clusters that fit',
      facts: { cluster: 'site-b', placementReason: 'OCM chose it among the clusters that fit' },
    })
  })

  it('does not believe a condition of an older Placement', async () => {
    const run = runTo(anywhere)
    const patience = new AbortController()
    const old = stateOf({ generation: 2, conditions: [{ ...unsatisfied, observedGeneration: 1 }] })
    const hub = hubShowing(old, async () => patience.abort())
    const outcome = await place(run, await fleetOf(run), hub, settings, hereOf({ patience: patience.signal }))
    expect(outcome).toEqual({
      kind: 'notYet',
      message: 'Still waiting for a cluster for web-01: OCM has not decided yet',
    })
  })

  it('answers notYet when its patience ends first', async () => {
    const run = runTo(anywhere)
    const here = hereOf({ patience: AbortSignal.abort() })
    expect(await place(run, await fleetOf(run), hubShowing(stateOf()), settings, here)).toEqual({
      kind: 'notYet',
      message: 'Still waiting for a cluster for web-01: the Placement has not reached the hub yet',
    })
  })

  it('refuses when the run’s time is up, with what was missing', async () => {
    const run = runTo(anywhere, { deadline: '2030-01-01T10:00:00.010Z' })
    expect(await place(run, await fleetOf(run), hubShowing(undefined), settings, hereOf())).toMatchObject({
      kind: 'refused',
      message: 'Cannot place web-01: not placed by 2030-01-01T10:00:00.010Z; the Placement has not reached the hub yet',
    })
  })

  it('lets a hub that cannot be asked fail the delivery, not the run', async () => {
    const run = runTo(anywhere)
    const hub: Hub = { ...hubShowing(), refresh: () => Promise.reject(new Error('connection refused')) }
    await expect(place(run, await fleetOf(run), hub, settings, hereOf())).rejects.toThrow('connection refused')
  })

  it('takes a fixed cluster that the hub has, and writes nothing', async () => {
    const run = runTo({ cluster: 'site-a' })
    const fleet = await fleetOf(run)
    expect(await place(run, fleet, hubShowing(), settings, hereOf())).toEqual({
      kind: 'succeeded',
      message: 'Placed web-01 on site-a: the request or its template names this cluster',
      facts: { cluster: 'site-a', placementReason: 'the request or its template names this cluster' },
    })
    expect(fleet.commits).toEqual([])
  })

  it.each([
    ['nowhere', 'Cannot place web-01: the hub has no ManagedCluster "nowhere"'],
    ['stranger', 'Cannot place web-01: ManagedCluster "stranger" is not accepted yet'],
  ])('refuses the fixed cluster %s', async (cluster, message) => {
    const run = runTo({ cluster })
    const outcome = await place(run, await fleetOf(run), hubShowing(), settings, hereOf())
    expect(outcome).toMatchObject({ kind: 'refused', message })
  })

  it.each([
    ['OCM is to choose', anywhere],
    ['the cluster is fixed', { cluster: 'site-a' }],
  ])('ignores an event of a run that has ended when %s', async (_, placement) => {
    const fleet = memoryFleet()
    expect(await place(runTo(placement), fleet, hubShowing(), settings, hereOf())).toEqual(late)
    expect(fleet.commits).toEqual([])
  })

  it('ignores an event of a run that is being undone', async () => {
    const run = runTo(anywhere)
    const fleet = await fleetOf(run)
    const record = await readRecord(await fleet.head(), run.id)
    fleet.put({ [runFile(run.id)]: toYaml({ ...record, state: 'undoing' }) })
    expect(await place(run, fleet, hubShowing(), settings, hereOf())).toEqual(late)
    expect(fleet.commits).toEqual([])
  })

  it.each<[string, Facts]>([
    ['no name', { machine: foundOut().machine as Machine }],
    ['no machine', { name: 'web-01' }],
  ])('cannot read a run that has %s yet', async (_, facts) => {
    const run = runWith('place', facts)
    await expect(place(run, await fleetOf(run), hubShowing(decided), settings, hereOf())).rejects.toMatchObject({
      reason: 'unreadable',
      message: `Cannot place: run ${run.id} has no machine or no name yet`,
    })
  })
})

describe('the wait for a decision', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  const later = (milliseconds: number) => async () => void (await vi.advanceTimersByTimeAsync(milliseconds))
  const hopeless = stateOf({ conditions: [unsatisfied] })
  const onSiteB = { kind: 'succeeded', facts: { cluster: 'site-b' } }

  /** What comes of it where 'no cluster fits' must last for ten seconds. */
  const placed = async (hub: Hub, changes: Partial<Run> = {}) => {
    const run = runTo(anywhere, changes)
    return place(run, await fleetOf(run), hub, { ...settings, graceMilliseconds: 10_000 }, hereOf())
  }

  it('goes on when a cluster fits before the grace is over', async () => {
    expect(await placed(hubShowing(hopeless, later(9_000), decided))).toMatchObject(onSiteB)
  })

  it('ends when no cluster has fitted for the grace, however often OCM has said so', async () => {
    expect(await placed(hubShowing(hopeless, later(9_000), hopeless, later(1_000), decided))).toEqual({
      kind: 'refused',
      message: 'Cannot place web-01: No ManagedCluster matches any of the cluster predicate',
      facts: {},
    })
  })

  it('begins anew with the grace when a cluster might have fitted in between', async () => {
    const hub = hubShowing(hopeless, later(9_000), stateOf(), hopeless, later(9_000), decided)
    expect(await placed(hub)).toMatchObject(onSiteB)
  })

  it('counts the grace on, and not the time in between, when the hub could not be asked for a while', async () => {
    const away = stateOf({ conditions: [unsatisfied], isStale: true })
    const outage = [hopeless, later(6_000), hopeless, later(1_500), away, later(60_000)]
    expect(await placed(hubShowing(...outage, hopeless, later(3_999), decided))).toMatchObject(onSiteB)
    expect(await placed(hubShowing(...outage, hopeless, later(4_000), decided))).toMatchObject({ kind: 'refused' })
  })

  it.each<[string, HubCondition[] | undefined]>([
    ['has not reached the hub', undefined],
    ['is not decided', []],
    ['is satisfied', [{ type: 'PlacementSatisfied', status: 'True' }]],
    ['is not misconfigured', [{ type: 'PlacementMisconfigured', status: 'False' }]],
    ['has a condition that is false of something else', [{ type: 'Other', status: 'False' }]],
    ['has a condition that is true of something else', [{ type: 'Other', status: 'True' }]],
  ])('is not cut short by the grace while the Placement %s', async (_, conditions) => {
    const state = conditions && stateOf({ conditions })
    expect(await placed(hubShowing(state, later(60_000), decided))).toMatchObject(onSiteB)
  })

  it.each([
    ['a minute', '2030-01-01T10:01:00.000Z', 59_999],
    ['longer than a timer can count', '2030-03-01T10:00:00.000Z', 60_000],
  ])('lasts until the deadline where that is %s away', async (_, deadline, milliseconds) => {
    expect(await placed(hubShowing(undefined, later(milliseconds), decided), { deadline })).toMatchObject(onSiteB)
  })

  it('is over at once where the deadline has passed', async () => {
    const deadline = '2030-01-01T09:59:59.000Z'
    expect(await placed(hubShowing(stateOf(), later(1), decided), { deadline })).toEqual({
      kind: 'refused',
      message: `Cannot place web-01: not placed by ${deadline}; OCM has not decided yet`,
      facts: {},
    })
  })

  it('says so where nothing was seen before the time was up', async () => {
    expect(await placed(hubShowing(later(60 * 60_000)))).toMatchObject({
      kind: 'refused',
      message: 'Cannot place web-01: not placed by 2030-01-01T11:00:00.000Z; the Placement has not reached the hub yet',
    })
  })

  it.each<[string, Hub]>([
    ['a cluster is chosen', hubShowing(hopeless, decided)],
    ['no cluster fits', hubShowing(hopeless, later(10_000))],
  ])('lets go of the hub and leaves no clock running once %s', async (_, hub) => {
    let held: AbortSignal | undefined
    const watchPlacement: Hub['watchPlacement'] = (namespace, name, signal) => {
      held = signal
      return hub.watchPlacement(namespace, name, signal)
    }
    await placed({ ...hub, watchPlacement })
    expect(held?.aborted).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})
