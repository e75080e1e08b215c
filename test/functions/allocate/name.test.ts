import { describe, expect, it } from 'vitest'
import { allocateName } from '../../../functions/allocate/name.ts'
import { readRecord } from '../../../shared/ledger.ts'
import { nameFile, runFile, templateFile } from '../../../shared/paths.ts'
import type { ProvisionRequest } from '../../../shared/schema/provision-request.ts'
import type { Origin, Run } from '../../../shared/step.ts'
import { parseYaml, toYaml } from '../../../shared/yaml.ts'
import { runOf, smallRequest, starterFiles } from '../../examples/starter.ts'
import { memoryFleet } from '../../fleet.ts'

const fleetWith = (files: Record<string, string> = {}) => memoryFleet({ ...starterFiles(), ...files })
const naming = (change: Partial<ProvisionRequest> = {}, id = 'run-a') =>
  runOf({ id, task: 'name', fact: 'validated', request: { ...smallRequest(), ...change } })
const takenNames = (...names: string[]) =>
  Object.fromEntries(
    names.map((name) => [nameFile(name), toYaml({ name, run: 'old', namespace: 'office', since: 'x' })]),
  )
const late = { kind: 'ignored', message: 'Run run-a has ended: its name is not reserved again' }

describe('allocateName', () => {
  it('reserves the asked name in one commit, with the record of the run', async () => {
    const fleet = fleetWith()
    expect(await allocateName(naming({ name: 'web-1' }), fleet)).toEqual({
      kind: 'succeeded',
      message: 'Reserved the name web-1',
      facts: { name: 'web-1' },
    })
    expect(fleet.commits).toMatchObject([
      { subject: 'Reserve name web-1 for run run-a', trailers: { run: 'run-a', step: 'name', lifecycle: 'provision' } },
    ])
    const files = await fleet.files()
    expect(parseYaml(files[nameFile('web-1')] ?? '')).toEqual({
      name: 'web-1',
      run: 'run-a',
      namespace: 'shop',
      since: '2030-01-01T10:00:00.000Z',
    })
    const record = await readRecord(await fleet.head(), 'run-a')
    expect(record).toMatchObject({ state: 'running', task: 'name', facts: { name: 'web-1' } })
    expect(Object.entries(record?.wrote ?? {})).toEqual([
      [nameFile('web-1'), { before: null, after: expect.any(String) }],
    ])
  })

  it('takes the lowest free number of a pattern', async () => {
    const fleet = fleetWith(takenNames('prod-shop-001', 'prod-shop-002', 'prod-shop-004'))
    expect(await allocateName(naming(), fleet)).toMatchObject({ facts: { name: 'prod-shop-003' } })
  })

  it('finds a free number behind many that are taken', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `prod-shop-${String(index + 1).padStart(3, '0')}`)
    expect(await allocateName(naming(), fleetWith(takenNames(...names)))).toMatchObject({
      facts: { name: 'prod-shop-301' },
    })
  })

  it.each<[string, Partial<ProvisionRequest>, string[], string]>([
    [
      'an asked name that is taken',
      { name: 'web-1' },
      ['web-1'],
      'Cannot name the machine: "web-1" is taken by a machine in namespace "office" (run old)',
    ],
    [
      'a pattern without a free number',
      { namePattern: 'web{number:1}' },
      Array.from({ length: 9 }, (_, index) => `web${index + 1}`),
      'Cannot name the machine: every name of "web{number:1}" is taken',
    ],
    [
      'a pattern without a number that is taken',
      { namePattern: 'web' },
      ['web'],
      'Cannot name the machine: every name of "web" is taken',
    ],
    ['a template that is gone', { template: 'gone' }, [], 'Cannot name the machine: template "gone" is gone'],
    [
      'a template that cannot be read any more',
      { template: 'broken' },
      [],
      'Cannot name the machine: templates/broken.yaml: ',
    ],
    [
      'a pattern that has no value any more',
      { namePattern: '{template}-{shop}' },
      [],
      'Cannot name the machine: namePattern has {shop}, wanted {environment}, {application}, {namespace}, {template} or {number:3}',
    ],
    [
      'a name that is longer than the template allows',
      { name: 'a'.repeat(64) },
      [],
      'Cannot name the machine: name has 64 characters, wanted at most 63',
    ],
  ])('refuses %s and leaves the fleet as it was', async (_, change, names, sentence) => {
    const fleet = fleetWith({ ...takenNames(...names), [templateFile('broken')]: 'guest: linux\n' })
    expect(await allocateName(naming(change), fleet)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(sentence),
    })
    expect(fleet.commits).toEqual([])
  })

  it('gives the same name at the second delivery and changes nothing', async () => {
    const fleet = fleetWith()
    const [first, second] = await Promise.all([allocateName(naming(), fleet), allocateName(naming(), fleet)])
    expect(second).toEqual(first)
    expect(await allocateName(naming(), fleet)).toEqual(first)
    expect(fleet.commits).toHaveLength(1)
  })

  it('looks again when somebody else took the name first', async () => {
    const fleet = fleetWith()
    fleet.interfere(takenNames('prod-shop-001'))
    expect(await allocateName(naming(), fleet)).toMatchObject({ facts: { name: 'prod-shop-002' } })
  })

  it('ignores an event of a run that has ended', async () => {
    const fleet = fleetWith()
    await allocateName(naming(), fleet)
    fleet.put({ [runFile('run-a')]: null, [nameFile('prod-shop-001')]: null })
    expect(await allocateName(naming(), fleet)).toEqual(late)
    expect(fleet.commits).toHaveLength(1)
  })

  it('ignores an event of a run that is being undone', async () => {
    const fleet = fleetWith()
    await allocateName(naming(), fleet)
    const record = await readRecord(await fleet.head(), 'run-a')
    fleet.put({ [runFile('run-a')]: toYaml({ ...record, state: 'undoing' }) })
    expect(await allocateName(naming(), fleet)).toEqual(late)
    expect(fleet.commits).toHaveLength(1)
  })

  it('gives fifty runs at once fifty names without a hole', async () => {
    const fleet = fleetWith()
    const runs = Array.from({ length: 50 }, (_, index) => naming({}, `run-${index}`))
    const outcomes = await Promise.all(runs.map((run) => allocateName(run, fleet)))
    const names = outcomes.map((outcome) => (outcome.kind === 'succeeded' ? outcome.facts?.name : outcome.message))
    expect(names.toSorted()).toEqual(
      Array.from({ length: 50 }, (_, index) => `prod-shop-${String(index + 1).padStart(3, '0')}`),
    )
    expect(fleet.commits).toHaveLength(50)
  })
})

