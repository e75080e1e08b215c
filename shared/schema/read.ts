import type { Static, TSchema } from 'typebox'
import { copyOf } from '../copy.ts'
import { DroverError, messageOf } from '../errors.ts'
import type { Tree } from '../fleet.ts'
import { parseYaml } from '../yaml.ts'
import { type Checked, check } from './check.ts'

/** Reads a file of the fleet repository and checks it; its problems begin with its path. Undefined when there is none. */
export async function readChecked<S extends TSchema>(
  tree: Tree,
  path: string,
  schema: S,
): Promise<Checked<Static<S>> | undefined> {
  let text: string | undefined
  try {
    text = await tree.read(path)
  } catch (error) {
    // A file that is too large is wrong as one that is no YAML; whether there is a repository to read is another matter.
    if (error instanceof DroverError && error.reason === 'refused') return { ok: false, problems: [error.message] }
    throw error
  }
  if (text === undefined) return undefined
  const checked = parsed(text, schema)
  return checked.ok ? checked : { ok: false, problems: checked.problems.map((problem) => `${path}: ${problem}`) }
}

/** What has been read before, by schema and text: the same templates and policies are read for every request. */
const known = new WeakMap<TSchema, Map<string, Checked<unknown>>>()
const mostKnown = 500
/** As many of the largest would take all memory. */
const longestKnown = 50_000

function parsed<S extends TSchema>(text: string, schema: S): Checked<Static<S>> {
  if (text.length > longestKnown) return parsedAnew(text, schema) as Checked<Static<S>>
  const ofSchema = known.get(schema) ?? new Map<string, Checked<unknown>>()
  known.set(schema, ofSchema)
  if (ofSchema.size >= mostKnown) ofSchema.clear()
  const found = ofSchema.get(text) ?? parsedAnew(text, schema)
  ofSchema.set(text, found)
  // Each reader gets its own, to change as it likes.
  return copyOf(found) as Checked<Static<S>>
}

function parsedAnew<S extends TSchema>(text: string, schema: S): Checked<Static<S>> {
  let value: unknown
  try {
    value = parseYaml(text, 'the file')
  } catch (error) {
    return { ok: false, problems: [messageOf(error)] }
  }
  return check(schema, value, 'the file')
}

/** The names of the files `<name>.yaml` in a folder. */
export async function namesIn(tree: Tree, folder: string): Promise<string[]> {
  const entries = await tree.list(folder)
  return entries.filter(({ name }) => name.endsWith('.yaml')).map(({ name }) => name.slice(0, -'.yaml'.length))
}

/** The names of the folders in a folder. */
export const foldersIn = async (tree: Tree, folder: string): Promise<string[]> =>
  (await tree.list(folder)).filter(({ mode }) => mode === '040000').map(({ name }) => name)
