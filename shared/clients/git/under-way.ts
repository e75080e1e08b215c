import type { CommitTrailers, Tree } from '../../fleet.ts'

/**
 * Which commits stand on a tree that are not pushed yet: they go with the same push, have no ids so far, and no history knows of
 * them. Who looked there alone would make them once more.
 */
const commits = new WeakMap<Tree, Set<string>>()

type Made = Pick<CommitTrailers, 'run' | 'step'>

/** Notes that a commit stands on the tree. */
export function begin(tree: Tree, made: Made): void {
  const known = commits.get(tree) ?? new Set()
  commits.set(tree, known.add(keyOf(made)))
}

/** True when a commit of this run for this step stands on the tree. */
export const isUnderWay = (tree: Tree, made: Made): boolean => commits.get(tree)?.has(keyOf(made)) ?? false

const keyOf = ({ run, step }: Made) => `${run}\n${step}`
