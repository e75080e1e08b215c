import { describe, expect, it } from 'vitest'
import { customize } from '../../../functions/build/customize.ts'
import { customizationFile } from '../../../shared/paths.ts'
import { check } from '../../../shared/schema/check.ts'
import { Definition } from '../../../shared/schema/definition.ts'
import type { Machine } from '../../../shared/schema/machine.ts'
import type { Outcome } from '../../../shared/step.ts'
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
    expect(outcome).toMatchObject({ kind: 'ignored' })
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

  it('cannot read a run that has not been placed', async () => {
    const { cluster: _, ...facts } = foundOut()
    const run = runWith('customize', facts)
    await expect(customize(run, await (await fleetOf(run)).head())).rejects.toMatchObject({ reason: 'unreadable' })
  })
})
