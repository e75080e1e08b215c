import { Ajv, type Options, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { TSchema } from 'typebox'

/** Validators are made with it, be it at the first use or at the build of the bundle. */
export const openAjv = (options: Options = {}): Ajv =>
  addFormats.default(new Ajv({ allErrors: true, strict: true, verbose: true, ...options }), ['uuid'])

/** Made at the first use: compiling every schema would double the start of a function that needs one. */
let ajv: Ajv | undefined

export function compile(schema: TSchema): ValidateFunction {
  ajv ??= openAjv()
  return ajv.compile(schema)
}
