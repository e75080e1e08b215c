import { describe, expect, it } from 'vitest'
import { customize } from '../../../functions/build/customize.ts'
import { customizationFile } from '../../../shared/paths.ts'
import { check } from '../../../shared/schema/check.ts'
import { Definition } from '../../../shared/schema/definition.ts'
import type { Machine } from '../../../shared/schema/machine.ts'
import type { Facts, Outcome } from '../../../shared/step.ts'
import { toYaml } from '../../../shared/yaml.ts'
import { memoryFleet } from '../../fleet.ts'
import { fleetOf, foundOut, runWith } from './runs.ts'

const customized = async (machine: Partial<Machine> = {}, files: Record<string, string | null> = {}) => {
  const facts = foundOut()
  const run = runWith('customize', { ...facts, machine: { ...(facts.machine as Machine), ...machine } })
  const fleet = await fleetOf(run)
  fleet.put(files)
  return customize(run, await fleet.head())
}
const definitionIn = (outcome: Outcome) => (outcome.kind === 'succeeded' ? outcome.facts?.definition : undefined)

describe('customize', () => {
  it('puts what the run found out together in a definition that its schema accepts', async () => {
    const outcome = await customized()
    expect(outcome).toMatchObject({ kind: 'succeeded', message: 'Embedded 2 customizations for web-01' })
    const definition = definitionIn(outcome)
    expect(check(Definition, definition, 'the definition')).toMatchObject({ ok: true })
    expect(definition).toMatchObject({
      name: 'web-01',
      namespace: 'shop',
      cluster: 'site-a',
      operation: `${runWith('customize', {}).id}.create`,
      running: true,
      labels: { tier: 'web' },
      customizations: ['base-linux', 'monitoring-agent'],
    })
  })

  it('merges the customizations in their order and leaves their secrets as references', async () => {
    const { guestConfiguration } = definitionIn(await customized()) ?? {}
    expect(guestConfiguration?.userData).toContain('timezone: "Europe/Madrid"')
    expect(guestConfiguration?.userData).toMatch(/"chrony"\n\s+- "node-exporter"/)
    expect(guestConfiguration?.secrets).toEqual({
      adminSshKey: {
        store: 'platform',
        storeKind: 'ClusterSecretStore',
        key: 'drover/linux',
        property: 'admin-ssh-key',
      },
    })
  })

  it('answers the same when it is asked twice', async () => {
    expect(await customized()).toEqual(await customized())
  })

  it('ignores an event of a run that has ended', async () => {
    const outcome = await customize(runWith('customize', foundOut()), await memoryFleet().head())
    const message = `Run ${runWith('customize', {}).id} has ended: there is nothing to customize`
    expect(outcome).toEqual({ kind: 'ignored', message })
  })

  it.each<[string, Partial<Machine>, Record<string, string | null>, string]>([
    [
      'a customization that is gone',
      {},
      { [customizationFile('base-linux')]: null },
      'Cannot customize web-01: customization "base-linux" is not there any more',
    ],
    [
      'a customization that cannot be read',
      {},
      { [customizationFile('base-linux')]: 'description: 3\n' },
      'Cannot customize web-01: customizations/base-linux.yaml: ',
    ],
  ])('refuses %s', async (_, machine, files, message) => {
    const outcome = await customized(machine, files)
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining(message) })
  })

  it('refuses an unknown variable, with the customization that uses it', async () => {
    const odd = toYaml({ description: 'odd', guest: 'linux', userData: { a: '${nowhere}' } })
    await expect(customized({ customizations: ['odd'] }, { [customizationFile('odd')]: odd })).rejects.toMatchObject({
      reason: 'refused',
      message: expect.stringContaining('customization "odd" uses ${nowhere}, which nothing defines'),
    })
  })

  it('says how many customizations it has embedded', async () => {
    expect((await customized({ customizations: [] })).message).toBe('Embedded 0 customizations for web-01')
    expect((await customized({ customizations: ['base-linux'] })).message).toBe('Embedded 1 customization for web-01')
  })

  it('says every customization that is gone at once', async () => {
    const gone = { [customizationFile('base-linux')]: null, [customizationFile('monitoring-agent')]: null }
    expect(await customized({}, gone)).toEqual({
      kind: 'refused',
      message:
        'Cannot customize web-01: customization "base-linux" is not there any more; customization "monitoring-agent" is not there any more',
      facts: {},
    })
  })

  it('leaves out what only the run needs to know, and what nobody has found out', async () => {
    const { labels: _, dns: __, ...facts } = foundOut()
    const run = runWith('customize', facts)
    const definition = definitionIn(await customize(run, await (await fleetOf(run)).head()))
    expect(definition).not.toHaveProperty('networks')
    expect(definition).toMatchObject({ labels: {}, dns: [], owner: { kind: 'Group', name: 'team-shop' } })
  })

  it.each(['machine', 'name', 'identity', 'interfaces', 'cluster'] as const)(
    'cannot read a run without its %s',
    async (fact) => {
      const { [fact]: _, ...facts } = foundOut()
      const run = runWith('customize', facts)
      await expect(customize(run, await (await fleetOf(run)).head())).rejects.toMatchObject({
        reason: 'unreadable',
        message: `Cannot customize: run ${run.id} has no machine, name, addresses or cluster yet`,
      })
    },
  )
})

describe('the disks of a machine', () => {
  const disks = [
    { name: 'data', size: '200Gi' },
    { name: 'wal', size: '50Gi' },
  ]
  const attached = [{ name: 'old', size: '1Gi', claim: 'web-09-data-old-ffffff' }]
  const disksWith = async (facts: Facts) => {
    const known = foundOut()
    const run = runWith('customize', { ...known, machine: { ...(known.machine as Machine), disks }, ...facts })
    const definition = definitionIn(await customize(run, await (await fleetOf(run)).head()))
    return { rootDisk: definition?.rootDisk, disks: definition?.disks }
  }

  it('are blank and from the image, beside kept ones that it takes', async () => {
    expect(await disksWith({ imageVersion: 'pvc golden/rhel9-1', attached })).toEqual({
      rootDisk: { size: '30Gi', version: 'pvc golden/rhel9-1' },
      disks: [...disks, ...attached],
    })
    expect(await disksWith({})).toEqual({ rootDisk: { size: '30Gi' }, disks })
  })

  it('are from the snapshot of the machine that it is made from, whose owner it has too', async () => {
    const owner = { kind: 'User', name: 'bob' } as const
    const volumes = { rootdisk: 'vs-root', 'data-data': 'vs-data' }
    const origin = { name: 'web-00', snapshot: 'clean', owner, volumes }
    expect(await disksWith({ origin })).toEqual({
      rootDisk: { size: '30Gi', snapshot: 'vs-root' },
      disks: [{ name: 'data', size: '200Gi', snapshot: 'vs-data' }, disks[1]],
    })
    const sizes = { 'data-data': '100Gi' }
    expect(await disksWith({ origin: { ...origin, sizes, version: 'pvc golden/rhel9-1' } })).toEqual({
      rootDisk: { size: '30Gi', snapshot: 'vs-root', version: 'pvc golden/rhel9-1' },
      disks: [{ name: 'data', size: '100Gi', snapshot: 'vs-data' }, disks[1]],
    })
    const run = runWith('customize', foundOut({ origin }))
    const outcome = await customize(run, await (await fleetOf(run)).head())
    expect(definitionIn(outcome)?.owner).toEqual(owner)
  })
})
