import { describe, expect, it } from 'vitest'
import type { RunRecord } from '../../shared/ledger.ts'
import { claimsFile, definitionFile, keptFile, lockFile, runFile } from '../../shared/paths.ts'
import type { Definition } from '../../shared/schema/definition.ts'
import { endOfUndo } from '../../shared/standing.ts'
import { parseYaml, toYaml } from '../../shared/yaml.ts'
import { uidOf, volumes } from './cluster.ts'
import { type Commit, type Repository, treeOf } from './repository.ts'
import { brokenBy, brokenIn, type commitRules, type Seen, type stateRules } from './rules.ts'
import { scenarios } from './scenarios.ts'

/** Each rule beside what breaks it and what just does not: one that never fires holds whatever is done. */

const machine = ['site-a', 'shop', 'db-01'] as const
const [definition, claims, lock] = [definitionFile(...machine), claimsFile(...machine), lockFile(...machine)]
const [A, B] = ['a'.repeat(20), 'b'.repeat(20)] as const
const { repository: fleet } = await scenarios['one power']()

const having = (texts: Record<string, object | null>, steps: string[] = []): Repository => {
  const files = new Map(fleet.files)
  for (const [path, content] of Object.entries(texts)) {
    if (content === null) files.delete(path)
    else files.set(path, toYaml(content))
  }
  return { files, steps: new Set(steps) }
}

/** A run that has taken the lock of the machine, by its own account. */
const record = (change: Partial<RunRecord> = {}) => ({
  ...{ run: A, lifecycle: 'power', state: 'running', task: 'locate', requester: 'ann@example.com' },
  ...{ since: '2030-01-01T10:00:00.000Z', deadline: '2030-01-01T11:30:00.000Z', at: '2030-01-01T10:00:00.000Z' },
  ...{ request: { namespace: 'shop', name: 'db-01' }, facts: {} },
  wrote: { [lock]: { before: null, after: 'some blob' } },
  ...change,
})

const heldByA = { [lock]: { run: A }, [runFile(A)]: record() }
const asDefined = parseYaml(fleet.files.get(definition) ?? '', definition) as Definition
const [claim = ''] = Object.keys(parseYaml(fleet.files.get(claims) ?? '', claims) as object)
const archived = { [definition]: null, 'archive/2030/db-01/values.yaml': asDefined }

/** What breaks a rule, and what is as near to it as may be and breaks none. */
interface Case<T> {
  breaks: Partial<T>[]
  keeps: Partial<T>[]
}

const states: Record<keyof typeof stateRules, Case<Seen>> = {
  'at most one run holds a machine': {
    breaks: [{ repository: having({ ...heldByA, [runFile(B)]: record({ run: B }) }) }],
    keeps: [{ repository: having({ ...heldByA, [runFile(B)]: record({ run: B, wrote: {} }) }) }],
  },
  'a lock is that of a run in flight': {
    breaks: [{ repository: having({ [lock]: { run: A } }) }],
    keeps: [{ repository: having(heldByA) }],
  },
  'a run in flight that has taken a lock has it': {
    breaks: [
      { repository: having({ [runFile(A)]: record() }) },
      { repository: having({ ...heldByA, [lock]: { run: B }, [runFile(B)]: record({ run: B, wrote: {} }) }) },
    ],
    keeps: [
      { repository: having({ [runFile(A)]: record({ wrote: { [lock]: { before: 'some blob', after: null } } }) }) },
    ],
  },
  'a run ends in one way': {
    breaks: [{ ended: [`${A} completed`, `${A} rolledback`] }],
    keeps: [{ ended: [`${A} completed`, `${B} rolledback`] }],
  },
  'a run that has ended has no record, and one that is stranded has none that goes on': {
    breaks: [
      { ended: [`${A} rolledback`], repository: having({ [runFile(A)]: record({ state: 'stranded', wrote: {} }) }) },
      { ended: [`${A} stranded`], repository: having({ [runFile(A)]: record({ state: 'undoing', wrote: {} }) }) },
    ],
    keeps: [
      { ended: [`${A} rolledback`] },
      { ended: [`${A} stranded`], repository: having({ [runFile(A)]: record({ state: 'stranded', wrote: {} }) }) },
    ],
  },
  'what is recorded of the claims of data is never lost': {
    breaks: [
      { repository: having({ [claims]: null }) },
      { repository: having({ [claims]: { [claim]: 'another uid' } }) },
      { repository: having({ ...archived, [claims]: null }) },
    ],
    keeps: [
      {
        repository: having({ ...archived, [claims]: null, [keptFile('site-a', 'shop', claim)]: { uid: uidOf(claim) } }),
      },
    ],
  },
}

