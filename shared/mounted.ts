import { accessSync, constants, readFileSync } from 'node:fs'
import { DroverError } from './errors.ts'
import { keepSecret } from './secrets.ts'

/** Files that Kubernetes mounts from Secrets and ConfigMaps, and puts others in the place of when those change. */

/** Variables as a process gets them. */
export type Environment = Readonly<Record<string, string | undefined>>

export function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** A secret by value (`NAME`) or, better, by file (`NAME_FILE`), which is read anew at each use. */
export function secret(env: Environment, name: string): { token?: () => Promise<string> } {
  const file = env[`${name}_FILE`]
  const value = env[name]
  if (file !== undefined) return { token: secretIn(file, `${name}_FILE`) }
  return value === undefined ? {} : { token: async () => keepSecret(value) }
}

/** Reads a secret from a file at each use; the variable that names the file is for people. */
export const secretIn = (file: string, variable: string) => async (): Promise<string> => {
  try {
    const text = readFileSync(file, 'utf8').trim()
    if (text !== '') return keepSecret(text)
  } catch (cause) {
    throw new DroverError('broken', `Cannot read a secret: the file of ${variable} cannot be read`, { cause })
  }
  throw new DroverError('broken', `Cannot read a secret: the file of ${variable} is empty`)
}
