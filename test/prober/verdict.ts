import { isDeepStrictEqual } from 'node:util'
import { terminalOf } from '../../shared/event-types.ts'
import type { FleetState } from './fleet-state.ts'
import type { Commit, History } from './history.ts'
import type { Heard } from './journal.ts'
import type { Listener } from './listener.ts'
import { type FleetModel, type Lived, modelOf, type Told } from './model.ts'
import type { Went } from './probe.ts'
import { type Ended, isUndone, terminalIn } from './requester.ts'

/** Something that is not as it was promised, and the runs whose stories tell more. */
export interface Problem {
  says: string
  runs: readonly string[]
}

/** One promise, and where it was not kept. */
export interface Check {
  title: string
  problems: readonly Problem[]
}

export interface Outcome {
  wanted: number
  went: readonly Went[]
  listener: Pick<Listener, 'of'>
  history: Pick<History, 'of' | 'all'>
}

/** What was promised of each run. */
export function runChecks({ wanted, went, listener, history }: Outcome): Check[] {
  const all = went.flatMap(({ ended }) => ended)
  const each = (judge: (ended: Ended) => string | undefined): Problem[] =>
    all.flatMap((ended) => {
      const says = judge(ended)
      const { id, lifecycle, run } = ended.asked
      return says === undefined ? [] : [{ says: `${lifecycle} ${id}, run ${run}: ${says}`, runs: [run] }]
    })
  const lacking = wanted - all.length
  return [
    {
      title: `0 missing: all ${wanted} requests were asked for, and each run has ended`,
      problems: [
        ...(lacking === 0
          ? []
          : [{ says: `${lacking} were not asked for, for what they are about is not there`, runs: [] }]),
        ...each(({ terminal }) => (terminal === 'missing' ? 'nothing is heard of it any more' : undefined)),
      ],
    },
    {
      title: 'each run is in exactly one terminal state, in the events and in Git',
      // A plan keeps nothing, not even a note of itself: each time that it comes it is answered by what is there then.
      problems: each(({ asked: { run, data } }) =>
        isPlan(data) ? keeping(history.of(run)) : contradiction(listener.of(run), history.of(run)),
      ),
    },
    { title: '0 doubled: no task of a run has made its commit twice', problems: doubled(history.all()) },
    {
      title: 'none is left to a person',
      problems: each(({ terminal, asked }) =>
        terminal === 'stranded' ? `it is stranded: ${lastWords(listener.of(asked.run))}` : undefined,
      ),
    },
    {
      title: 'each ended as it would on a day on which nothing fails',
      problems: each(({ asked: { expected, run }, terminal }) =>
        expected === 'either' || terminal === expected || terminal === 'missing'
          ? undefined
          : `it is ${terminal}, wanted ${expected}: ${lastWords(listener.of(run))}`,
      ),
    },
    {
      title: 'of two at once on one machine, the one that was refused was told of the other',
      problems: went.flatMap((one) => conflictProblems(one, listener)),
    },
  ]
}

const endings = (heard: readonly Heard[]) => [...new Set(heard.flatMap(({ type }) => terminalOf(type) ?? []))]

/** What events and commits say of how a run has ended, where they do not say one thing. */
function contradiction(heard: readonly Heard[], commits: readonly Commit[]): string | undefined {
  const said = endings(heard)
  const ids = new Set(heard.filter(({ type }) => terminalOf(type)).map(({ id }) => id))
  if (said.length > 1 || ids.size > 1) return `it has ended as ${[...ids].join(' and as ')}`
  const inGit = terminalIn(commits.map(({ step }) => step))
  const [end] = said
  if (inGit && end && inGit !== end) return `events say that it is ${end}, and Git that it is ${inGit}`
  // What must be left to a person is noted by whatever finds that.
  if (end && end !== 'stranded' && !inGit && commits.length > 0)
    return `events say that it is ${end}, and Git that it goes on`
  const steps = commits.map(({ step }) => step)
  return steps.includes('complete') && isUndone(steps) ? 'it was completed and given back in Git' : undefined
}

const isPlan = (data: object) => 'plan' in data && data.plan === true
const keeping = (commits: readonly Commit[]) => (commits.length > 0 ? 'it is a plan, and has committed' : undefined)

/** What a run may do more than once: hearing again where it stood, and the stages of an undo. */
const repeatable = ['resume', 'rewind']

