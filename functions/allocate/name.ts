import { type Fleet, nothing, type Tree } from '../../shared/fleet.ts'
import { readHolder } from '../../shared/holder.ts'
import { recorded, trailersOf } from '../../shared/ledger.ts'
import { candidate, describe, type Naming, namingOf, namingProblems } from '../../shared/names.ts'
import { nameFile, templateFile } from '../../shared/paths.ts'
import { requestOf } from '../../shared/request.ts'
import { readChecked } from '../../shared/schema/read.ts'
import { show, summary } from '../../shared/schema/show.ts'
import { Template } from '../../shared/schema/template.ts'
import { standing, unlessAnother } from '../../shared/standing.ts'
import { type Facts, ignored, type Outcome, type Run, refused, succeeded } from '../../shared/step.ts'
import { toYaml } from '../../shared/yaml.ts'

/**
 * Reserves the machine's name in the whole fleet: the one that is asked for, or the lowest free number of the pattern.
 * The name is a path, so Git itself lets only one run have it.
 */
export async function allocateName(run: Run, fleet: Fleet): Promise<Outcome> {
  const { value } = await fleet.transact<Outcome>({
    subject: `Reserve a name for run ${run.id}`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const before = await standing(tree, run, fleet)
      if (before === 'ended') return nothing(ignored(`Run ${run.id} has ended: its name is not reserved again`))
      const another = before && unlessAnother(before, run)
      if (another) return nothing(another)
      if (before?.facts.name) return nothing(reserved(before.facts.name, foundValid(before.facts)))
      const naming = await namingFor(tree, run)
      if (!('how' in naming)) return nothing(naming)
      const name = await firstFree(tree, naming.how)
      return name === undefined ? nothing(await taken(tree, naming.how)) : reserve(tree, run, name)
    },
  })
  return value
}

const reserved = (name: string, facts: Facts = {}) => succeeded(`Reserved the name ${name}`, { ...facts, name })

/** What was found valid first holds: a template may have been changed until the request came again. */
const foundValid = ({ machine, labels, callback, attached, claims }: Facts): Facts => ({
  ...(machine && { machine }),
  ...(labels && { labels }),
  ...(callback && { callback }),
  ...(attached && { attached }),
  ...(claims && { claims }),
})

/** The template may have changed since the request was found valid, so it is asked again. */
async function namingFor(tree: Tree, run: Run): Promise<{ how: Naming } | Outcome> {
  if (run.facts.origin) return { how: { name: requestOf(run, 'clone').as.name } }
  const request = requestOf(run, 'provision')
  const template = await readChecked(tree, templateFile(request.template), Template)
  if (!template) return refused(`Cannot name the machine: template ${show(request.template)} is gone`)
  const problems = template.ok ? namingProblems(request, template.value) : template.problems
  const how = template.ok && problems.length === 0 ? namingOf(request, template.value) : undefined
  return how ? { how } : refused(summary('Cannot name the machine', problems))
}

/** The first name that has no file, asked for in chunks that grow, so a crowded pattern needs few rounds. */
async function firstFree(tree: Tree, naming: Naming): Promise<string | undefined> {
  for (let first = 1, size = 8; ; first += size, size = Math.min(size * 2, 256)) {
    const chunk = Array.from({ length: size }, (_, index) => candidate(naming, first + index) ?? [])
    const names = chunk.flat()
    const oids = await Promise.all(names.map((name) => tree.oid(nameFile(name))))
    const free = oids.indexOf(undefined)
    if (free >= 0) return names[free]
    if (names.length < size) return undefined
  }
}

async function taken(tree: Tree, naming: Naming): Promise<Outcome> {
  if ('pattern' in naming)
    return refused(
      `Cannot name the machine: every name of ${show(naming.pattern)} is taken, the last like ${show(describe(naming))}`,
    )
  const holder = await readHolder(tree, naming.name)
  return refused(`Cannot name the machine: ${holder?.sentence ?? `${show(naming.name)} is taken`}`)
}

async function reserve(tree: Tree, run: Run, name: string) {
  const content = toYaml({ name, run: run.id, namespace: run.request.namespace, since: run.since })
  const facts = { ...run.facts, name }
  return {
    changes: await recorded(tree, run, facts, [{ path: nameFile(name), content }]),
    value: reserved(name),
    subject: `Reserve name ${name} for run ${run.id}`,
  }
}
