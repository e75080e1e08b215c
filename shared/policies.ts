import type { Tree } from './fleet.ts'
import { policyFolder } from './paths.ts'
import { patternProblem } from './pattern.ts'
import { type Checked, check } from './schema/check.ts'
import { Policy } from './schema/fleet-files.ts'
import { namesIn, readChecked } from './schema/read.ts'

/** Every policy of the fleet. One that cannot be read refuses the request: its rules might have. */
export async function readPolicies(tree: Tree): Promise<Checked<Policy[]>> {
  const names = await namesIn(tree, policyFolder)
  const files = await Promise.all(names.map((name) => readPolicy(tree, `${policyFolder}/${name}.yaml`)))
  const problems = files.flatMap((file) => (file.ok ? [] : file.problems))
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: files.flatMap((file) => (file.ok ? [file.value] : [])) }
}

async function readPolicy(tree: Tree, path: string): Promise<Checked<Policy>> {
  const file = (await readChecked(tree, path, Policy)) ?? check(Policy, undefined, path)
  const pattern = file.ok ? file.value.rules.names?.pattern : undefined
  const problem = pattern === undefined ? undefined : patternProblem(pattern)
  return problem === undefined ? file : { ok: false, problems: [`${path}: rules.names.pattern ${problem}`] }
}
