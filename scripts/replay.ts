import { randomBytes } from 'node:crypto'
import pino from 'pino'
import { allocateStep } from '../functions/allocate/step.ts'
import { buildStep } from '../functions/build/step.ts'
import { commitStep } from '../functions/commit/step.ts'
import { locateStep } from '../functions/locate/step.ts'
import { notify } from '../functions/notify/notify.ts'
import { placeStep } from '../functions/place/step.ts'
import { undo } from '../functions/recover/undo.ts'
import { registerStep } from '../functions/register/step.ts'
import { validate } from '../functions/validate/validate.ts'
import { verifyStep } from '../functions/verify/step.ts'
import type { Clusters } from '../shared/clients/clusters.ts'
import { defaultGuestfsImage } from '../shared/config.ts'
import { DroverError } from '../shared/errors.ts'
import type { Event } from '../shared/event.ts'
import type { Fleet } from '../shared/fleet.ts'
import type { GitOpsSettings } from '../shared/gitops/application.ts'
import type { FunctionName } from '../shared/lifecycles.ts'
import { isPlan } from '../shared/plan.ts'
import { createShell } from '../shared/shell/shell.ts'
import type { Answer } from '../shared/shell/work.ts'
import { sign } from '../shared/signature.ts'
import { type Outcome, type Run, type Step, succeeded } from '../shared/step.ts'
import { catchUp, limits } from './catch-up.ts'

export interface Replayed {
  answer: Answer
  /** What would have been posted to the Broker: progress, and what a dead letter becomes. */
  posted: Event[]
}

export interface ReplayOptions {
  fleet: Fleet
  /** Where clusters may be read; without them, a step that needs one says so. */
  clusters?: Clusters | undefined
  settings: GitOpsSettings
  patienceMilliseconds: number
}

/**
 * Gives one event to the function that it wakes, through the real shell, at the time when the event was made. The fleet
 * is brought to where the run's earlier steps had left it. Nothing outside is changed: clusters are only read, enterprise
 * systems and callbacks not called. Nobody's signature is asked for: the event is signed anew by a key of the moment.
 */
export async function replay(event: Event, options: ReplayOptions): Promise<Replayed> {
  const keys = [{ id: 'replay', secret: randomBytes(32).toString('hex') }]
  const posted: Event[] = []
  const post = async (one: Event) => void posted.push(unsigned(one))
  const steps = stepsOver(options)
  const log = pino({ level: 'silent' })
  const shell = createShell({
    name: undefined,
    wired: async (name) => ({ step: steps[name], post }),
    keys: () => keys,
    limits,
    patienceMilliseconds: options.patienceMilliseconds,
    now: () => new Date(event.time ?? 0),
    log,
  })
  await catchUp(event, options)
  const believed = { ...event, extensions: { ...event.extensions, signature: sign(event, keys) } }
  const dead = 'knativeerrordest' in event.extensions || 'knativeerrorcode' in event.extensions
  const answer = await shell({ event: believed, dead })
  return { answer: 'event' in answer ? { ...answer, event: unsigned(answer.event) } : answer, posted }
}

function unsigned(event: Event): Event {
  const { signature: _, ...extensions } = event.extensions
  return { ...event, extensions }
}

function stepsOver({ fleet, clusters, settings }: ReplayOptions): Record<FunctionName, Step> {
  const there = clusters ? readOnly(clusters) : nowhere
  const { rootApplication } = settings
  const waiting = { rootApplication, graceMilliseconds: 0, resolver: undefined }
  return {
    validate: (run) => validate(run, fleet),
    locate: locateStep(fleet, there),
    allocate: allocateStep(fleet),
    place: placeStep(fleet, there, { ...settings, graceMilliseconds: 0 }),
    register: registerStep(fleet, undefined),
    build: buildStep(fleet, { ...settings, guestfs: { image: defaultGuestfsImage, kvm: true } }),
    commit: async (run, here) => unpushed(run, await commitStep(fleet)(run, here)),
    verify: verifyStep(there, waiting),
    notify: (run) => notify(run, { post: async () => 202 }),
    recover: (run, here) =>
      undo(run, { ...there, fleet, gitops: settings, ...waiting, cmdb: undefined, ...limits }, here),
  }
}

/** The outcome of a commit to a folder: no commit was made, so none is named. A plan makes none by itself. */
function unpushed(run: Run, outcome: Outcome): Outcome {
  if (run.task === 'complete' || isPlan(run) || outcome.kind !== 'succeeded') return outcome
  return succeeded(`Would push ${run.changes?.length ?? 0} files in one commit`)
}

const readOnly = ({ hub, machines, ...others }: Clusters): Clusters => ({
  ...others,
  hub: { ...hub, refresh: async () => undefined },
  machines: { ...machines, refresh: async () => undefined, settle: async () => true },
})

function needsCluster(): never {
  throw new DroverError('busy', 'Cannot go on: this event needs a cluster, name a kubeconfig with --kubeconfig')
}

/** The clusters where none is named. */
const nowhere: Clusters = {
  hub: { managedCluster: needsCluster, watchPlacement: needsCluster, refresh: async () => undefined },
  machines: {
    watch: needsCluster,
    claims: needsCluster,
    holders: needsCluster,
    lastWords: needsCluster,
    volumesOf: needsCluster,
    sizeIn: needsCluster,
    waitsForPod: needsCluster,
    restoring: needsCluster,
    refresh: async () => undefined,
    settle: async () => true,
  },
  occupants: { of: needsCluster },
  goldenImages: { watch: needsCluster, dataSource: needsCluster, version: needsCluster },
}
