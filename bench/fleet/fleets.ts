import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type GitHostProcess, startGitProcess } from '../../local/git/process.ts'
import { serverEnvironment } from '../../local/git/repository.ts'
import { environment } from '../../shared/config.ts'
import type { Run } from '../../shared/step.ts'
import { type Form, makeForm } from './form.ts'
import { fastImport } from './import.ts'
import type { Files } from './make.ts'
import { beginsNamespace, beginsNetwork, wordsOf } from './words.ts'

const git = promisify(execFile)
const token = 'of-the-benchmarks'

/** What a client needs to know of a fleet. */
export interface Address {
  plainUrl: string
  token: string
}

/** A fleet of its own for one benchmark, served over HTTP, and the runs in it that are about to commit. */
export interface ServedFleet extends GitHostProcess, Address {
  /** Runs at `create.commit`, each of a machine that is not there yet. */
  runs: PendingRun[]
}

export interface PendingRun {
  run: Run
  /** The files of the commit that it is about to make. */
  files: Files
}

export interface Fleets {
  /** Serves a fleet of so many machines, with so many runs that are about to commit. */
  serve(machines: number, runs?: number): Promise<ServedFleet>
  /** Serves a copy of a repository, as it was at a commit. */
  serveCopy(repository: string, commit: string): Promise<GitHostProcess & Address>
}

/** Makes fleets; one that was made is kept, and copied for each use. */
export function openFleets(kept: string, directory: string, say: (sentence: string) => void): Fleets {
  const env = serverEnvironment(environment())
  let made: Promise<Form> | undefined
  const theForm = () => (made ??= makeForm())
  // Its objects are the very files of the other one: nothing is copied.
  const copy = (from: string, to: string) =>
    git('git', ['clone', '--quiet', '--bare', '--local', '--template=', from, to], { env })
  const keep = async (name: string, fill: (repository: string) => Promise<void>): Promise<string> => {
    const path = join(kept, `${name}.git`)
    if (existsSync(path)) return path
    await mkdir(kept, { recursive: true })
    const room = await mkdtemp(join(kept, 'unfinished-'))
    await fill(join(room, 'fleet.git'))
    await rename(join(room, 'fleet.git'), path)
    await rm(room, { recursive: true })
    return path
  }
  const fleetOf = async (machines: number): Promise<string> => {
    const form = await theForm()
    return keep(`${machines}-${digestOf(form)}`, async (repository) => {
      say(`Making a fleet of ${machines.toLocaleString('en')} machines, for this run and those to come`)
      await git('git', ['init', '--quiet', '--bare', '--template=', '--initial-branch=main', repository], { env })
      await fastImport(repository, [{ message: 'Begin the fleet\n', files: filesOf(form, machines) }], env)
    })
  }
  const withRuns = async (machines: number, runs: number): Promise<string> => {
    const [form, fleet] = [await theForm(), await fleetOf(machines)]
    if (runs === 0) return fleet
    return keep(`${machines}+${runs}-${digestOf(form)}`, async (repository) => {
      await copy(fleet, repository)
      const begun = { message: 'Begin the runs\n', from: 'refs/heads/main^0', files: pendingOf(form, machines, runs) }
      await fastImport(repository, [begun], env)
    })
  }
  const serve: Fleets['serve'] = async (machines, count = 0) => {
    const from = await withRuns(machines, count)
    const own = await mkdtemp(join(directory, 'fleet-'))
    await copy(from, join(own, 'fleet.git'))
    const host = await startGitProcess({ directory: own, token, env: environment() })
    const form = await theForm()
    const words = Array.from({ length: count }, (_, index) => wordsOf(machines + index))
    return { ...host, token, runs: words.map((one) => ({ run: form.run(one), files: form.committed(one) })) }
  }
  const serveCopy: Fleets['serveCopy'] = async (repository, commit) => {
    const own = await mkdtemp(join(directory, 'copy-'))
    const path = join(own, 'fleet.git')
    await copy(repository, path)
    await git('git', [`--git-dir=${path}`, 'update-ref', 'refs/heads/main', commit], { env })
    return { ...(await startGitProcess({ directory: own, token, env: environment() })), token }
  }
  return { serve, serveCopy }
}

const digestOf = (form: Form): string =>
  createHash('sha256')
    .update(JSON.stringify([form.starter, everythingOf(form, 0)]))
    .digest('hex')
    .slice(0, 8)

function* filesOf(form: Form, machines: number): Generator<Files> {
  yield form.starter
  for (let machine = 0; machine < machines; machine++) yield everythingOf(form, machine)
}

function everythingOf(form: Form, machine: number): Files {
  return { ...around(form, machine), ...form.settled(wordsOf(machine)) }
}

function* pendingOf(form: Form, machines: number, count: number): Generator<Files> {
  for (let machine = machines; machine < machines + count; machine++)
    // The first of them finds its namespace and its network there, as most do.
    yield {
      ...(machine === machines ? everythingAround(form, machine) : around(form, machine)),
      ...form.pending(wordsOf(machine)),
    }
}

function around(form: Form, machine: number): Files {
  const words = wordsOf(machine)
  return {
    ...(beginsNetwork(machine) ? form.network(words) : {}),
    ...(beginsNamespace(machine) ? form.namespace(words) : {}),
  }
}

const everythingAround = (form: Form, machine: number): Files => ({
  ...form.network(wordsOf(machine)),
  ...form.namespace(wordsOf(machine)),
})
