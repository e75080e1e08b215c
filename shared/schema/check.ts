import type { ValidateFunction } from 'ajv'
import type { Static, TSchema } from 'typebox'
import { hazards } from './hazards.ts'
import { sentences } from './sentences.ts'
import { validatorOf } from './validator.ts'

export type Checked<T> = { ok: true; value: T } | { ok: false; problems: string[] }

/** Says whether a value is what a schema describes; if not, every fault at once, each in a sentence with its path. */
export function check<S extends TSchema>(schema: S, value: unknown, what: string): Checked<Static<S>> {
  const unfit = hazards(value, what)
  if (unfit.length > 0) return { ok: false, problems: unfit }
  const validate = compiled(schema)
  if (validate(value)) return { ok: true, value: value as Static<S> }
  return { ok: false, problems: sentences((validate.errors ?? []).slice(0, mostErrors), what) }
}

/** Nobody is told more than twenty; each more costs time, and a request of 100 KB can have tens of thousands. */
const mostErrors = 100

const validators = new WeakMap<TSchema, ValidateFunction>()

function compiled(schema: TSchema): ValidateFunction {
  const validator = validators.get(schema) ?? validatorOf(schema)
  validators.set(schema, validator)
  return validator
}
