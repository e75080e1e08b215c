import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { makeAuthority } from '../../local/clusters/certificate.ts'
import { toYaml } from '../../shared/yaml.ts'
import { freePort } from '../free-port.ts'

export const account = { username: 'drover', password: 'correct horse' }
/** By bcrypt, which Node does not have. */
const hashed = '$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2'

export interface Registry {
  /** Its address, as images are named after it. */
  host: string
  /** A folder with the authority that issued its certificate, as a ConfigMap would be mounted. */
  authorities: string
  /** Where it keeps what was sent. */
  storage: string
  /** The requests that it has answered, such as `POST /v2/golden/x/blobs/uploads/ 202`. */
  requests(): string[]
  start(): Promise<void>
  kill(): Promise<void>
  /** What a reader gets, by the registry's API. */
  get(path: string, accept?: string): Promise<Buffer>
}

type Auth = Record<string, object>

/** A registry on loopback with TLS by an authority of its own; asks for a password, unless told to ask for something else. */
export async function makeRegistry(directory: string, auth?: (authority: Authority) => Auth): Promise<Registry> {
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const [log, storage, authorities] = ['registry.log', 'storage', 'authorities'].map((one) => join(directory, one)) as [
    string,
    string,
    string,
  ]
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  for (const folder of [storage, authorities]) mkdirSync(folder, { recursive: true })
  const authority = makeAuthority('registry.test')
  const { certificate, key } = authority.issueFor(['127.0.0.1'])
  writeFileSync(join(authorities, 'ca.crt'), authority.certificate)
  const htpasswd = { htpasswd: { realm: 'test', path: file('htpasswd', `${account.username}:${hashed}\n`) } }
  const config = {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: host, tls: { certificate: file('tls.crt', certificate), key: file('tls.key', key) } },
    auth: auth?.(authority) ?? htpasswd,
  }
  const path = file('registry.yaml', toYaml(config))
  let child: ChildProcess | undefined
  writeFileSync(log, '')

  const get = (where: string, accept = '*/*') => fetched(host, authority.certificate, where, accept)
  const program = inject('registryProgram')
  return {
    host,
    authorities,
    storage,
    get,
    requests: () =>
      [...readFileSync(log, 'utf8').matchAll(/"([A-Z]+ \/v2\/\S*) HTTP\/[\d.]+" (\d+)/g)].map(
        ([, what, status]) => `${what} ${status}`,
      ),
    async start() {
      const env = { OTEL_TRACES_EXPORTER: 'none' }
      child = spawn('/bin/sh', ['-c', `exec "$0" serve "$1" >>"$2" 2>&1`, program, path, log], {
        env,
        stdio: 'ignore',
      })
      for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(50)) {
        if (child.exitCode !== null) break
        if (
          await get('').then(
            () => true,
            () => false,
          )
        )
          return
      }
      throw new Error(`Cannot start the registry: ${readFileSync(log, 'utf8')}`)
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

export type Authority = ReturnType<typeof makeAuthority>

/** With Node's own client, which is not the one that is tested. */
function fetched(host: string, ca: string, path: string, accept: string): Promise<Buffer> {
  const auth = `${account.username}:${account.password}`
  return new Promise((done, failed) => {
    const asking = request(`https://${host}/v2/${path}`, { ca, auth, headers: { accept } }, async (answer) => {
      const parts: Buffer[] = []
      for await (const part of answer) parts.push(part)
      done(Buffer.concat(parts))
    })
    asking.on('error', failed).end()
  })
}
