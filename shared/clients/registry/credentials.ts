import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DroverError } from '../../errors.ts'
import { type Credentials, credentialsOf } from '../../images/docker-config.ts'
import type { Repository } from '../../images/reference.ts'

/** The keys of a Secret that hold a user name and a password: Kubernetes' own, and those that CDI imports with. */
const pairs = [
  ['username', 'password'],
  ['accessKeyId', 'secretKey'],
] as const

/** Reads what a Secret, mounted at a folder, has for a repository. */
export async function readCredentials(folder: string, repository: Repository): Promise<Credentials> {
  const text = (key: string) => readFile(join(folder, key), 'utf8').catch(() => undefined)
  const config = (await text('.dockerconfigjson')) ?? (await text('config.json'))
  const found = config === undefined ? undefined : credentialsOf(config, repository)
  if (found) return found
  for (const [user, secret] of pairs) {
    const [username, password] = [await text(user), await text(secret)]
    if (username !== undefined && password !== undefined)
      return { username: username.trim(), password: password.trim() }
  }
  throw new DroverError(
    'refused',
    `Cannot push to ${repository.host}: its Secret has ${config === undefined ? 'neither .dockerconfigjson nor username and password' : 'a docker config without an entry for it'}`,
  )
}
