import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { buildPushBundle } from '../../scripts/build.ts'
import { environment } from '../../shared/config.ts'

declare module 'vitest' {
  interface ProvidedContext {
    registryProgram: string
  }
}

/** Builds what is tested, and the registry that it is tested on: minutes for the first time, then it is kept. */
export default async function setup(project: TestProject): Promise<void> {
  await buildPushBundle()
  project.provide('registryProgram', buildRegistry())
}

function buildRegistry(): string {
  const folder = new URL('.', import.meta.url).pathname
  const sums = createHash('sha256').update(readFileSync(join(folder, 'go.sum')))
  const cache = join(environment()['HOME'] ?? '', '.cache/drover-registry', sums.digest('hex').slice(0, 12))
  const program = join(cache, 'registry')
  if (existsSync(program)) return program
  mkdirSync(cache, { recursive: true })
  const built = `${program}.${process.pid}`
  const args = ['build', '-buildvcs=false', '-o', built, 'github.com/distribution/distribution/v3/cmd/registry']
  execFileSync('go', args, { cwd: folder, env: { ...environment(), CGO_ENABLED: '0' }, stdio: 'inherit' })
  renameSync(built, program)
  return program
}
