import type { Change, Tree } from '../../shared/fleet.ts'
import type { GitOpsSettings } from '../../shared/gitops/application.ts'
import { toChangeSet } from '../../shared/gitops/change-set.ts'
import { idOf, type RunRecord } from '../../shared/ledger.ts'
import type { Definition } from '../../shared/schema/definition.ts'

/** A change, and what the file was as Drover has written it. */
interface Differing extends Change {
  was: string | null
}

/** What is different between two states of a machine. Files that are the same in both stay as they are, whoever wrote them. */
export async function differing(
  tree: Tree,
  now: Definition,
  aim: Definition,
  gitops: GitOpsSettings,
): Promise<Differing[]> {
  const before = new Map((await toChangeSet(now, tree, gitops)).map(({ path, content }) => [path, content]))
  const after = await toChangeSet(aim, tree, gitops)
  return after.flatMap((change) => {
    const was = before.get(change.path) ?? null
    return was === change.content ? [] : [{ ...change, was }]
  })
}

/** A file that is not as this run has left it, or as Drover renders it: somebody else has changed it. */
export async function foreign(
  tree: Tree,
  { wrote }: RunRecord,
  changes: readonly Differing[],
): Promise<string | undefined> {
  for (const { path, content, was } of changes) {
    const now = (await tree.oid(path)) ?? null
    const { after = idOf(was), edited } = wrote[path] ?? {}
    if (edited || (now !== after && now !== idOf(content))) return path
  }
  return undefined
}
