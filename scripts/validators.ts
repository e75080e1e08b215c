import { createHash } from 'node:crypto'
import standalone from 'ajv/dist/standalone/index.js'
import type { Plugin } from 'rolldown'
import type { TSchema } from 'typebox'
import { openAjv } from '../shared/schema/compile.ts'
import { Definition } from '../shared/schema/definition.ts'
import { Customization, Network, Policy } from '../shared/schema/fleet-files.ts'
import { GoldenImage } from '../shared/schema/golden-image.ts'
import { KeptDisk } from '../shared/schema/kept-disk.ts'
import { requests } from '../shared/schema/requests.ts'
import { Template } from '../shared/schema/template.ts'

/** The schemas whose validators a bundle brings. Any other is compiled when it is needed. */
export const prepared: readonly TSchema[] = [
  ...Object.values(requests),
  ...[Customization, Definition, GoldenImage, KeptDisk, Network, Policy, Template],
]

/** Puts validators into a bundle: to compile those of a request takes longer than all else that is done with it. */
export const withValidators = (): Plugin => ({
  name: 'validators',
  load: {
    filter: { id: /\/shared\/schema\/validator\.ts$/ },
    handler: () => ({ code: validators(), moduleType: 'js' }),
  },
})

/** A schema is known by what it says, so that one that was changed is never taken for the one before. */
const keyOf = (schema: TSchema) => createHash('sha256').update(JSON.stringify(schema)).digest('base64')

function validators(): string {
  // Each is only read by V8 when it is asked for.
  const made = new Map(
    prepared.map((schema) => [keyOf(schema), `(module) => {${codeOf(schema)};return module.exports}`]),
  )
  const entries = [...made].map(([key, code]) => `${JSON.stringify(key)}: ${code}`)
  return `import { createHash } from 'node:crypto'
const made = {${entries.join(',\n')}}
export function validatorOf(schema) {
  const known = made[createHash('sha256').update(JSON.stringify(schema)).digest('base64')]
  return known ? known({ exports: {} }) : require('./compile.ts').compile(schema)
}
`
}

/** The code of a module that is the validator of a schema. */
export function codeOf(schema: TSchema): string {
  const ajv = openAjv({ code: { source: true } })
  return standalone.default(ajv, ajv.compile(schema))
}