describe('the name of a machine that is made from a snapshot', () => {
  const origin: Origin = { name: 'db-01', snapshot: 'clean', owner: { kind: 'Group', name: 'team-shop' }, volumes: {} }
  const request = { namespace: 'shop', name: 'db-01', snapshot: 'clean', as: { name: 'db-02' } } as Run['request']
  const cloning = runOf({ id: 'run-a', lifecycle: 'clone', task: 'name', fact: 'located', request, facts: { origin } })

  it('is the one that the request gives it', async () => {
    const fleet = fleetWith()
    expect(await allocateName(cloning, fleet)).toEqual({
      kind: 'succeeded',
      message: 'Reserved the name db-02',
      facts: { name: 'db-02' },
    })
    expect(Object.keys(fleet.commits[0]?.changes ?? {})).toEqual([nameFile('db-02'), runFile('run-a')])
    expect(await readRecord(await fleet.head(), 'run-a')).toMatchObject({ facts: { origin, name: 'db-02' } })
  })

  it('is refused when it is taken', async () => {
    const fleet = fleetWith(takenNames('db-02'))
    expect(await allocateName(cloning, fleet)).toEqual({
      kind: 'refused',
      message: 'Cannot name the machine: "db-02" is taken by a machine in namespace "office" (run old)',
      facts: {},
    })
    expect(fleet.commits).toEqual([])
  })
})
