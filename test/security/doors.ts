import { readFileSync } from 'node:fs'
import type { TSchema } from 'typebox'
import { CmdbConfig } from '../../shared/clients/cmdb.ts'
import { type LifecycleName, lifecycles } from '../../shared/lifecycles.ts'
import { Definition } from '../../shared/schema/definition.ts'
import { Customization, Network, Policy } from '../../shared/schema/fleet-files.ts'
import { GoldenImage } from '../../shared/schema/golden-image.ts'
import { KeptDisk } from '../../shared/schema/kept-disk.ts'
import { requests } from '../../shared/schema/requests.ts'
import { Template } from '../../shared/schema/template.ts'
import { parseYaml } from '../../shared/yaml.ts'
import { starterFiles } from '../examples/starter.ts'
import { everything } from '../shared/images/customizations.ts'
import { golden } from '../shared/images/golden.ts'
import { databaseServer } from '../shared/kubevirt/definitions.ts'

/** Every schema that stands between Drover and what others write, each with values that it takes. */

export interface Door {
  name: string
  schema: TSchema
  good: unknown[]
}

const example = (name: string): unknown => JSON.parse(readFileSync(`examples/${name}.json`, 'utf8')).data

/** The request of a lifecycle as the examples make it, and one with every customization there is where it takes one. */
function requestDoor(name: LifecycleName): Door {
  const data = example(name) as object
  const customized = name === 'patch' ? [{ ...data, customization: everything() }] : []
  const others = name === 'provision' ? [example('provision-database'), example('provision-windows')] : []
  return { name: `a request to ${name}`, schema: requests[name], good: [data, ...others, ...customized] }
}

const inFleet = (pattern: RegExp): unknown[] =>
  Object.entries(starterFiles())
    .filter(([path]) => pattern.test(path))
    .map(([path, text]) => parseYaml(text, path))

const keptDisk = {
  disk: 'db-01-data-data',
  cluster: 'site-a',
  namespace: 'shop',
  machine: 'db-01',
  run: '0123456789abcdef0123',
  since: '2030-01-01T00:00:00Z',
  size: '40Gi',
}

export const requestDoors: Door[] = lifecycles.map(({ name }) => requestDoor(name))

/** What people write into the fleet repository. */
export const fleetDoors: Door[] = [
  { name: 'a template', schema: Template, good: inFleet(/^templates\//) },
  { name: 'a customization', schema: Customization, good: inFleet(/^customizations\//) },
  { name: 'a policy', schema: Policy, good: inFleet(/^policy\//) },
  { name: 'a network', schema: Network, good: inFleet(/^ipam\/[^/]+\/network\.yaml$/) },
]

/** What Drover writes there, and anybody may have changed since; and the file that describes the CMDB. */
export const ownDoors: Door[] = [
  { name: 'a definition', schema: Definition, good: [databaseServer()] },
  { name: 'a golden image', schema: GoldenImage, good: [golden()] },
  { name: 'a kept disk', schema: KeptDisk, good: [keptDisk] },
  {
    name: 'the CMDB configuration',
    schema: CmdbConfig,
    good: ['put', 'servicenow'].map((name) => parseYaml(readFileSync(`examples/cmdb/${name}.yaml`, 'utf8'))),
  },
]

export const doors: Door[] = [...requestDoors, ...fleetDoors, ...ownDoors]
