import { isDict } from '../../shared/dict.ts'
import type { Fleet, Tree } from '../../shared/fleet.ts'
import type { RunRecord } from '../../shared/ledger.ts'
import { knownLifecycle, makesImage, type Task } from '../../shared/lifecycles.ts'
import { definitionFile, imageFile, isArchivedDefinition } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import type { GoldenImage } from '../../shared/schema/golden-image.ts'
import { type Facts, isPastDeadline, type Run, refused, type Standstill, succeeded } from '../../shared/step.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** What a run that stands still is to hear, as far as possible word for word what was lost. */
export async function toStandstill(record: RunRecord, fleet: Fleet, now: Date): Promise<Standstill> {
  const { failure, at } = record
  if (record.state === 'undoing' && failure)
    return { run: { ...toRun(record, failure.task), failure }, outcome: refused(failure.message) }
  const { last, next } = tasksAround(record)
  if (isPastDeadline(record, now)) {
    const why = `nothing was heard of the run since ${at}, and its time was up at ${record.deadline}`
    return { run: toRun(record, next.name), outcome: refused(`Cannot go on after "${last.title}": ${why}`) }
  }
  const said = `Going on after "${last.title}": nothing was heard of the run since ${at}`
  return { run: toRun(record, last.name), outcome: succeeded(said, await factsAfter(record, last, fleet)) }
}

/**
 * The last task that is surely done, and the one after it. A task that waits makes its commit first and is done later, so
 * it has to be begun again.
 */
function tasksAround(record: RunRecord): { last: Task; next: Task } {
  const tasks = knownLifecycle(record.lifecycle)?.tasks ?? []
  const at = tasks.findIndex(({ name }) => name === record.task)
  const done = tasks[at]?.waits ? at - 1 : at
  return { last: tasks[done] as Task, next: tasks[done + 1] as Task }
}

/** The facts as the task's own event had them: the record leaves out what Git holds elsewhere. */
async function factsAfter(record: RunRecord, { name, by }: Task, fleet: Fleet): Promise<Facts> {
  const tree = await fleet.head()
  const definition = await definitionOf(record, tree)
  const image = await imageOf(record, tree)
  const revision = by === 'commit' ? await fleet.find(record.run, name, record.since) : undefined
  return {
    ...(definition ? { definition } : {}),
    ...(image ? { image } : {}),
    ...(revision === undefined ? {} : { revision }),
  }
}

/** The definition as this run wrote it, whoever has changed it since; of a machine that it took away, as it archived it. */
async function definitionOf(record: RunRecord, tree: Tree): Promise<Definition | undefined> {
  const { facts, request, wrote } = record
  if (facts.cluster === undefined || facts.name === undefined) return undefined
  const paths = [
    definitionFile(facts.cluster, request.namespace, facts.name),
    ...Object.keys(wrote).filter(isArchivedDefinition),
  ]
  const path = paths.find((one) => wrote[one]?.after)
  return path === undefined ? undefined : ((await written(tree, wrote, path)) as Definition | undefined)
}

/** The golden image in the same way. */
async function imageOf({ facts, lifecycle, wrote }: RunRecord, tree: Tree): Promise<GoldenImage | undefined> {
  if (facts.name === undefined || !makesImage(lifecycle)) return undefined
  return (await written(tree, wrote, imageFile(facts.name))) as GoldenImage | undefined
}

/** A file as the run has left it; undefined when it wrote none there. */
async function written(tree: Tree, wrote: RunRecord['wrote'], path: string): Promise<unknown> {
  const blob = wrote[path]?.after
  return blob ? parseYaml(await tree.blob(blob), path) : undefined
}

const toRun = (
  { run, lifecycle, request, facts, since, deadline, at, requester, marks }: RunRecord,
  task: string,
): Run => ({
  id: run,
  lifecycle,
  task,
  request,
  facts,
  fact: task,
  message: '',
  ...{ since, deadline, at, requester },
  horizon: since,
  marks: marks ?? {},
})

/** Why a record cannot be gone on with. Whoever may push can have written it. */
export function problemsOf(record: RunRecord, run: string): string[] {
  if (!isDict(record)) return ['it holds no record']
  const { last, next } = tasksAround(record)
  const times = ['since', 'deadline', 'at'] as const
  return [
    ...(record.run === run ? [] : ['it is named after another run']),
    ...(last && next ? [] : ['it names no task that a run goes on after']),
    ...(['running', 'undoing', 'stranded'].includes(record.state) ? [] : ['it has no state']),
    ...(record.state === 'undoing' && !record.failure ? ['it does not say what failed'] : []),
    ...times.flatMap((name) => (Number.isNaN(Date.parse(record[name])) ? [`its ${name} is no time`] : [])),
    ...(['facts', 'request', 'wrote'] as const).flatMap((name) => (isDict(record[name]) ? [] : [`it lacks ${name}`])),
  ]
}
