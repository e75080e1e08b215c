import type { Change, Fleet, Tree } from '../../shared/fleet.ts'
import { readRecord, recorded, trailersOf } from '../../shared/ledger.ts'
import { addressFile, nameFile } from '../../shared/paths.ts'
import { ignored, type Outcome, type Run, succeeded } from '../../shared/step.ts'
import { parseYaml } from '../../shared/yaml.ts'

/** Gives back the name and the addresses of a machine that is gone, unless they are somebody else's by now. */
export async function release(run: Run, fleet: Fleet): Promise<Outcome> {
  const { value } = await fleet.transact<Outcome>({
    subject: `Release name and addresses of ${run.facts.name} for run ${run.id}`,
    trailers: trailersOf(run),
    decide: async (tree) => {
      const record = await readRecord(tree, run.id)
      if (record?.state !== 'running')
        return { nothing: true, value: ignored(`Run ${run.id} has ended: it releases nothing`) }
      const changes = await own(tree, run)
      if (changes.length === 0) return { nothing: true, value: released(run) }
      return { changes: await recorded(tree, run, run.facts, changes), value: released(run) }
    },
  })
  return value
}

function released({ facts }: Run): Outcome {
  const { name, interfaces = [] } = facts
  const addresses = interfaces.flatMap(({ leases }) => leases.map(({ address }) => address))
  return succeeded(`Released the name ${name}, its DNS names and ${addresses.join(', ')}`)
}

/** The files that hold them for this machine. */
async function own(tree: Tree, { facts, request }: Run): Promise<Change[]> {
  const { name = '', interfaces = [] } = facts
  const leases = interfaces.flatMap(({ network, leases }) => leases.map(({ address }) => addressFile(network, address)))
  const isOwn = async (path: string): Promise<Change[]> => {
    const text = await tree.read(path)
    if (text === undefined) return []
    const { machine, name: held, namespace } = parseYaml(text, path) as Record<string, unknown>
    return (machine ?? held) === name && namespace === request.namespace ? [{ path, content: null }] : []
  }
  return (await Promise.all([nameFile(name), ...leases].map(isOwn))).flat()
}
