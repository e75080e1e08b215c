import { readFileSync } from 'node:fs'
import { eventType } from '../../shared/event-types.ts'
import { type Lifecycle, lifecycles, type Task } from '../../shared/lifecycles.ts'
import { toAnchor } from './anchor.ts'
import { type Failing, failings, reasons } from './failures.ts'
import { table } from './table.ts'

/** What of a lifecycle's page follows from its example and from the table, by the name of the part. */
export const pageParts: Record<string, (lifecycle: Lifecycle) => string> = {
  request: ({ name }) => `\`\`\`json\n${exampleOf(name)}\`\`\``,
  tasks: (lifecycle) =>
    [
      `![The tasks of ${lifecycle.title}, and what happens when one fails](pictures/${lifecycle.name}.svg)`,
      `The run begins with ${eventOf(lifecycle, 'requested')}. Then each task states what it has done, and where it waits, for what:`,
      table(
        ['', 'task', 'function', 'events'],
        lifecycle.tasks.map((task, at) => [
          String(at + 1),
          task.title,
          `\`${task.by}\``,
          [task.done, ...(task.waits ? [`${task.name}.progressing`] : []), `${task.name}.failed`]
            .map((fact) => eventOf(lifecycle, fact))
            .join('<br>'),
        ]),
      ),
    ].join('\n\n'),
  failures: (lifecycle) =>
    [
      `A failed task wakes \`recover\`, which says in ${eventOf(lifecycle, 'undo.progressing')} what it waits for, and ends the run with ${eventOf(lifecycle, 'rolledback')} or ${eventOf(lifecycle, 'stranded')}.`,
      general,
      table(
        ['when this fails', 'then', 'the run ends'],
        alike(failings(lifecycle)).map(([one, ...others]) => [
          [one, ...others].map(({ task, when }) => reasonOf(lifecycle, task, when)).join('<br>'),
          one.undone,
          `\`${one.ends}\``,
        ]),
      ),
    ].join('\n\n'),
}

/** A type in full, with a link to where all are. */
const eventOf = ({ name, title }: Lifecycle, fact: string) =>
  `[\`${eventType(name, fact)}\`](../events.md#${toAnchor(title)})`

/** What is the same for each round, and for each task. */
const general = `Any task fails when the Broker gives up on it, and one that waits when the run's time is up. Beside that, where the table gives no reason: a task of \`build\` fails where ${reasons.build}; one of \`commit\`, where ${reasons.commit}.`

/** Tasks in a row after whose failure the same is undone. */
function alike(all: readonly Failing[]): [Failing, ...Failing[]][] {
  const groups: [Failing, ...Failing[]][] = []
  for (const one of all) {
    const [last] = groups.at(-1) ?? []
    if (last?.undone === one.undone && last.ends === one.ends) groups.at(-1)?.push(one)
    else groups.push([one])
  }
  return groups
}

function reasonOf({ tasks }: Lifecycle, task: Task, when: string): string {
  const name = `${tasks.indexOf(task) + 1} ${task.title}`
  return Object.values(reasons).includes(when) ? name : `${name}: ${when}`
}

const exampleOf = (name: string) => readFileSync(new URL(`../../examples/${name}.json`, import.meta.url), 'utf8')

/** One line for each lifecycle, with a link: what it is for, as its page begins; from the folder that `docs/lifecycles/` is at. */
export const index = (folder: string): string =>
  table(
    ['lifecycle', 'name', 'what it does'],
    lifecycles.map(({ name, title }) => [`[${title}](${folder}${name}.md)`, `\`${name}\``, purposeOf(name)]),
  )

function purposeOf(name: string): string {
  const [, begin = ''] = readFileSync(new URL(`../../docs/lifecycles/${name}.md`, import.meta.url), 'utf8').split(
    '\n\n',
  )
  const [sentence] = /^.*?\.(?= |$)/.exec(begin.replaceAll('\n', ' ')) ?? []
  if (sentence === undefined) throw new Error(`Cannot write the index: the page of ${name} begins with no sentence`)
  return sentence
}
