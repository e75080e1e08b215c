import { describe, expect, it } from 'vitest'
import { validate } from '../../functions/validate/validate.ts'
import { toSubnets } from '../../shared/ipam/network.ts'
import { check } from '../../shared/schema/check.ts'
import { Customization, Network, Policy } from '../../shared/schema/fleet-files.ts'
import { Machine } from '../../shared/schema/machine.ts'
import { Template } from '../../shared/schema/template.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { memoryFleet } from '../fleet.ts'
import { asked, exampleEvents, starterFiles } from './starter.ts'

const schemas = { templates: Template, customizations: Customization, policy: Policy, ipam: Network }
const files = Object.entries(starterFiles())

describe('the starter fleet', () => {
  it.each(files)('has a valid %s', (path, text) => {
    const schema = schemas[path.split('/')[0] as keyof typeof schemas]
    expect(check<typeof Policy>(schema as typeof Policy, parseYaml(text, path), path)).toMatchObject({ ok: true })
  })

  it.each(files.filter(([path]) => path.endsWith('network.yaml')))('has numbers that fit in %s', (path, text) => {
    const network = check(Network, parseYaml(text, path), path)
    expect(network.ok && toSubnets(network.value)).toMatchObject({ ok: true })
  })

  it('has the three templates and a dual-stack network', () => {
    const paths = files.map(([path]) => path)
    expect(paths).toEqual(
      expect.arrayContaining([
        'templates/linux-small.yaml',
        'templates/database.yaml',
        'templates/windows-server.yaml',
      ]),
    )
    expect(starterFiles()['ipam/servers/network.yaml']).toMatch(/fd00:20::\/64/)
  })

  it('holds no value of a secret, only references', () => {
    for (const [path, text] of files)
      expect(text, path).not.toMatch(/BEGIN [A-Z ]*PRIVATE KEY|ssh-(rsa|ed25519) AAAA|\$6\$/)
  })
})

describe('the examples', () => {
  it.each(Object.entries(exampleEvents()))(
    '%s asks for a provision that the starter fleet grants',
    async (_, event) => {
      expect(event.type).toBe('dev.drover.provision.requested')
      const outcome = await validate(asked(event.data), memoryFleet(starterFiles()))
      expect(outcome).toMatchObject({ kind: 'succeeded' })
      const machine = outcome.kind === 'succeeded' ? outcome.facts?.machine : undefined
      expect(check(Machine, machine, 'the machine')).toMatchObject({ ok: true })
    },
  )

  it('show each of the three templates', () => {
    const templates = Object.values(exampleEvents()).map(({ data }) => (data as { template: string }).template)
    expect(new Set(templates)).toEqual(new Set(['linux-small', 'database', 'windows-server']))
  })
})