function doubled(commits: readonly Commit[]): Problem[] {
  const seen = new Set<string>()
  return commits.flatMap(({ run, step, id }) => {
    if (run === 'tick' || repeatable.includes(step)) return []
    const key = `${run} ${step}`
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return [{ says: `run ${run} has committed ${step} twice, the second time in ${id.slice(0, 10)}`, runs: [run] }]
  })
}

/** Why a run was refused, where that was heard: a request that comes again later is found valid once more. */
const whyRefused = (heard: readonly Heard[]) => heard.findLast((one) => one.failure)?.failure

const lastWords = (heard: readonly Heard[]) => {
  const last = heard.findLast((one) => one.failure ?? one.message)
  return last?.failure ?? last?.message ?? 'nothing was said'
}

function conflictProblems({ life, ended }: Went, listener: Pick<Listener, 'of'>): Problem[] {
  return life.waves.flatMap((wave) => {
    if (wave.length < 2 || !wave.every(({ expected }) => expected === 'either')) return []
    const pair = ended.filter(({ asked }) => wave.includes(asked))
    const refused = pair.filter(({ terminal }) => terminal === 'rolledback')
    if (refused.length === 0) return []
    const runs = pair.map(({ asked }) => asked.run)
    if (refused.length === pair.length) return [{ says: `${runs.join(' and ')} have both been refused`, runs }]
    return refused.flatMap(({ asked }) => {
      const words = whyRefused(listener.of(asked.run))
      const other = runs.find((run) => run !== asked.run) ?? ''
      // The other may have taken the machine away by then.
      return words === undefined || words.includes(`is held by run ${other}`) || words.includes('has no machine')
        ? []
        : [{ says: `run ${asked.run} was refused beside ${other} for another reason: ${words}`, runs }]
    })
  })
}

/** What was promised of the fleet repository. */
export function fleetChecks(
  { went, listener }: Pick<Outcome, 'went' | 'listener'>,
  state: FleetState,
  damage: readonly string[],
  keptImages: number,
): Check[] {
  const lived = went.map(
    ({ life, ended }): Lived => ({ name: life.name, told: ended.map((one) => toTold(one, listener)) }),
  )
  const runsOf = (says: string) =>
    went.find(({ life }) => new RegExp(`\\b${life.name}\\b`).test(says))?.ended.map(({ asked }) => asked.run) ?? []
  const toProblem = (says: string): Problem => ({ says, runs: runsOf(says) })
  return [
    {
      title: 'the fleet repository is what the requests come to',
      problems: differences(modelOf(lived, keptImages), state.fleet).map(toProblem),
    },
    {
      title: '0 corrupt: every file is read, is what its definition renders to, and is needed by somebody',
      problems: state.problems.map(toProblem),
    },
    { title: 'git finds no damage in it', problems: damage.map(toProblem) },
  ]
}

function toTold({ asked, data, terminal }: Ended, listener: Pick<Listener, 'of'>): Told {
  const heard = listener.of(asked.run)
  const last = <K extends 'name' | 'cluster' | 'addresses'>(key: K) =>
    heard.findLast((one) => one[key] !== undefined)?.[key]
  return { asked, data, terminal, name: last('name'), cluster: last('cluster'), addresses: last('addresses') }
}

/** A sentence for each thing in which the fleet is not the model. */
export function differences(model: FleetModel, fleet: FleetModel): string[] {
  return (Object.keys(model) as (keyof FleetModel)[]).flatMap((part) => unequal(model[part], fleet[part], part))
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function unequal(wanted: unknown, is: unknown, where: string): string[] {
  if (isObject(wanted) && isObject(is))
    return [...new Set([...Object.keys(wanted), ...Object.keys(is)])].flatMap((key) =>
      unequal(wanted[key], is[key], `${where}: ${key}`),
    )
  if (Array.isArray(wanted) && Array.isArray(is)) {
    const lacking = wanted.filter((one) => !is.includes(one))
    const surplus = is.filter((one) => !wanted.includes(one))
    if (lacking.length + surplus.length > 0)
      return [
        ...lacking.map((one) => `${where}: ${one} is missing`),
        ...surplus.map((one) => `${where}: ${one} is there`),
      ]
  }
  if (isDeepStrictEqual(wanted, is)) return []
  return [`${where} is ${show(is)}, wanted ${show(wanted)}`]
}

const show = (value: unknown) => (value === undefined ? 'not there' : JSON.stringify(value))
