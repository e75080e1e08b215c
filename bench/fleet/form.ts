import { blobId } from '../../shared/blob-id.ts'
import { nameFile, runFile } from '../../shared/paths.ts'
import type { Run } from '../../shared/step.ts'
import { parseYaml, toYaml } from '../../shared/yaml.ts'
import { type Files, type Made, makeMachine, networkFiles } from './make.ts'
import { type Words, wordsOf } from './words.ts'

/**
 * A machine as Drover's own steps make it, with gaps for what differs from machine to machine: to fill them takes a
 * hundredth of the time that the steps take.
 */
export interface Form {
  /** What a provisioned machine leaves in Git. */
  settled(words: Words): Files
  /** What a run has written when its machine is about to be committed. */
  pending(words: Words): Files
  /** What its commit holds; the ids in its record are those of another machine, as long as its own. */
  committed(words: Words): Files
  /** That run, with the change set that it built. */
  run(words: Words): Run
  /** What a namespace has for all of its machines. */
  namespace(words: Words): Files
  network(words: Words): Files
  /** What the fleet begins with. */
  starter: Files
}

// Ten million machines: no other word has digits like these.
const model = 255_999

/** Makes the form from two machines: the second one finds the namespace there. */
export async function makeForm(): Promise<Form> {
  const first = wordsOf(model - 1)
  const words = wordsOf(model)
  const { starter, machine, namespace } = await makeMachine([first, words])
  const fill = (files: Files) => {
    const forms = Object.entries(files).map(([path, text]) => [toForm(path, words), toForm(text, words)] as const)
    const isName = (path: string) => path.startsWith('names/')
    return (other: Words): Files =>
      Object.fromEntries(
        forms.map(([path, text]) => {
          const filled = path(other)
          return [isName(filled) ? nameFile(other.name) : filled, text(other)]
        }),
      )
  }
  const run = toForm(JSON.stringify(machine.run), words)
  const pending = fill(machine.pending)
  return {
    starter,
    settled: fill(machine.settled),
    pending: (other) => withRecord(pending(other), other.run),
    committed: fill(machine.committed),
    namespace: fill(namespace),
    network: networkFiles,
    run: (other) => JSON.parse(run(other)) as Made['run'],
  }
}

/** A record holds the ids of what its run wrote, which no text stands for. */
function withRecord(files: Files, run: string): Files {
  const { [runFile(run)]: text = '', ...rest } = files
  // A name is reserved before an address.
  const inOrder = Object.entries(rest).toReversed()
  const wrote = inOrder.map(([path, content]) => [path, { before: null, after: blobId(content) }] as const)
  const record = parseYaml(text, runFile(run)) as object
  return { ...rest, [runFile(run)]: toYaml({ ...record, wrote: Object.fromEntries(wrote) }) }
}

/** Cuts a text at its words, so that it can be joined with others in their place. */
function toForm(text: string, words: Words): (other: Words) => string {
  const entries = Object.entries(words) as [keyof Words, string][]
  const keyOf = new Map(entries.map(([key, word]) => [word, key]))
  const longestFirst = [...keyOf.keys()].sort((one, other) => other.length - one.length)
  const anyWord = new RegExp(`(${longestFirst.map((word) => word.replaceAll('.', '\\.')).join('|')})`)
  // Every other part is a word.
  const parts = text.split(anyWord).map((part, index) => (index % 2 === 1 ? keyOf.get(part) : undefined) ?? { part })
  return (other) => parts.map((part) => (typeof part === 'string' ? other[part] : part.part)).join('')
}
