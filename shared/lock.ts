import type { Tree } from './fleet.ts'
import { readRecord } from './ledger.ts'
import type { LifecycleName } from './lifecycles.ts'
import type { MachineAddress } from './machines.ts'
import { lockFile } from './paths.ts'
import type { Run } from './step.ts'
import { parseYaml, toYaml } from './yaml.ts'

/** `operation.yaml` beside a definition: the run that holds the machine or the image. One lifecycle at a time changes it. */
export interface Lock {
  run: string
  lifecycle: LifecycleName
  requester: string
  since: string
}

export const lockOf = (address: MachineAddress) => lockFile(address.cluster, address.namespace, address.name)

export const toLock = ({ id, lifecycle, requester, since }: Run): string =>
  toYaml({ run: id, lifecycle, requester, since } satisfies Lock)

/**
 * Whose lock it is, if somebody else's; undefined while nobody holds it, or when it is this run. A lock without a run in
 * flight is dead: its run has ended and took it away, or somebody removed the run's record.
 */
export async function holderOf(tree: Tree, path: string, run: string): Promise<Lock | undefined> {
  const text = await tree.read(path)
  if (text === undefined) return undefined
  const lock = parseYaml(text, path) as Partial<Lock> | null
  const holder = lock?.run
  if (typeof holder !== 'string' || holder === run || !/^[0-9a-f]{20}$/.test(holder)) return undefined
  return (await readRecord(tree, holder)) === undefined ? undefined : (lock as Lock)
}

/** That a machine or an image is held, for people. */
export const heldSentence = (what: string, { run, lifecycle, requester, since }: Lock): string =>
  `${what} is held by run ${run}: a ${lifecycle} that ${requester} asked for at ${since}`
