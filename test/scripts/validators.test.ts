import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import type { ValidateFunction } from 'ajv'
import { describe, expect, it } from 'vitest'
import { codeOf, prepared } from '../../scripts/validators.ts'
import { compile } from '../../shared/schema/compile.ts'

const require = createRequire(import.meta.url)

const values = [{}, null, [], 'text', { unknown: 1, namespace: 'No', name: 7, labels: { '': 1 } }, { disks: [{}, {}] }]

describe('a validator that the build makes', () => {
  it.each(prepared.map((schema, number) => [number, schema] as const))('says what the schema says: %i', (_, schema) => {
    const module: { exports: unknown } = { exports: {} }
    compileFunction(codeOf(schema), ['module', 'require'])(module, require)
    const [made, wanted] = [module.exports as ValidateFunction, compile(schema)]
    for (const value of values) {
      expect(made(value)).toBe(wanted(value))
      expect(made.errors).toEqual(wanted.errors)
    }
  })
})
