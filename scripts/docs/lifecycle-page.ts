import { readFileSync } from 'node:fs'
import { type Lifecycle, lifecycles, type Task } from '../../shared/lifecycles.ts'
import { failings } from './failures.ts'
import { table } from './table.ts'

/** What of a lifecycle's page follows from its example and from the table, by the name of the part. */
export const pageParts: Record<string, (lifecycle: Lifecycle) => string> = {
  request: ({ name }) => `\`\`\`json\n${exampleOf(name)}\`\`\``,
  tasks: ({ name, title, tasks }) =>
    `![The tasks of ${title}, and what happens when one fails](pictures/${name}.svg)\n\n${table(
      ['', 'task', 'function', 'event when done'],
      tasks.map((task, at) => [String(at + 1), task.title, `\`${task.by}\``, `\`${task.done}\``]),
    )}`,
  failures: (lifecycle) =>
    table(
      ['when this fails', 'because', 'this is undone', 'the run ends'],
      failings(lifecycle).map(({ task, when, undone, ends }) => [nameOf(task), when, undone, `\`${ends}\``]),
    ),
}

const exampleOf = (name: string) => readFileSync(new URL(`../../examples/${name}.json`, import.meta.url), 'utf8')

/** Every round has a push: the round says which one is meant. */
const nameOf = ({ title, by, round }: Task) => (by === 'commit' && round ? `${title} (${round})` : title)

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