/** What a run is about to leave that has changed the definition, and is being undone. */
const blob = (await treeOf(fleet).oid(definition)) ?? null
const changedByA = having({
  [runFile(A)]: record({ state: 'undoing', wrote: { [definition]: { before: blob, after: 'some blob' } } }),
})

const undoRoot = `db-01-root-undo-${A.slice(0, 8)}`
const oldRoot = { ...asDefined.rootDisk, name: 'db-01-root', image: asDefined.image }

const commits: Record<keyof typeof commitRules, Case<Commit>> = {
  'only its holder changes a machine': {
    breaks: [
      { run: B, paths: [definition], before: having(heldByA) },
      { run: A, paths: [definition] },
      { run: A, paths: ['hub/applications/site-a/shop/db-01.yaml'] },
    ],
    keeps: [
      { run: A, paths: [definition], before: having(heldByA) },
      { run: A, paths: [lock, definition], after: having(heldByA) },
      { run: B, paths: ['notes/1.txt'], before: having(heldByA) },
    ],
  },
  'nothing is undone once a run is complete': {
    breaks: [{ run: A, step: endOfUndo, before: having({}, [`${A} complete`]) }],
    keeps: [{ run: B, step: endOfUndo, before: having({}, [`${A} complete`]) }],
  },
  'no task is committed twice': {
    breaks: [{ run: A, step: 'stop.commit', before: having(heldByA, [`${A} stop.commit`]) }],
    keeps: [
      { run: A, step: 'stop.commit', before: having(heldByA, [`${B} stop.commit`]) },
      { run: A, step: 'resume', before: having(heldByA, [`${A} resume`]) },
    ],
  },
  'no task goes on with a run that is being undone': {
    breaks: [
      { run: A, step: 'stop.commit', before: having({ ...heldByA, [runFile(A)]: record({ state: 'undoing' }) }) },
      { run: A, step: 'complete', before: having({ ...heldByA, [runFile(A)]: record({ state: 'stranded' }) }) },
    ],
    keeps: [{ run: A, step: endOfUndo, before: having({ ...heldByA, [runFile(A)]: record({ state: 'undoing' }) }) }],
  },
  'an undone run leaves a machine as it found it': {
    breaks: [
      { running: false },
      { size: { cores: 8, memory: '16Gi' } },
      { disks: [] },
      { rootDisk: { ...asDefined.rootDisk, name: 'db-01-root-another' } },
      { rootDisk: { ...asDefined.rootDisk, name: undoRoot, snapshot: 'vs-other' }, oldRoots: [oldRoot] },
      { rootDisk: { ...asDefined.rootDisk, name: undoRoot, snapshot: volumes.rootdisk } },
    ].map((change) => ({
      ...{ run: A, step: endOfUndo, before: changedByA },
      after: having({ [definition]: { ...asDefined, ...change } }),
    })),
    keeps: [
      {
        ...{ run: A, step: endOfUndo, before: changedByA },
        after: having({ [definition]: { ...asDefined, labels: { by: 'somebody' } } }),
      },
      {
        ...{ run: A, step: endOfUndo, before: changedByA },
        after: having({
          [definition]: {
            ...asDefined,
            rootDisk: { ...asDefined.rootDisk, name: undoRoot, snapshot: volumes.rootdisk },
            oldRoots: [oldRoot],
          },
        }),
      },
    ],
  },
}

const state = (change: Partial<Seen>): Seen => ({ repository: fleet, ended: [], runs: [A, B], ...change })
const commit = (change: Partial<Commit>): Commit => ({
  ...{ run: A, step: 'some step', subject: '', paths: [], before: fleet, after: fleet },
  ...change,
})

describe('the rule', () => {
  it.each(Object.entries(states))('that %s is broken by what breaks it alone', (rule, { breaks, keeps }) => {
    for (const one of breaks) expect(brokenIn(state(one))).toContain(`Broken: ${rule} (`)
    for (const one of keeps) expect(brokenIn(state(one))).toBeUndefined()
  })

  it.each(Object.entries(commits))('that %s is broken by what breaks it alone', (rule, { breaks, keeps }) => {
    for (const one of breaks) expect(brokenBy(commit(one))).toContain(`Broken: ${rule} (`)
    for (const one of keeps) expect(brokenBy(commit(one))).toBeUndefined()
  })
})
